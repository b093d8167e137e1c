"""Is the agreement in force on the day, and is what it names still there?

Past its end date nothing is shared, without grace. From three months before its
review it warns; three months after an omitted review it refuses.

Source: docs/reference/policy.md, "Life of a version"; WEISF review practice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from gateway.model import Reason
from gateway.policy.days import told_day
from gateway.policy.findings import name
from gateway.policy.matter import Matter, months_after

GRACE_MONTHS = 3
NOTICE_DAYS = 28


def not_in_force(matter: Matter) -> Iterator[Reason]:
    """Reasons from the dates of the agreement, of the retention and of the notice."""
    agreement, on = matter.agreement, matter.on
    said = name(agreement.id)
    if on < agreement.starts:
        yield Reason(
            code="sharing/agreement-not-begun",
            clause="",
            reason=f"{said} begins on {told_day(agreement.starts)}, not before.",
        )
    if on > agreement.ends:
        yield Reason(
            code="sharing/agreement-ended",
            clause="",
            reason=f"{said} ended on {told_day(agreement.ends)}; there is no grace.",
        )
    if on > months_after(agreement.review, GRACE_MONTHS):
        yield Reason(
            code="sharing/review-overdue",
            clause="",
            reason=f"{said} was due for review on {told_day(agreement.review)}, "
            "over three months ago.",
        )
    if matter.purpose.retain_until < on:
        yield Reason(
            code="policy/retention-past",
            clause=matter.purpose.clause,
            reason="What is shared had to be destroyed by "
            f"{told_day(matter.purpose.retain_until)}.",
        )
    yield from _notice_too_young(matter)


def _notice_too_young(matter: Matter) -> Iterator[Reason]:
    notice = matter.purpose.notice
    if notice is None or notice.published is None or (on_day(notice.published) <= matter.on):
        return
    yield Reason(
        code="policy/notice-too-young",
        clause=matter.purpose.clause,
        reason=f"The notice was published on {told_day(notice.published)}; 28 days have to pass.",
    )


def on_day(published: dt.date) -> dt.date:
    """The first day on which what a notice adds may be shared."""
    latest = dt.date.max - dt.timedelta(days=NOTICE_DAYS)
    return min(published, latest) + dt.timedelta(days=NOTICE_DAYS)


def review_due(review: dt.date, on: dt.date) -> bool:
    """Whether a review is near or past: from three months before its day."""
    return on >= months_after(review, -GRACE_MONTHS)


def review_warnings(matter: Matter) -> Iterator[str]:
    """A sentence where the review is near or past."""
    review = matter.agreement.review
    day = told_day(review)
    if matter.on > review:
        yield f"The review was due on {day}: review it now, sharing stops after three months."
    elif review_due(review, matter.on):
        yield f"The review is due on {day}."


def unresolved(matter: Matter) -> Iterator[Reason]:
    """Reasons from names that the other documents do not know."""
    clause, known = matter.purpose.clause, matter.knowledge
    if matter.purpose.spine not in known.contracts:
        yield Reason(
            code="policy/unknown-dataset", clause=clause, reason="The spine has no contract."
        )
    if matter.cohort is None:
        yield Reason(
            code="policy/unknown-cohort",
            clause=clause,
            reason="The cohort is not in the vocabulary.",
        )
    elif matter.cohort.from_ != matter.purpose.spine:
        yield Reason(
            code="policy/cohort-not-of-spine",
            clause=clause,
            reason="The cohort is not of the spine.",
        )
    for join in matter.purpose.joins or ():
        if join.source not in known.contracts:
            yield Reason(
                code="policy/unknown-dataset",
                clause=clause,
                reason=f"{name(join.source)} is not known.",
            )
    for each in matter.deliveries:
        for fault in each.faults:
            yield Reason(
                code=fault.code,
                clause=each.output.clause,
                reason=f"Output {name(each.name)}: {fault.sentence}",
            )
