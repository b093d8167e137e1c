"""When people are reminded of a review or of an agreement's end: each step once.

Three months before, one month, one week, on the day; and for a review that nobody made,
when sharing stops because of it. Whoever looks late is told the step that is due now,
never the ones that were passed.

Source: docs/reference/policy.md, "Life of a version"; WEISF review practice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from gateway.policy.agreements import Agreement
from gateway.policy.checks_force import GRACE_MONTHS
from gateway.policy.matter import months_after

# A step that is longer past than this is no news.
NEWS = dt.timedelta(days=14)


class Step(StrEnum):
    """How near the day is."""

    THREE_MONTHS = "three-months"
    ONE_MONTH = "one-month"
    ONE_WEEK = "one-week"
    DAY = "day"
    STOPPED = "stopped"


class Day(StrEnum):
    """Which day it is."""

    REVIEW = "review"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """One step of one day of one agreement."""

    agreement: str
    day: Day
    on: dt.date
    step: Step


def reminders(agreement: Agreement, on: dt.date) -> Iterator[Reminder]:
    """What is due today of an agreement's review and of its end: at most one step of each."""
    for day, date in ((Day.REVIEW, agreement.review), (Day.END, agreement.ends)):
        step = step_of(day, date, on)
        if step is not None:
            yield Reminder(agreement=agreement.id, day=day, on=date, step=step)


def step_of(day: Day, date: dt.date, on: dt.date) -> Step | None:
    """The newest step that has been reached, or none while there is none or no news."""
    begun = [(since, step) for since, step in _steps(day, date) if since <= on]
    if not begun:
        return None
    since, step = begun[-1]
    old = step in (Step.DAY, Step.STOPPED) and on - since > NEWS
    return None if old else step


def _steps(day: Day, date: dt.date) -> Iterator[tuple[dt.date, Step]]:
    yield months_after(date, -3), Step.THREE_MONTHS
    yield months_after(date, -1), Step.ONE_MONTH
    yield _days_after(date, -7), Step.ONE_WEEK
    if day is Day.END:
        # The last day still counts; the day after it, nothing leaves.
        yield _days_after(date, 1), Step.DAY
        return
    yield date, Step.DAY
    yield _days_after(months_after(date, GRACE_MONTHS), 1), Step.STOPPED


def _days_after(date: dt.date, days: int) -> dt.date:
    try:
        return date + dt.timedelta(days=days)
    except OverflowError:
        return dt.date.max if days > 0 else dt.date.min
