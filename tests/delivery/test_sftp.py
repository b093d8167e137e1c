"""The SFTP channel against a server of its own: whole or not there, to the approved host only."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest

from gateway.adapters import deliveries
from gateway.adapters.channels import Parcel, Told, sftp
from gateway.errors import IntegrityError, Unavailable
from tests.delivery import pair as pairs
from tests.delivery.pair import HOST, Pair
from tests.journeys import borough
from tests.service import serving

PACKAGE = "rel-a.research"


class Server:
    """An SFTP server in a thread, with its folder and its keys."""

    def __init__(self, home: Path, speaks: type[asyncssh.SFTPServer] = asyncssh.SFTPServer) -> None:
        self._speaks = speaks
        self.folder, self.keys = home / "served", home / "keys" / "ons-research"
        self.folder.mkdir()
        self.keys.mkdir(parents=True)
        self._host_key = asyncssh.generate_private_key("ssh-ed25519")
        mine = asyncssh.generate_private_key("ssh-ed25519")
        self.key = self.keys / "sftp.key"
        mine.write_private_key(str(self.key))
        self.key.chmod(0o400)
        self._known = asyncssh.import_authorized_keys(mine.export_public_key().decode())
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._do(self._listen())
        self.port = self._server.get_port()

    @property
    def host_key(self) -> str:
        return self._host_key.export_public_key().decode().strip()

    async def _listen(self) -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            HOST,
            0,
            server_host_keys=[self._host_key],
            authorized_client_keys=self._known,
            sftp_factory=lambda chan: self._speaks(chan, chroot=str(self.folder).encode()),
        )

    def _do(self, act):  # type: ignore[no-untyped-def]
        return asyncio.run_coroutine_threadsafe(act, self._loop).result(20)

    async def _closed(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    def close(self) -> None:
        if self._loop.is_closed():
            return
        self._do(self._closed())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    found = Server(tmp_path)
    yield found
    found.close()


@pytest.fixture
def parcel(server: Server, tmp_path: Path) -> Parcel:
    content = b"sealed" * 100_000
    path = tmp_path / f"{PACKAGE}.gwp"
    path.write_bytes(content)
    target = {"address": f"sftp://{HOST}:{server.port}/", "client": "trafford"}
    return Parcel(
        path=path,
        package=PACKAGE,
        digest=hashlib.sha256(content).hexdigest(),
        recipient="ons-research",
        target={**target, "host_key": server.host_key},
        keys=server.keys.parent,
    )


def retargeted(parcel: Parcel, **more: str) -> Parcel:
    return Parcel(
        path=parcel.path,
        package=parcel.package,
        digest=parcel.digest,
        recipient=parcel.recipient,
        target={**parcel.target, **more},
        keys=parcel.keys,
    )


class Mute(asyncssh.SFTPServer):
    """Lets people in, keeps the connection alive, and answers nothing."""

    async def stat(self, path: bytes) -> asyncssh.SFTPAttrs:
        await asyncio.sleep(3600)
        raise AssertionError(path)


def test_a_server_that_lets_us_in_and_says_nothing_holds_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sftp, "SESSION_SECONDS", 1.0)
    home = tmp_path / "mute"
    home.mkdir()
    mute = Server(home, Mute)
    package = home / f"{PACKAGE}.gwp"
    package.write_bytes(b"sealed")
    target = {"address": f"sftp://{HOST}:{mute.port}/", "host_key": mute.host_key}
    waiting = Parcel(
        path=package,
        package=PACKAGE,
        digest=hashlib.sha256(b"sealed").hexdigest(),
        recipient="ons-research",
        target={**target, "client": "trafford"},
        keys=mute.keys.parent,
    )
    try:
        for act in (sftp.bring, sftp.receipt):
            assert act(waiting) == Told(arrived=None, code="delivery/no-answer")
    finally:
        mute.close()


def test_a_package_lies_there_whole_under_its_name(server: Server, parcel: Parcel) -> None:
    assert sftp.bring(parcel) == Told(arrived=True)
    (there,) = server.folder.iterdir()
    assert (there.name, there.read_bytes()) == (f"{PACKAGE}.gwp", parcel.path.read_bytes())


def test_a_second_try_finds_it_and_writes_nothing(server: Server, parcel: Parcel) -> None:
    sftp.bring(parcel)
    (there,) = server.folder.iterdir()
    before = there.stat().st_ino
    assert sftp.bring(parcel).arrived
    assert there.stat().st_ino == before


def test_other_bytes_under_its_name_are_left_and_said(server: Server, parcel: Parcel) -> None:
    (server.folder / f"{PACKAGE}.gwp").write_bytes(b"another")
    told = sftp.bring(parcel)
    assert (told.arrived, told.code, told.final) == (False, "inbox/other-bytes", True)
    assert (server.folder / f"{PACKAGE}.gwp").read_bytes() == b"another"


def test_what_was_cut_is_begun_again(server: Server, parcel: Parcel) -> None:
    (server.folder / f"{PACKAGE}.gwp.part").write_bytes(b"x" * 900_000)
    assert sftp.bring(parcel).arrived
    assert (server.folder / f"{PACKAGE}.gwp").read_bytes() == parcel.path.read_bytes()


def test_a_receipt_beside_the_package_is_read(server: Server, parcel: Parcel) -> None:
    sftp.bring(parcel)
    assert sftp.receipt(parcel) == Told(arrived=True)
    (server.folder / f"{PACKAGE}.gwp.receipt").write_text("a.b.c\n")
    assert sftp.receipt(parcel) == Told(arrived=True, receipt="a.b.c")


def test_a_certificate_where_the_package_lay_is_read_though_the_package_is_gone(
    server: Server, parcel: Parcel
) -> None:
    assert sftp.certificate(parcel) == ""
    sftp.bring(parcel)
    assert sftp.certificate(parcel) == ""
    (server.folder / f"{PACKAGE}.gwp").unlink()
    (server.folder / f"{PACKAGE}.gwp.certificate").write_text("a.b.c\n")
    assert sftp.certificate(parcel) == "a.b.c"


def test_nothing_goes_to_another_host_key(server: Server, parcel: Parcel) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    told = sftp.bring(retargeted(parcel, host_key=other))
    assert (told.arrived, told.code) == (False, "delivery/other-host-key")
    assert not list(server.folder.iterdir())


def test_without_an_approved_host_key_nothing_is_sent(server: Server, parcel: Parcel) -> None:
    told = sftp.bring(retargeted(parcel, host_key=""))
    assert (told.arrived, told.code) == (False, "delivery/key-form")
    assert not list(server.folder.iterdir())


def test_a_key_that_others_can_read_is_not_used(server: Server, parcel: Parcel) -> None:
    server.key.chmod(0o644)
    with pytest.raises(Unavailable, match="keys/unsafe-mode"):
        sftp.bring(parcel)


def test_a_server_that_does_not_know_us_gets_nothing(server: Server, parcel: Parcel) -> None:
    server.key.chmod(0o600)
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(server.key))
    server.key.chmod(0o400)
    told = sftp.bring(parcel)
    assert (told.arrived, told.code) == (False, "delivery/not-known-there")


@pytest.fixture
def silent() -> Iterator[int]:
    """A port where somebody listens and never says a word."""
    with socket.create_server((HOST, 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def cut() -> Iterator[int]:
    """A port where everybody is hung up on at once."""

    class Cut(socketserver.BaseRequestHandler):
        pass

    with socketserver.TCPServer((HOST, 0), Cut) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.05,))
        thread.start()
        yield listening.server_address[1]
        listening.shutdown()
        thread.join()


def test_why_a_server_was_out_of_reach_is_told(
    parcel: Parcel, silent: int, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sftp, "SECONDS", 1)
    reasons = {
        f"sftp://{HOST}:1/": "delivery/nobody-listens",
        "sftp://nowhere.invalid/": "delivery/name-not-found",
        f"sftp://{HOST}:{silent}/": "delivery/no-answer",
        f"sftp://{HOST}:{cut}/": "delivery/out-of-reach",
    }
    for address, code in reasons.items():
        there = retargeted(parcel, address=address)
        told = sftp.bring(there)
        assert (told.arrived, told.code) == (None, code)
        with pytest.raises(Unavailable, match=code) as fault:
            sftp.certificate(there)
        assert fault.value.remedy
        assert "nowhere" not in str(fault.value)


def test_of_another_host_key_a_certificate_is_not_asked_and_that_is_told(
    server: Server, parcel: Parcel
) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    with pytest.raises(IntegrityError, match="delivery/other-host-key"):
        sftp.certificate(retargeted(parcel, host_key=other))


@pytest.fixture
def by_sftp(server: Server, waiting: Pair, tmp_path: Path) -> Pair:
    """A council of which one package goes by SFTP to this server; the other one waits."""
    pair = pairs.copied(waiting, tmp_path / "pair")
    (each, _) = pair.deliveries()
    own = server.keys.with_name(each.recipient)
    server.keys.rename(own)
    pair.sender.settings["GATEWAY_DELIVERY_KEYS"] = str(own.parent)
    target = {"address": f"sftp://{HOST}:{server.port}/", "client": "trafford"}
    with serving.database_of(pair.sender) as database, database.begin() as connection:
        told = json.dumps({**target, "host_key": server.host_key})
        deliveries.update(connection, each.package, channel="sftp", target=told)
    return pair


def test_by_sftp_a_package_comes_is_taken_in_and_its_receipt_found(
    server: Server, by_sftp: Pair
) -> None:
    pair, council = by_sftp, by_sftp.sender
    (each, _) = pair.deliveries()
    words = ("deliveries", "retry", each.package, "--here", "--as", "rosa")
    assert council.ask(*words)["state"] == "dispatched"
    taken = ("inbox", "accept", str(server.folder), "--from", borough.COUNCIL)
    assert [found["new"] for found in pair.recipient.ask(*taken)["packages"]] == [True]
    assert [found["new"] for found in pair.recipient.ask(*taken)["packages"]] == [False]
    beside = server.folder / f"{each.package}.gwp.receipt"
    pair.recipient.must("inbox", "acknowledge", each.package, "--to", str(beside))
    assert council.ask(*words)["state"] == "acknowledged"
    assert council.run(*words).code == 2


def test_by_sftp_the_council_is_told_why_nobody_was_reached(server: Server, by_sftp: Pair) -> None:
    pair, council = by_sftp, by_sftp.sender
    (each, _) = pair.deliveries()
    words = ("deliveries", "retry", each.package, "--here", "--as", "rosa")
    council.must(*words)
    asked = council.ask("duties", "ask")
    assert asked["unanswered"] == {}
    server.close()
    said = council.must("duties", "ask").out
    assert "1 not known: delivery/nobody-listens: The recipient's machine refuses" in said
    assert council.ask("duties", "ask")["unanswered"] == {"delivery/nobody-listens": 1}
    said = council.must(*words).out
    assert "delivery/nobody-listens: The recipient's machine refuses the connection" in said
    assert "The recipient's machine refuses" in council.must("deliveries", "list").out
    found = council.run("doctor").out
    assert "1 package waits (delivery/nobody-listens). The recipient" in found


def test_by_sftp_a_certificate_of_destruction_ends_the_duty_and_a_forged_one_is_told(
    server: Server, by_sftp: Pair
) -> None:
    pair, council = by_sftp, by_sftp.sender
    (each, _) = pair.deliveries()
    council.must("deliveries", "retry", each.package, "--here", "--as", "rosa")
    pair.recipient.must("operators", "add", "ana", "--role", "analyst", "--as", "ada")
    pair.recipient.must("inbox", "accept", str(server.folder), "--from", borough.COUNCIL)
    beside = server.folder / f"{each.package}.gwp.certificate"
    asked = council.run("duties", "ask", "--json")
    assert (asked.document["came"], "certificate-not-taken" in asked.err) == (0, False)
    certifying = ("inbox", "certify", each.package, "--as", "ana", "--to")
    pair.recipient.must(*certifying, str(beside))
    good = beside.read_text()
    for forged in (f"{good[:-9]}AAAAAAAA", "a.b.c", "x" * 100_000, "\N{SNOWMAN}"):
        beside.write_text(forged)
        asked = council.run("duties", "ask", "--json")
        assert asked.document["came"] == 0
        (line,) = [line for line in asked.err.splitlines() if "certificate-not-taken" in line]
        assert json.loads(line)["level"] == "error"
        assert json.loads(line)["code"].startswith("duties/")
        assert "recipient-destroyed" not in pair.events(council)
    beside.write_text(good)
    assert council.ask("duties", "ask")["came"] == 1
    assert council.ask("duties", "ask")["came"] == 0
    assert pair.events(council).count("recipient-destroyed") == 1
    (duty,) = [e for e in council.ask("duties", "list")["duties"] if e["package"] == each.package]
    assert duty["state"] == "done"
