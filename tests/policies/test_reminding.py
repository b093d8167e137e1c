"""People are reminded of a review and of an end: each step once, the newest only."""

from __future__ import annotations

import datetime as dt
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy import parse
from gateway.policy.reminding import Day, Reminder, Step, reminders, step_of
from tests.policies.shelf import documents

OF_A_REVIEW = [Step.THREE_MONTHS, Step.ONE_MONTH, Step.ONE_WEEK, Step.DAY, Step.STOPPED]
DAYS = st.dates(dt.date(2020, 1, 1), dt.date(2040, 1, 1))


def of(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("day", "on", "step"),
    [
        ("review", "2027-03-14", None),
        ("review", "2027-03-15", "three-months"),
        ("review", "2027-05-14", "three-months"),
        ("review", "2027-05-15", "one-month"),
        ("review", "2027-06-07", "one-month"),
        ("review", "2027-06-08", "one-week"),
        ("review", "2027-06-14", "one-week"),
        ("review", "2027-06-15", "day"),
        ("review", "2027-06-29", "day"),
        ("review", "2027-06-30", None),
        ("review", "2027-09-15", None),
        ("review", "2027-09-16", "stopped"),
        ("review", "2027-09-30", "stopped"),
        ("review", "2027-10-01", None),
        ("end", "2027-03-14", None),
        ("end", "2027-03-15", "three-months"),
        ("end", "2027-05-15", "one-month"),
        ("end", "2027-06-08", "one-week"),
        ("end", "2027-06-15", "one-week"),
        ("end", "2027-06-16", "day"),
        ("end", "2027-06-30", "day"),
        ("end", "2027-07-01", None),
        ("end", "2027-09-16", None),
    ],
)
def test_each_step_begins_and_ends_on_its_day(day: str, on: str, step: str | None) -> None:
    found = step_of(Day(day), of("2027-06-15"), of(on))
    assert (found.value if found else None) == step


@given(st.sampled_from(Day), DAYS)
def test_whoever_looks_every_day_is_told_each_step_once_and_in_order(
    day: Day, date: dt.date
) -> None:
    looked = [step_of(day, date, date + dt.timedelta(days=n)) for n in range(-200, 200)]
    told = [step for step, _ in groupby(looked) if step is not None]
    assert told == (OF_A_REVIEW if day is Day.REVIEW else OF_A_REVIEW[:-1])


@given(st.sampled_from(Day), DAYS, st.integers(-200, 200))
def test_nobody_is_told_of_a_day_before_it_is_that_near(
    day: Day, date: dt.date, distance: int
) -> None:
    step = step_of(day, date, date - dt.timedelta(days=distance))
    nearest = {Step.THREE_MONTHS: 92, Step.ONE_MONTH: 31, Step.ONE_WEEK: 7, Step.DAY: 0}
    if step is not None:
        assert distance <= nearest.get(step, -89)


@pytest.mark.parametrize(
    ("day", "date", "step"),
    [
        (Day.REVIEW, dt.date.max, Step.STOPPED),
        (Day.REVIEW, dt.date.min, Step.DAY),
        (Day.END, dt.date.max, Step.DAY),
        (Day.END, dt.date.min, Step.ONE_WEEK),
    ],
)
def test_a_day_at_the_edge_of_the_calendar_is_no_fault(day: Day, date: dt.date, step: Step) -> None:
    assert step_of(day, date, of("2027-06-15")) is None
    assert step_of(day, date, date) is step


def test_both_days_of_an_agreement_are_told_beside_one_another() -> None:
    (agreement,) = parse(documents()).agreements.values()
    week = dt.timedelta(days=7)
    told = list(reminders(agreement, agreement.review - week))
    assert told[0] == Reminder(
        agreement=agreement.id, day=Day.REVIEW, on=agreement.review, step=Step.ONE_WEEK
    )
    (end,) = (each for each in reminders(agreement, agreement.ends) if each.day is Day.END)
    assert end == Reminder(
        agreement=agreement.id, day=Day.END, on=agreement.ends, step=Step.ONE_WEEK
    )
    early = min(agreement.review, agreement.ends) - dt.timedelta(days=100)
    assert list(reminders(agreement, early)) == []
