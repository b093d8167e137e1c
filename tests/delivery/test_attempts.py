"""One try at a time: what it writes down, when it gives up, and who may begin again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters import deliveries, ledger_store
from gateway.adapters.backup import HELD
from gateway.adapters.deliveries import Delivery, DeliveryState
from gateway.adapters.jobs import JobKind, listed
from gateway.adapters.keyring import KeyRing, kept_open, open_ring
from gateway.adapters.settings import Settings
from gateway.model.keys import KeyKind
from gateway.wiring import delivering
from gateway.wiring.delivering import Wait
from tests.delivery import pair as pairs
from tests.delivery.pair import Pair
from tests.journeys import borough
from tests.journeys.office import Office
from tests.service import serving

PAST = dt.datetime(2020, 1, 1, tzinfo=dt.UTC).isoformat()


@pytest.fixture
def pair(waiting: Pair, tmp_path: Path) -> Pair:
    """Copies of two offices of which one waits for the other."""
    return pairs.copied(waiting, tmp_path / "pair")


@pytest.fixture
def council(pair: Pair) -> Office:
    pair.sender.settings["GATEWAY_DELIVERY_KEYS"] = str(pair.keys)
    return pair.sender


@pytest.fixture
def opened(council: Office) -> Iterator[tuple[Settings, KeyRing]]:
    settings = serving.settings_of(council)
    with kept_open(settings):
        ring = open_ring(settings)
        ring.unlock()
        yield settings, ring


def one(pair: Pair) -> Delivery:
    return next(each for each in pair.deliveries() if each.recipient == borough.RESEARCH)


def change(office: Office, package: str, **values: Any) -> None:
    with serving.database_of(office) as database, database.begin() as connection:
        deliveries.update(connection, package, **values)


def test_each_package_of_a_recorded_release_has_its_job(pair: Pair) -> None:
    with serving.database_of(pair.sender) as database, database.read() as connection:
        jobs = listed(connection, kind=JobKind.DELIVER)
    assert {each.subject for each in jobs} == {each.package for each in pair.deliveries()}


def test_a_try_that_reached_nobody_leaves_the_package_untouched(
    pair: Pair, opened: tuple[Settings, KeyRing]
) -> None:
    told = delivering.attempt(*opened, one(pair).package)
    assert isinstance(told, Wait)
    assert (told.code, one(pair).touched) == ("delivery/nobody-listens", False)
    first = told.not_before
    told = delivering.attempt(*opened, one(pair).package)
    assert isinstance(told, Wait)
    assert told.not_before > first
    assert one(pair).attempts == 2


def test_after_its_time_it_is_not_delivered_and_says_why_and_may_begin_again(
    pair: Pair, council: Office, opened: tuple[Settings, KeyRing]
) -> None:
    package = one(pair).package
    delivering.attempt(*opened, package)
    change(council, package, until=PAST)
    told = delivering.attempt(*opened, package)
    assert told == {
        "package": package,
        "release": one(pair).release,
        "state": "not-delivered",
        "code": "delivery/nobody-listens",
    }
    assert "package-not-delivered" in pair.events(council)
    assert council.run("deliveries", "retry", package, "--as", "rita").code == 3
    assert council.ask("deliveries", "retry", package, "--as", "rosa")["state"] == "waiting"
    asked = council.must("deliveries", "retry", package, "--as", "rosa").out
    assert "it is tried again now, by a worker" in asked
    assert "delivery/nobody-listens" not in asked
    with pair.receiving():
        again = council.ask("deliveries", "retry", package, "--here", "--as", "rosa")
    assert again["state"] == "dispatched"
    assert [each.package for each in pair.arrived()] == [package]


def test_an_objection_while_it_waits_withdraws_the_release_and_nothing_leaves(
    pair: Pair, council: Office, opened: tuple[Settings, KeyRing]
) -> None:
    words = ("object", "--purpose", borough.STUDY, "--agreement", borough.AGREEMENT)
    council.must(*words, given="forename: Zora\nsurname: Testerson\ndob: 1990-02-03\n")
    with pair.receiving():
        told = delivering.attempt(*opened, one(pair).package)
    assert isinstance(told, dict)
    assert told["code"] == "release/register-moved"
    assert pair.arrived() == []
    assert council.ask("releases", one(pair).release)["state"] == "withdrawn"
    assert {each.state for each in pair.deliveries()} == {DeliveryState.NOT_DELIVERED}


@pytest.mark.parametrize("begun", [False, True], ids=["withdrawn", "held"])
def test_after_one_that_was_stopped_on_its_way_the_next_releases_are_made(
    pair: Pair, council: Office, opened: tuple[Settings, KeyRing], begun: bool
) -> None:
    stopped = one(pair)
    if begun:
        change(
            council, stopped.package, state=DeliveryState.DISPATCHED, dispatched_at=PAST, touched=1
        )
    words = ("object", "--purpose", borough.STUDY, "--agreement", borough.AGREEMENT)
    council.must(*words, given="forename: Zora\nsurname: Testerson\ndob: 1990-02-03\n")
    other = next(each for each in pair.deliveries() if each.package != stopped.package)
    delivering.attempt(*opened, other.package)
    expected = "held" if begun else "withdrawn"
    assert council.ask("releases", stopped.release)["state"] == expected
    for _ in range(2):
        shared = council.run(
            "share", borough.STUDY, "--agreement", borough.AGREEMENT, "--as", "rosa"
        )
        assert shared.code == 0, shared.err
    kept = (council.data / "memories" / f"{stopped.release}.mem").exists()
    assert kept is begun


def test_a_restored_gateway_on_hold_sends_nothing(
    pair: Pair, council: Office, opened: tuple[Settings, KeyRing]
) -> None:
    (council.data / HELD).write_text("{}")
    with pair.receiving():
        told = delivering.attempt(*opened, one(pair).package)
        carry = ("deliveries", "carry", one(pair).package, "--to", str(council.home))
        assert council.run(*carry, "--as", "rosa").code == 5
    assert isinstance(told, Wait)
    assert told.code == "restore/not-reconciled"
    assert (pair.arrived(), one(pair).state) == ([], DeliveryState.WAITING)


def test_a_recipient_without_an_address_is_not_delivered_at_once(
    pair: Pair, council: Office, opened: tuple[Settings, KeyRing]
) -> None:
    change(council, one(pair).package, target="{}")
    told = delivering.attempt(*opened, one(pair).package)
    assert isinstance(told, dict)
    assert (told["state"], told["code"]) == ("not-delivered", "delivery/no-address")


def test_without_its_key_file_nothing_is_sent_and_the_reason_is_kept(
    pair: Pair, opened: tuple[Settings, KeyRing]
) -> None:
    (pair.keys / borough.RESEARCH / "client.key").unlink()
    with pair.receiving():
        told = delivering.attempt(*opened, one(pair).package)
    assert isinstance(told, Wait)
    assert (told.code, one(pair).touched) == ("keys/unreadable", False)


def test_a_recipient_that_does_not_know_our_key_gets_nothing(
    pair: Pair, opened: tuple[Settings, KeyRing]
) -> None:
    with pair.recipient.open():
        pair.recipient.must("clients", "revoke", pairs.CLIENT, "--as", "ada")
    with pair.receiving():
        told = delivering.attempt(*opened, one(pair).package)
    assert isinstance(told, Wait)
    assert told.code == "send/not-known"
    assert pair.arrived() == []


def test_a_receipt_that_no_descriptor_proves_is_not_believed(
    pair: Pair, council: Office, opened: tuple[Settings, KeyRing]
) -> None:
    package = one(pair).package
    stranger = council.home / "stranger.json"
    stranger.write_text(council.must("trust", "export").out.replace("office", "ons"))
    council.must("deliveries", "trust", borough.RESEARCH, str(stranger), "--as", "ada")
    with pair.receiving():
        delivering.attempt(*opened, package)
        found = pair.recipient.ask("inbox", "acknowledge", package)
        told = delivering.attempt(*opened, package)
    assert found["receipt"]
    assert isinstance(told, Wait)
    assert told.code.startswith("jws/")
    assert one(pair).state is DeliveryState.DISPATCHED
    assert "package-acknowledged" not in pair.events(council)


def test_while_the_clock_is_behind_nothing_is_brought_and_nothing_is_carried(
    pair: Pair, council: Office, opened: tuple[Settings, KeyRing]
) -> None:
    package, (_, ring) = one(pair).package, opened
    signer = ring.signer(KeyKind.LEDGER_SIGNING)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=2)
    with serving.database_of(council) as database, database.begin() as connection:
        ledger_store.checkpoint(connection, signer, later, origin=ring.sender)
    with pair.receiving():
        told = delivering.attempt(*opened, package)
    assert isinstance(told, Wait)
    assert told.code == "clock/behind"
    assert (one(pair).attempts, one(pair).touched) == (0, False)
    carrying = ("deliveries", "carry", package, "--to", str(council.home), "--as", "rosa")
    refused = council.run(*carrying)
    assert (refused.code, "clock/behind" in refused.err) == (7, True)
    council.must("ledger", "checkpoint", "--as", "ada")
    with pair.receiving():
        delivering.attempt(*opened, package)
    assert [each.package for each in pair.arrived()] == [package]
