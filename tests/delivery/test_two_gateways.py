"""Two real gateways: one pushes, the other verifies, acknowledges and opens."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import signal

import pytest

from gateway.adapters.deliveries import DeliveryState
from gateway.adapters.inbox import InboxState
from gateway.adapters.release_store import PACKAGES
from tests.delivery.pair import Pair, free_port
from tests.delivery.wire import wired
from tests.journeys import borough
from tests.service import serving
from tests.service.serving import Service, session, until


def arrive(pair: Pair) -> None:
    """Wait until each package has its receipt."""
    until(pair.everything_arrived, bool)


def each_package_arrived_once(pair: Pair) -> None:
    sent = {each.package for each in pair.deliveries()}
    assert {each.state for each in pair.deliveries()} == {DeliveryState.ACKNOWLEDGED}
    assert sorted(each.package for each in pair.arrived()) == sorted(sent)
    ours, theirs = pair.events(pair.sender), pair.events(pair.recipient)
    for event in ("package-forwarded", "package-acknowledged"):
        assert ours.count(event) == len(sent)
    assert theirs.count("package-arrived") == len(sent)
    files = [path.stem for path in (pair.recipient.data / "inbox").rglob("*.gwp")]
    assert sorted(files) == sorted(sent)
    assert not list((pair.recipient.data / "inbox").glob("incoming-*"))
    for office in (pair.sender, pair.recipient):
        assert office.ask("ledger", "verify")["ok"]


def test_packages_are_pushed_verified_acknowledged_and_opened(pair: Pair) -> None:
    with pair.receiving(), pair.sending():
        release = pair.share()
        arrive(pair)
    each_package_arrived_once(pair)
    assert pair.sender.ask("releases", release)["state"] == "acknowledged"
    assert not list((pair.sender.data / "outgoing").iterdir())
    (research,) = [e for e in pair.deliveries() if e.recipient == borough.RESEARCH]
    key = pair.sender.home / borough.RESEARCH / "recipient.key"
    to = pair.recipient.home / "study"
    words = ("inbox", "open", research.package, "--key", str(key), "--to", str(to))
    assert pair.recipient.ask(*words)["rows"] > 0
    assert (to / "manifest.json").exists()
    assert pair.recipient.run(*words).code == 6
    assert InboxState.OPENED in {each.state for each in pair.arrived()}


def test_a_recipient_out_of_reach_gets_its_packages_once_it_is_back(pair: Pair) -> None:
    with pair.sending():
        release = pair.share()
        tried = until(pair.deliveries, lambda found: all(each.attempts for each in found))
        assert {each.state for each in tried} == {DeliveryState.WAITING}
        codes = until(pair.deliveries, lambda found: all(each.last_code for each in found))
        assert {each.last_code for each in codes} == {"delivery/nobody-listens"}
        assert not any(each.touched for each in codes)
        assert pair.sender.ask("releases", release)["state"] == "recorded"
        with pair.receiving():
            for each in codes:
                pair.sender.must("deliveries", "retry", each.package, "--as", "rosa")
            arrive(pair)
    each_package_arrived_once(pair)


@pytest.mark.parametrize("who", ["sender", "recipient"])
def test_whoever_is_killed_before_the_answer_is_heard_it_arrives_once(pair: Pair, who: str) -> None:
    behind, running = free_port(), dict[str, Service]()

    def kill() -> None:
        for process in session(running[who].process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    with contextlib.ExitStack() as stack:
        running["recipient"] = stack.enter_context(pair.receiving(port=behind))
        with wired(pair.port, to=behind, cut=kill) as wire:
            running["sender"] = stack.enter_context(pair.sending())
            pair.share()
            until(lambda: wire.cuts, bool)
            until(pair.arrived, bool)
            assert not pair.everything_arrived()
            assert any(each.touched for each in pair.deliveries())
    with pair.receiving(), pair.sending():
        for each in pair.deliveries():  # one that has arrived meanwhile refuses
            pair.sender.run("deliveries", "retry", each.package, "--as", "rosa")
        arrive(pair)
    each_package_arrived_once(pair)


def certified_by_its_analyst(pair: Pair) -> None:
    """Each package destroyed at the recipient's and certified, by one command each."""
    for each in pair.arrived():
        words = ("inbox", "certify", each.package, "--as")
        assert pair.recipient.run(*words, "ada").code == 3, "an administrator is no analyst"
        pair.recipient.must(*words, "ana")
        again = pair.recipient.ask(*words, "ana")
        assert again == pair.recipient.ask(*words, "ana")
        key = str(pair.sender.home / borough.RESEARCH / "recipient.key")
        opening = ("inbox", "open", each.package, "--key", key, "--to", str(pair.sender.home / "x"))
        assert "inbox/destroyed" in pair.recipient.run(*opening).err


def test_a_release_is_closed_when_each_recipient_has_certified_and_our_map_has_ended(
    pair: Pair,
) -> None:
    with pair.recipient.open():
        pair.recipient.must("operators", "add", "ana", "--role", "analyst", "--as", "ada")
    with pair.receiving(), pair.sending():
        release = pair.share()
        arrive(pair)
        duties = pair.sender.ask("duties", "list")["duties"]
        assert {each["state"] for each in duties} == {"running"}
        certified_by_its_analyst(pair)
        assert not list((pair.recipient.data / "inbox").rglob("*.gwp"))
        pair.sender.settings["GATEWAY_DELIVERY_KEYS"] = str(pair.keys)
        assert pair.sender.ask("duties", "ask") == {
            "came": len(duties),
            "closed": 0,
            "open": 0,
            "overdue": 0,
            "unanswered": {},
        }
        told = pair.sender.ask("releases", release)
        assert told["state"] == "acknowledged", "our own link map is still there"
        assert {each["duty"] for each in told["packages"]} == {"done"}
        long_ago = (dt.datetime.now(dt.UTC) - dt.timedelta(days=31)).isoformat()
        with serving.database_of(pair.sender) as database, database.begin() as connection:
            connection.execute(PACKAGES.update().values(forwarded=long_ago))
        assert pair.sender.ask("duties", "ask")["closed"] == 1
    assert pair.sender.ask("releases", release)["state"] == "closed"
    ours = pair.events(pair.sender)
    assert ours.count("recipient-destroyed") == len(duties)
    assert ours.index("link-map-destroyed") < ours.index("release-closed")
    assert pair.events(pair.recipient).count("package-destroyed") == len(duties)
    pair.sender.must("ledger", "checkpoint", "--as", "ada")
    proved = pair.sender.ask("prove", release)
    assert {e["outcome"] for e in proved["verdicts"] if e["promise"] == "destroyed"} == {"kept"}
    for office in (pair.sender, pair.recipient):
        assert office.ask("ledger", "verify")["ok"]
