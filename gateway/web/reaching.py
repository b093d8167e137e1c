"""The other agreements that a change reaches, as their leads would want to know before it.

What several agreements read stands once. Whoever changes it with one of them ends the
approval of the others, and may change what comes of their cases.

Source: docs/reference/policy.md, "The policy digest" and "Cases"; UK GDPR Art 26.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app

from gateway.policy import Bundle, CaseResult, reached
from gateway.web import workshop
from gateway.web.documents import agreement_title, in_force, inputs

# Agreements whose cases are run on a page: twenty cases take some 25 ms.
MOST_RUN = 6
_REACHED = "gateway-reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """An agreement that reads what changes: whether sharing stops, which cases break."""

    agreement: str
    title: str
    in_force: bool
    failed: tuple[CaseResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The other agreements, and of how many the cases were not run."""

    agreements: tuple[Reached, ...]
    not_run: int


def reach(before: Bundle, after: Bundle, agreement: str) -> Reach:
    """What a change that goes with one agreement does to the others.

    Args:
        before: the current documents.
        after: with the change.
        agreement: whose change it is.
    """
    others = [key for key in _reached(before, after) if key != agreement]
    now = in_force(inputs()) if others else frozenset()
    return Reach(
        agreements=tuple(
            Reached(
                agreement=key,
                title=agreement_title(before, key),
                in_force=key in now,
                failed=_broken(before, after, key) if number < MOST_RUN else (),
            )
            for number, key in enumerate(others)
        ),
        not_run=max(0, len(others) - MOST_RUN),
    )


def _broken(before: Bundle, after: Bundle, agreement: str) -> tuple[CaseResult, ...]:
    """The cases that held and would not hold any more."""
    known = {each.name for each in workshop.failed_cases(before, agreement)}
    failed = workshop.failed_cases(after, agreement)
    return tuple(each for each in failed if each.name not in known)


def _reached(before: Bundle, after: Bundle) -> tuple[str, ...]:
    """Worked out once for each two states of the documents."""
    kept = current_app.extensions.setdefault(_REACHED, {})
    at = (id(before), id(after))
    known = kept.get(at)
    if known is None or known[0] is not before or known[1] is not after:
        if len(kept) >= workshop.MOST_REVIEWS:
            kept.clear()
        known = kept[at] = (before, after, reached(before, after))
    found: tuple[str, ...] = known[2]
    return found
