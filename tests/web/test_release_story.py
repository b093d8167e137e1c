"""What a release's page is told from: rounded counts, a chart that adds up, tasks by state."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.deliveries import Delivery, DeliveryState
from gateway.adapters.duties import Duty
from gateway.adapters.release_store import PackageRecord, ReleaseRecord, ReleaseState
from gateway.model.words import Withheld
from gateway.web import words
from gateway.web.release_counts import bars, counts_of
from gateway.web.release_departures import departures, shown
from gateway.web.release_duties import Owing
from gateway.web.release_tasks import Told, tasks
from tests.policies.shelf import shipped

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
TODAY = NOW.date()
BUNDLE = shipped()
COUNTS = st.dictionaries(st.sampled_from(list(Withheld)), st.integers(0, 3000), max_size=8)


def _record(withheld: dict[Withheld, int], forwarded: int) -> dict[str, Any]:
    named = {why.value: count for why, count in withheld.items()}
    return {"received": forwarded + sum(named.values()), "forwarded": forwarded, "withheld": named}


@given(withheld=COUNTS, forwarded=st.integers(0, 3000))
def test_no_exact_count_shows_unless_the_reader_may_see_it(
    withheld: dict[Withheld, int], forwarded: int
) -> None:
    shown = counts_of(_record(withheld, forwarded), exact=False)
    assert shown is not None
    every = [shown.received, shown.forwarded, shown.objections, shown.small]
    every += [reason.count for reason in shown.withheld]
    assert all(count == "<10" or int(count) % 10 == 0 for count in every)


@given(withheld=COUNTS, forwarded=st.integers(1, 3000))
def test_the_exact_chart_adds_up_from_end_to_end(
    withheld: dict[Withheld, int], forwarded: int
) -> None:
    shown = counts_of(_record(withheld, forwarded), exact=True)
    assert shown is not None
    assert shown.received == forwarded + sum(int(each.count) for each in shown.withheld)
    whole, *parts = bars(shown)
    assert abs(parts[-1].start + parts[-1].length - whole.length) <= 2
    assert [bar.start for bar in parts] == sorted(bar.start for bar in parts)


def test_a_release_without_people_has_no_counts() -> None:
    assert counts_of({"refusal": []}, exact=True) is None


def _duty(**told: str) -> Duty:
    empty = dict.fromkeys(Duty.__dataclass_fields__, "")
    named = {"package": "rel-x.payload", "release": "rel-x", "recipient": "r"}
    return Duty(**(empty | named | {"destroy_by": "2027-03-31"} | told))


def _packages(*outputs: str) -> list[PackageRecord]:
    return [
        PackageRecord(
            id=f"rel-x.{output}",
            release="rel-x",
            output=output,
            recipient="r",
            rows=1,
            digest="",
            manifest={},
            place="",
            forwarded=NOW.isoformat(),
        )
        for output in outputs
    ]


def _delivery(package: PackageRecord, *, touched: bool) -> Delivery:
    empty: dict[str, Any] = dict.fromkeys(Delivery.__dataclass_fields__, "")
    left = DeliveryState.DISPATCHED if package.forwarded else DeliveryState.NOT_DELIVERED
    return Delivery(**(empty | {"package": package.id, "touched": touched, "state": left}))


def _told(
    state: ReleaseState,
    packages: Sequence[PackageRecord],
    *,
    record: Any = None,
    on: dt.date = TODAY,
    touched: bool = False,
    **owed: str,
) -> Told:
    release = ReleaseRecord(
        id="rel-x",
        state=state,
        purpose="p",
        agreement="a",
        policy_digest="0" * 64,
        officer="rosa",
        created=NOW,
        record=record or {},
    )
    owing = [_duty(forwarded=each.forwarded, **owed) for each in packages]
    sent = state in {ReleaseState.HELD, ReleaseState.WITHDRAWN, *ARRIVED}
    found = [_delivery(each, touched=touched) for each in packages] if sent else []
    return Told(
        release=release,
        counts=None,
        packages=packages,
        receipts={each.id: NOW for each in packages} if state in ARRIVED else {},
        gone=departures(packages, found),
        owing=Owing(owed=owing, on=on),
    )


def _statuses(
    state: ReleaseState,
    *,
    sent: bool = False,
    record: Any = None,
    on: dt.date = TODAY,
    **owed: str,
) -> list[str]:
    package = replace(_packages("payload")[0], forwarded=NOW.isoformat() if sent else "")
    there = [] if state in {ReleaseState.DECIDED, ReleaseState.REFUSED} else [package]
    return [task.status.text for task in tasks(_told(state, there, record=record, on=on, **owed))]


ARRIVED = {ReleaseState.ACKNOWLEDGED, ReleaseState.CLOSED}
DONE4 = ["Completed"] * 4


@pytest.mark.parametrize(
    ("state", "sent", "expected"),
    [
        ("recorded", False, [*DONE4, "Under way", "Not started yet", "Not started yet"]),
        ("forwarded", True, [*DONE4, "Completed", "Waiting", "Running"]),
        ("acknowledged", True, [*DONE4, "Completed", "Completed", "Running"]),
        ("closed", True, ["Completed"] * 7),
    ],
)
def test_the_tasks_follow_the_state(state: str, sent: bool, expected: list[str]) -> None:
    assert _statuses(ReleaseState(state), sent=sent) == expected


def test_a_refused_release_stops_where_it_was_refused_and_goes_no_further() -> None:
    risky = {"refusal": [["disclosure/group-too-small", "Too small."]]}
    told = _statuses(ReleaseState.REFUSED, record=risky)
    assert told[:4] == ["Completed", "Completed", "Stopped here", "Completed"]
    assert set(told[4:]) == {"Will not happen"}
    unlawful = {"refusal": [["sharing/not-approved", "Not approved."]]}
    told = _statuses(ReleaseState.REFUSED, record=unlawful)
    assert told == [*["Completed"] * 3, "Stopped here", *["Will not happen"] * 3]


def test_a_release_held_for_a_person_is_one_whose_agreement_was_approved() -> None:
    told = _statuses(ReleaseState.HELD, record={"alarms": ["rows"]})
    assert told[:4] == ["Completed", "Completed", "Held here", "Completed"]


@pytest.mark.parametrize(("state", "stop"), [("held", "Held here"), ("withdrawn", "Stopped here")])
def test_of_a_release_that_stopped_on_its_way_the_part_that_left_goes_on(
    state: str, stop: str
) -> None:
    left, stays = _packages("payload", "linkage")
    told = _told(ReleaseState(state), [left, replace(stays, forwarded="")])
    assert [task.status.text for task in tasks(told)] == [*DONE4, stop, "Waiting", "Running"]
    hints = [task.hint for task in tasks(told)[4:]]
    assert hints[:2] == ["1 of 2 packages, 1 not delivered", "0 of 1 receipt from the recipients"]
    meaning = shown(told.release.state, told.gone, BUNDLE).meaning
    assert meaning.startswith("1 of 2 packages left, for r. Its receipt and duties still run.")


def test_a_try_without_an_end_is_said_and_not_called_nothing() -> None:
    (begun,) = _packages("payload")
    told = _told(ReleaseState.HELD, [replace(begun, forwarded="")], touched=True)
    meaning = shown(told.release.state, told.gone, BUNDLE).meaning
    assert meaning.startswith("1 of 1 package, for r, may have left")
    assert [task.status.text for task in tasks(told)][4:6] == ["Held here", "Waiting"]


@pytest.mark.parametrize("state", ["refused", "held", "withdrawn"])
def test_nothing_left_is_said_where_nothing_left(state: str) -> None:
    told = _told(
        ReleaseState(state), [replace(each, forwarded="") for each in _packages("payload")]
    )
    assert "Nothing left" in shown(told.release.state, told.gone, BUNDLE).meaning
    assert {task.status.text for task in tasks(told)[4:]} == {"Will not happen"}


def test_every_state_of_a_release_has_seven_tasks() -> None:
    assert {len(_statuses(state)) for state in ReleaseState} == {7}


@pytest.mark.parametrize(
    ("on", "owed", "expected"),
    [
        (dt.date(2027, 3, 1), {}, "Due soon"),
        (dt.date(2027, 4, 1), {}, "Overdue"),
        (dt.date(2027, 4, 1), {"certified": "x", "unreadable_after": "2027-05-01"}, "Certified"),
        (dt.date(2027, 6, 1), {"certified": "x", "unreadable_after": "2027-05-01"}, "Certified"),
    ],
)
def test_the_duties_follow_their_day_and_their_certificate(
    on: dt.date, owed: dict[str, str], expected: str
) -> None:
    assert _statuses(ReleaseState.ACKNOWLEDGED, sent=True, on=on, **owed)[-1] == expected


def test_an_id_breaks_after_its_dots_and_hyphens_and_a_long_part_where_it_must() -> None:
    told = str(words.breakable("rel-a2.candidates"))
    parts = [f'<span class="app-nowrap">{part}</span>' for part in ("rel-", "a2.", "candidates")]
    assert told == "<wbr>".join(parts)
    assert words.breakable("x" * 40) == "x" * 40
    assert "<b>" not in words.breakable("rel-<b>.x")


def test_a_rounded_count_has_its_thousands_apart() -> None:
    assert [words.number(each) for each in (1000, "1000", "<10", "90")] == [
        *("1,000", "1,000", "<10", "90")
    ]
    counts = counts_of({"received": 1204, "forwarded": 1204}, exact=False)
    told = replace(_told(ReleaseState.RECORDED, _packages("payload")), counts=counts)
    assert tasks(told)[0].hint == "1,200 people in the group"
