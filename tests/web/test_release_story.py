"""What a release's page is told from: rounded counts, a chart that adds up, tasks by state."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.duties import Duty
from gateway.adapters.release_store import PackageRecord, ReleaseRecord, ReleaseState
from gateway.model.words import Withheld
from gateway.web.release_counts import bars, counts_of
from gateway.web.release_duties import Owing
from gateway.web.release_tasks import Told, tasks

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
TODAY = NOW.date()
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


def _statuses(
    state: ReleaseState,
    *,
    sent: bool = False,
    record: Any = None,
    on: dt.date = TODAY,
    **owed: str,
) -> list[str]:
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
    package = PackageRecord(
        id="rel-x.payload",
        release="rel-x",
        output="payload",
        recipient="r",
        rows=1,
        digest="",
        manifest={},
        place="",
        forwarded=NOW.isoformat() if sent else "",
    )
    there = [] if state in {ReleaseState.DECIDED, ReleaseState.REFUSED} else [package]
    told = Told(
        release=release,
        counts=None,
        packages=there,
        receipts={"rel-x.payload": NOW} if state in ARRIVED else {},
        owing=Owing(owed=[_duty(forwarded=package.forwarded, **owed)] if there else [], on=on),
    )
    return [task.status.text for task in tasks(told)]


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
