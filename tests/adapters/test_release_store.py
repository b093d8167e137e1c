"""Releases and packages on both databases: the table of steps, and what is read back."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from gateway.adapters import release_list
from gateway.adapters import release_store as store
from gateway.adapters.database import Database
from gateway.adapters.release_store import STEPS, PackageRecord, ReleaseRecord, ReleaseState
from gateway.errors import IntegrityError, UsageError

AT = dt.datetime(2026, 5, 4, 12, 0, tzinfo=dt.UTC)


def release(name: str, **other: Any) -> ReleaseRecord:
    told: dict[str, Any] = {"id": name, "state": ReleaseState.DECIDED, "purpose": "study"}
    told |= {"agreement": "trafford", "policy_digest": "0" * 64, "officer": "rosa", "created": AT}
    return ReleaseRecord(**(told | other))


def package(name: str, output: str) -> PackageRecord:
    return PackageRecord(
        id=name,
        release="rel-a",
        output=output,
        recipient="ons-research",
        rows=3,
        digest="0" * 64,
        manifest={"core": {"columns": ["a", "ä"]}},
        place="",
    )


def test_the_newest_release_comes_first_and_keeps_its_record(database: Database) -> None:
    with database.begin() as connection:
        for name in ("rel-a", "rel-b"):
            store.open_release(connection, release(name, record={"received": 7}))
    with database.read() as connection:
        assert [each.id for each in store.releases(connection)] == ["rel-b", "rel-a"]
        assert release_list.one(connection, "rel-a") == release("rel-a", record={"received": 7})
        assert [r.id for r in release_list.listed(connection, limit=1, offset=1)] == ["rel-a"]
        with pytest.raises(UsageError, match="release/unknown"):
            release_list.one(connection, "rel-none")


def test_packages_come_in_the_order_of_their_outputs_with_what_they_were_given(
    database: Database,
) -> None:
    first, second = package("rel-a.x", "linkage"), package("rel-a.y", "payload")
    with database.begin() as connection:
        store.open_release(connection, release("rel-a"))
        for each in (second, first):
            store.add_package(connection, each)
        store.mark_forwarded(connection, second.id, AT)
    with database.read() as connection:
        found = store.packages_of(connection, "rel-a")
    assert found[0] == first
    assert (found[1].id, found[1].forwarded) == (second.id, AT.isoformat())


def test_every_step_is_taken_that_the_table_knows_and_no_other(database: Database) -> None:
    with database.begin() as connection:
        store.open_release(connection, release("rel-a"))
        for before in ReleaseState:
            for after in ReleaseState:
                connection.execute(store.RELEASES.update().values(state=before))
                if after in STEPS[before]:
                    store.step(connection, "rel-a", after, record={"from": before})
                    assert store.release_state(connection, "rel-a") is after
                    continue
                with pytest.raises(IntegrityError, match="release/wrong-step"):
                    store.step(connection, "rel-a", after)


def test_only_a_release_that_was_received_is_closed_and_then_it_is_the_end(
    database: Database,
) -> None:
    assert STEPS[ReleaseState.CLOSED] == frozenset()
    assert {before for before in STEPS if ReleaseState.CLOSED in STEPS[before]} == {
        ReleaseState.ACKNOWLEDGED
    }
    with database.read() as connection, pytest.raises(UsageError, match="release/unknown"):
        store.release_state(connection, "rel-none")
