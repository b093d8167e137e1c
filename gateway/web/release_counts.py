"""The people of a release: received, forwarded, withheld by reason, as the reader may see them.

Whoever may not read the exact record gets every count rounded to 10, "<10" below.

Source: security points 17 and 19; gateway.model.permissions, `release-record-read`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.model.permissions import Action, permits
from gateway.model.rounding import rounded
from gateway.web.callers import Caller
from gateway.web.states import WITHHELD

Count = int | str
_OWN_WISH = frozenset({"no-consent", "opted-out", "objected", "doubtful-match", "household"})
_LONGEST = 440


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason for which people were left out."""

    code: str
    text: str
    why: str
    count: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of everybody in the group."""

    received: Count
    forwarded: Count
    withheld: tuple[Reason, ...]
    objections: Count
    small: Count
    exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar of the chart: kind, words, number, and where it is drawn."""

    kind: str
    text: str
    count: Count
    top: int
    start: int
    length: int


def may_see_exact(caller: Caller) -> bool:
    """Whether the caller may read exact records."""
    return bool(permits(Action.RELEASE_RECORD_READ, caller.roles))


def counts_of(told: Mapping[str, Any], *, exact: bool) -> Counts | None:
    """The counts of a release's record, or of a rehearsal, or none where there are none."""
    if "received" not in told:
        return None
    withheld = dict(told.get("withheld", {}))
    return Counts(
        received=_shown(told["received"], exact),
        forwarded=_shown(told["forwarded"], exact),
        withheld=tuple(
            Reason(
                code=code,
                text=WITHHELD[code][0],
                why=WITHHELD[code][1],
                count=_shown(count, exact),
            )
            for code, count in withheld.items()
            if count
        ),
        objections=_summed([withheld[code] for code in withheld if code in _OWN_WISH], exact),
        small=_shown(withheld.get("small-group", 0), exact),
        exact=exact,
    )


def bars(counts: Counts) -> list[Bar]:
    """The chart of conservation: what was received, and into what it fell apart."""
    parts = [("forwarded", "Sent", counts.forwarded)]
    parts += [("withheld", reason.text, reason.count) for reason in counts.withheld]
    whole = max(_size(counts.received), sum(_size(count) for _, _, count in parts), 1)
    drawn = [_bar("received", "In the group", counts.received, 0, 0, whole)]
    start = 0
    for kind, text, count in parts:
        drawn.append(_bar(kind, text, count, len(drawn), start, whole))
        start += _size(count)
    return drawn


def _bar(kind: str, text: str, count: Count, row: int, start: int, whole: int) -> Bar:
    length = max(2, round(_LONGEST * _size(count) / whole)) if _size(count) else 0
    place = round(_LONGEST * start / whole)
    return Bar(kind=kind, text=text, count=count, top=row * 34, start=place, length=length)


def _size(count: Count) -> int:
    """How long a bar is drawn; a band below 10 is drawn as half of it."""
    return count if isinstance(count, int) else _banded(count)


def _banded(text: str) -> int:
    return 5 if text.startswith("<") else int(text)


def _shown(count: Count, exact: bool) -> Count:
    return count if exact or isinstance(count, str) else rounded(count)


def _summed(counts: list[Count], exact: bool) -> Count:
    whole = sum(_size(count) for count in counts)
    return whole if exact else rounded(whole)
