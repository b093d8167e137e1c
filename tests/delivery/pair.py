"""Two offices with a gateway each: a council that sends, and the recipient of its packages."""

from __future__ import annotations

import contextlib
import shutil
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.adapters import deliveries, inbox, ledger_store
from gateway.adapters.deliveries import Delivery
from gateway.adapters.inbox import Arrived
from gateway.adapters.jobs import JobKind
from tests.journeys import borough
from tests.journeys.office import Office
from tests.service import serving
from tests.service.serving import Service

CLIENT = "trafford-gateway"
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Pair:
    """The sender's office, the recipient's, and the address of the recipient's inbox."""

    sender: Office
    recipient: Office
    port: int

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"

    @contextlib.contextmanager
    def receiving(self, port: int = 0, **more: str) -> Iterator[Service]:
        """The recipient's service, at the address that the council has approved or behind it."""
        words = ["--port", str(port or self.port)]
        address = {"GATEWAY_PUBLIC_URL": self.address}
        with serving.serving(self.recipient, more=words, **address, **more) as service:
            yield service

    def sending(self, **more: str) -> contextlib.AbstractContextManager[Service]:
        """The council's service."""
        return serving.serving(self.sender, GATEWAY_DELIVERY_KEYS=str(self.keys), **more)

    @property
    def keys(self) -> Path:
        return self.sender.home / "delivery-keys"

    def share(self) -> str:
        """A release, asked of the council's worker; its id."""
        job = serving.finished(self.sender, serving.ask(self.sender, JobKind.SHARE))
        assert job.outcome["state"] == "recorded", job
        release: str = job.outcome["release"]
        return release

    def everything_arrived(self) -> bool:
        found = self.deliveries()
        return bool(found) and all(each.state in deliveries.ARRIVED for each in found)

    def events(self, office: Office) -> list[str]:
        """What an office's ledger says, in order."""
        with serving.database_of(office) as database, database.read() as connection:
            return [entry.event for _, entry in ledger_store.entries(connection)]

    def deliveries(self) -> list[Delivery]:
        with serving.database_of(self.sender) as database, database.read() as connection:
            return deliveries.listed(connection)

    def arrived(self) -> list[Arrived]:
        with serving.database_of(self.recipient) as database, database.read() as connection:
            return inbox.listed(connection)


def free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        port: int = found.getsockname()[1]
        return port


def made(
    home: Path,
    people: Path,
    *,
    channel: str,
    delivery: Mapping[str, Any],
    port: int,
    databases: tuple[str, str] = ("", ""),
) -> Pair:
    """Both offices; the council may run its study at once, by this channel.

    Args:
        home: the folder of both.
        people: what the partners send.
        channel: how packages go.
        delivery: what the recipient's document says of it.
        port: where the recipient listens.
        databases: the sender's and the recipient's address; empty is their own SQLite.
    """
    sender = council(home / "council", people, channel, delivery, database_url=databases[0])
    recipient = _recipient(home / "ons", sender, database_url=databases[1])
    with sender.open():
        trust = home / "ons-trust.json"
        trust.write_text(recipient.must("trust", "export").out)
        for name in (borough.UNIT, borough.RESEARCH):
            sender.must("deliveries", "trust", name, str(trust), "--as", "ada")
    return Pair(sender, recipient, port)


def copied(pair: Pair, home: Path) -> Pair:
    """The same two offices elsewhere."""
    home.mkdir(parents=True, exist_ok=True)
    sender = borough.copied(pair.sender, home / "council")
    shutil.copytree(pair.recipient.home, home / "ons")
    return Pair(sender, Office(home / "ons", policies=sender.policies), pair.port)


def council(
    home: Path, people: Path, channel: str, delivery: Mapping[str, Any], *, database_url: str = ""
) -> Office:
    home.mkdir(mode=0o700, parents=True)
    office = Office(home, policies=borough.policies_in_time(home / "policies"))
    if database_url:
        office.settings["GATEWAY_DATABASE_URL"] = database_url
    table = "".join(f'{name} = "{value}"\n' for name, value in delivery.items())
    for name in (borough.UNIT, borough.RESEARCH):
        document = office.policies / "recipients" / f"{name}.toml"
        text = document.read_text("utf-8").replace('channel = "folder"', f'channel = "{channel}"')
        document.write_text(f"{text}\n[delivery]\n{table}" if table else text, "utf-8")
    office.found(controllers=(borough.COUNCIL,), recipients=(borough.UNIT, borough.RESEARCH))
    with office.open():
        borough.permit_study(office)
        for dataset, party in borough.EXTRACTS:
            borough.receive(office, people / f"{dataset}.csv", dataset, party)
    return office


def _recipient(home: Path, sender: Office, *, database_url: str = "") -> Office:
    """The recipient's gateway: it knows the council's descriptor and its program's key."""
    home.mkdir(mode=0o700)
    office = Office(home, policies=sender.policies)
    if database_url:
        office.settings["GATEWAY_DATABASE_URL"] = database_url
    office.must("init", "--name", "ons")
    with office.open():
        office.must("operators", "add", "ada", "--role", "administrator")
        office.must("inbox", "trust", borough.COUNCIL, str(sender.trust()), "--as", "ada")
        first = sender.home / "delivery-keys" / borough.RESEARCH
        office.must("clients", "key", "--to", str(first))
        (first.parent).chmod(0o700)
        shutil.copytree(first, first.with_name(borough.UNIT))
        words = [CLIENT, str(first / "client.jwk"), "--party", borough.COUNCIL]
        office.must("clients", "add", *words, "--role", "uploader", "--as", "ada")
    return office


__all__ = ["Pair", "copied", "free_port", "made"]
