"""What the review says of an agreement's own days: its first, its last and that of its review.

Source: docs/reference/policy.md, "Life of a version"; ICO data sharing code.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from gateway.policy.agreements import Agreement
from gateway.policy.checks_force import GRACE_MONTHS
from gateway.policy.days import told_day
from gateway.policy.matter import months_after
from gateway.policy.remarks import Remark, Weight

MONTHS_AHEAD = 3


def dates(found: Agreement, on: dt.date) -> Iterator[Remark]:
    """Remarks on days that contradict each other, and on those that are near or past."""
    yield from _contradictory(found)
    yield from _review(found, on)
    if on < found.starts:
        yield _not_begun(found)


def _not_begun(found: Agreement) -> Remark:
    return _remark(
        found,
        Weight.ADVICE,
        "lint/not-begun",
        f"It begins on {told_day(found.starts)}: what is said here is said of that day.",
        "Nothing is shared under it before.",
    )


def _contradictory(found: Agreement) -> Iterator[Remark]:
    if found.ends < found.starts:
        yield _remark(
            found,
            Weight.PROBLEM,
            "lint/ends-before-starts",
            f"It ends on {told_day(found.ends)}, before it starts on "
            f"{told_day(found.starts)}: there is no day on which anything may be shared.",
            "Correct `starts` or `ends`.",
        )
    if found.review > found.ends:
        yield _remark(
            found,
            Weight.WARNING,
            "lint/review-after-end",
            f"The review is due on {told_day(found.review)}, after it ends on "
            f"{told_day(found.ends)}: nobody looks at it while it holds.",
            "Set `review` on a day between `starts` and `ends`.",
        )


def _review(found: Agreement, on: dt.date) -> Iterator[Remark]:
    if on <= found.review <= months_after(on, MONTHS_AHEAD):
        yield _remark(
            found,
            Weight.ADVICE,
            "lint/review-soon",
            f"The review is due on {told_day(found.review)}.",
            "Begin it now: three months after that day nothing is shared.",
        )
    last = months_after(found.review, GRACE_MONTHS)
    if found.review < on <= last:
        yield _remark(
            found,
            Weight.WARNING,
            "lint/review-overdue",
            f"The review was due on {told_day(found.review)}.",
            f"Review it now: after {told_day(last)} nothing is shared.",
        )


def _remark(found: Agreement, weight: Weight, code: str, sentence: str, remedy: str) -> Remark:
    return Remark(
        weight=weight,
        code=code,
        agreement=found.id,
        purpose="",
        clause="",
        sentence=sentence,
        remedy=remedy,
    )
