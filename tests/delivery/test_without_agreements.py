"""A recipient's gateway that shares nothing itself: no document names its senders."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from gateway.adapters.deliveries import DeliveryState
from tests.delivery.pair import CLIENT, Pair
from tests.journeys import borough
from tests.journeys.office import Office
from tests.service.serving import until


@pytest.fixture
def bare(pair: Pair, tmp_path: Path) -> Office:
    """A gateway without any governed document, founded and left alone since."""
    home, policies = tmp_path / "bare", tmp_path / "no-policies"
    home.mkdir(mode=0o700)
    policies.mkdir()
    office = Office(home, policies=policies)
    assert office.ask("init", "--name", "bare")["documents"] == 0
    with office.open():
        office.must("operators", "add", "ada", "--role", "administrator")
    return office


def test_a_sender_is_made_known_by_its_descriptor_and_its_packages_come(
    pair: Pair, bare: Office
) -> None:
    jwk = str(pair.keys / borough.RESEARCH / "client.jwk")
    adding = ("clients", "add", CLIENT, jwk, "--party", borough.COUNCIL, "--role", "uploader")
    with bare.open():
        early = bare.run(*adding, "--as", "ada")
        assert (early.code, "accounts/unknown-party" in early.err) == (2, True)
        assert "gateway inbox trust" in early.err
        bare.must("inbox", "trust", borough.COUNCIL, str(pair.sender.trust()), "--as", "ada")
        bare.must(*adding, "--as", "ada")
        trust = bare.home / "trust.json"
        trust.write_text(bare.must("trust", "export").out)
    with pair.sender.open():
        for name in (borough.UNIT, borough.RESEARCH):
            pair.sender.must("deliveries", "trust", name, str(trust), "--as", "ada")
    there = Pair(pair.sender, bare, pair.port)
    with there.receiving(), there.sending():
        there.share()
        until(there.everything_arrived, bool)
    assert {each.state for each in there.deliveries()} == {DeliveryState.ACKNOWLEDGED}
    assert {each.party for each in there.arrived()} == {borough.COUNCIL}
    _is_believed_no_more(there)


def _is_believed_no_more(there: Pair) -> None:
    """Trust is taken back in one word, and who gave and took it stands in the ledger."""
    arrived = there.arrived()[0]
    key = there.recipient.home / "none.key"
    key.write_text("")
    opening = ("inbox", "open", arrived.package, "--key", str(key), "--to", str(key.parent / "x"))
    with there.recipient.open():
        told = there.recipient.must("inbox", "distrust", borough.COUNCIL, "--as", "ada", "--json")
        assert json.loads(told.out)["senders"] == [arrived.sender]
        again = there.recipient.run("inbox", "distrust", borough.COUNCIL, "--as", "ada")
        assert (again.code, "descriptors/unknown" in again.err) == (2, True)
        opened = there.recipient.run(*opening)
        assert (opened.code, "inbox/not-believed" in opened.err) == (3, True), opened.err
        there.recipient.must("inbox", "acknowledge", arrived.package)
    assert there.events(there.recipient).count("gateway-trusted") == 1
    assert there.events(there.recipient).count("gateway-distrusted") == 1
    with there.sender.open():
        there.sender.must("deliveries", "distrust", borough.RESEARCH, "--as", "ada")
    events = there.events(there.sender)
    assert "gateway-distrusted" in events
    assert {"recipient-key-added", "recipient-key-confirmed"} <= set(events)


def test_who_may_bring_packages_may_not_sign_people_in_or_send_files(
    pair: Pair, bare: Office, tmp_path: Path
) -> None:
    """A descriptor makes a machine's party known, and nothing more of it."""
    with bare.open():
        bare.must("inbox", "trust", borough.COUNCIL, str(pair.sender.trust()), "--as", "ada")
        person = ("accounts", "add", "pat", "--party", borough.COUNCIL, "--role", "uploader")
        refused = bare.run(*person, "--as", "ada")
        assert "accounts/unknown-party" in refused.err
        jwk = str(pair.keys / borough.RESEARCH / "client.jwk")
        bare.must("clients", "add", CLIENT, jwk, *person[3:], "--as", "ada")
    shutil.copytree(pair.keys / borough.RESEARCH, tmp_path / "keys")
    file = tmp_path / "schools.csv"
    file.write_text("upn\n")
    there = Pair(pair.sender, bare, pair.port)
    with there.receiving():
        sent = bare.run(
            *("send", str(file), "--dataset", "school_census", "--client", CLIENT),
            *("--to", there.address, "--key", str(tmp_path / "keys" / "client.key"), "--json"),
            *("--patience", "0"),
        )
    assert sent.code != 0
    assert json.loads(sent.out)["error"]["code"] == "intake/not-a-sender"
