"""The doctor sees what is missing or changed beside the database, and says how to mend it."""

from __future__ import annotations

import contextlib
import dataclasses
import http.server
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters import examinations, examinations_held, policy_reading
from gateway.adapters.examination import Health
from tests.delivery import pair as pairs
from tests.delivery.pair import Pair
from tests.journeys.office import Office
from tests.web.office import settings_of

HELD = (
    examinations_held.passphrase,
    examinations_held.extracts,
    examinations_held.packages_waiting,
    examinations_held.delivery_keys,
    examinations_held.address,
)


@pytest.fixture
def council(waiting: Pair, tmp_path: Path) -> Office:
    """An office with stored extracts and a package that waits for its recipient."""
    pair = pairs.copied(waiting, tmp_path / "pair")
    pair.sender.settings["GATEWAY_DELIVERY_KEYS"] = str(pair.keys)
    return pair.sender


def examined(office: Office, **settings: str) -> dict[str, tuple[Health, str, str]]:
    """The worst that is found of each subject."""
    from datetime import UTC, datetime

    environ = {"GATEWAY_PUBLIC_URL": "http://127.0.0.1:8440", **office.settings, **settings}
    found = examinations.examine(settings_of(office, **environ), at=datetime.now(UTC), only=HELD)
    worst: dict[str, tuple[Health, str, str]] = {}
    for each in found:
        if each.subject not in worst or each.health is not Health.WELL:
            worst[each.subject] = (each.health, each.sentence, each.remedy)
    return worst


def test_what_is_whole_is_well(council: Office) -> None:
    found = examined(council)
    for name in ("passphrase", "extracts", "packages", "address"):
        assert found[name][0] is Health.WELL, name
    assert "the newest 2 were read" in found["extracts"][1]
    assert "2 packages wait to leave" in found["packages"][1]


def test_every_one_of_them_is_asked_by_the_command() -> None:
    assert set(HELD) <= set(examinations.EVERY)
    assert not set(HELD) & set(examinations.READINESS)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("gone", "keys/unreadable"),
        ("open", "keys/unsafe-mode"),
        ("wrong", "keys/wrong-passphrase"),
        ("empty", "keys/empty-passphrase"),
    ],
)
def test_a_passphrase_that_opens_nothing_is_ill(council: Office, fault: str, code: str) -> None:
    file = council.home / "passphrase"
    if fault in ("gone", "wrong", "empty"):
        file.unlink()
    if fault == "open":
        file.chmod(0o644)
    elif fault != "gone":
        file.write_text("another passphrase of good length\n" if fault == "wrong" else "")
        file.chmod(0o400)
    done = council.run("doctor", "--json")
    (found,) = [e for e in done.document["found"] if e["subject"] == "passphrase"]
    assert (done.code, found["health"]) == (7, "ill")
    assert code in found["sentence"]
    assert found["remedy"]
    assert "another passphrase" not in done.out


NAMED = r"\S+ \(\w+ of [a-z-]+\)"  # an extract's id, dataset and party


def sealed(office: Office) -> list[Path]:
    return sorted((office.data / "extracts").glob("*.age"))


def test_a_stored_extract_that_is_gone_or_changed_is_ill(council: Office) -> None:
    first, second = sealed(council)
    with open(first, "ab") as file:
        file.write(b"x")
    health, sentence, remedy = examined(council)["extracts"]
    assert health is Health.ILL
    assert re.fullmatch(rf"1 stored extract is not as recorded: {NAMED}\.", sentence)
    assert first.stem in sentence
    assert "backup" in remedy
    first.unlink()
    second.unlink()
    health, sentence, _ = examined(council)["extracts"]
    assert health is Health.ILL
    assert re.fullmatch(rf"2 stored extracts are gone: {NAMED}, {NAMED}\.", sentence)


def test_at_most_some_extracts_are_named(council: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examinations_held, "MOST_NAMED", 1)
    for path in sealed(council):
        path.unlink()
    assert examined(council)["extracts"][1].endswith(") and 1 more.")


def test_only_the_newest_extracts_are_read(
    council: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examinations_held, "NEWEST_READ", 1)
    assert "2 are there; the newest 1 was read" in examined(council)["extracts"][1]
    monkeypatch.setattr(examinations_held, "SECONDS_READING", -1.0)
    assert "the newest 0 were read" in examined(council)["extracts"][1]


def test_a_package_that_waits_and_is_gone_is_ill(council: Office) -> None:
    for path in (council.data / "outgoing").glob("*.gwp"):
        path.unlink()
    health, sentence, remedy = examined(council)["packages"]
    assert (health, sentence) == (Health.ILL, "2 packages that wait to leave are gone.")
    assert "outgoing/" in remedy


def test_keys_for_deliveries_that_are_missing_are_told(council: Office) -> None:
    away = examined(council, GATEWAY_DELIVERY_KEYS=str(council.home / "nowhere"))
    assert away["delivery keys"][0] is Health.ILL
    unset = examined(council, GATEWAY_DELIVERY_KEYS="")
    assert unset["delivery keys"][0] is Health.LOOK
    empty = council.home / "empty"
    empty.mkdir()
    without = examined(council, GATEWAY_DELIVERY_KEYS=str(empty))
    assert without["delivery keys"][0] is Health.LOOK
    assert "client.key" in without["delivery keys"][2]


def test_no_key_is_wanted_for_a_recipient_that_no_agreement_names(
    council: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    unset = examined(council, GATEWAY_DELIVERY_KEYS="")
    inputs = policy_reading.decision_inputs

    def without(connection: Any) -> Any:
        found = inputs(connection)
        bundle = dataclasses.replace(found.bundle, agreements={})
        return dataclasses.replace(found, bundle=bundle)

    monkeypatch.setattr(policy_reading, "decision_inputs", without)
    assert unset["delivery keys"][0] is Health.LOOK
    assert examined(council, GATEWAY_DELIVERY_KEYS="")["delivery keys"][0] is Health.WELL


def test_a_public_address_in_the_clear_is_ill(council: Office) -> None:
    health, _, remedy = examined(council, GATEWAY_PUBLIC_URL="http://data.example.gov.uk")[
        "address"
    ]
    assert health is Health.ILL
    assert "https" in remedy


class Alive(http.server.BaseHTTPRequestHandler):
    """Answers `/healthz` in plain HTTP."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def plain() -> Iterator[int]:
    with http.server.HTTPServer(("127.0.0.1", 0), Alive) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@contextlib.contextmanager
def no_http() -> Iterator[int]:
    """A listener that ends what is no handshake, as TLS does."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def close() -> None:
            with contextlib.suppress(OSError):
                caller, _ = server.accept()
                caller.recv(100)
                caller.sendall(b"\x15\x03\x01\x00\x02\x02\x16")
                caller.close()

        threading.Thread(target=close, daemon=True).start()
        yield server.getsockname()[1]


def test_a_proxy_that_is_not_counted_is_worth_a_look(council: Office) -> None:
    public = {"GATEWAY_PUBLIC_URL": "https://data.example.gov.uk"}
    with plain() as port:
        health, sentence, remedy = examined(council, **public, GATEWAY_PORT=str(port))["address"]
        assert health is Health.LOOK
        assert "GATEWAY_PROXIES" in sentence
        assert "--certfile" in remedy
        counted = examined(council, **public, GATEWAY_PORT=str(port), GATEWAY_PROXIES="1")
        assert counted["address"][0] is Health.WELL
    with no_http() as port:
        own = examined(council, **public, GATEWAY_PORT=str(port))
        assert own["address"][0] is Health.WELL
    stopped = examined(council, **public, GATEWAY_PORT=str(port))
    assert stopped["address"][0] is Health.LOOK
