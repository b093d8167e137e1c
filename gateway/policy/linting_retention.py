"""What the review says of how long a purpose keeps what it shares, and who is who in it.

Source: UK GDPR Art 5(1)(e); docs/reference/review.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from gateway.policy.days import told_day
from gateway.policy.linting_remarks import remark_on
from gateway.policy.matter import Matter, months_after
from gateway.policy.remarks import Remark, Weight

LONGEST_AFTER_END = 24


def retention(matter: Matter) -> Iterator[Remark]:
    """The day of destruction beside the days on which is shared."""
    ends, until = matter.agreement.ends, matter.purpose.retain_until
    if until < ends:
        yield remark_on(
            matter,
            Weight.WARNING,
            "lint/destroyed-while-shared",
            f"It is to be destroyed by {told_day(until)}, "
            f"while it is shared until {told_day(ends)}.",
            "Let the retention end after the agreement, or the purpose before it.",
        )
    if until > months_after(ends, LONGEST_AFTER_END):
        yield remark_on(
            matter,
            Weight.WARNING,
            "lint/kept-long",
            f"It is kept until {told_day(until)}, "
            f"more than {LONGEST_AFTER_END} months after the end.",
            "Say in the clause why, or shorten it.",
        )


def link_map(matter: Matter) -> Iterator[Remark]:
    """The map of who got which link id, beside the data that it leads to."""
    days = int(matter.purpose.link_map_until.removeprefix("receipt+").removesuffix("d"))
    last, until = matter.on + dt.timedelta(days=days), matter.purpose.retain_until
    if matter.on <= until < last:
        yield remark_on(
            matter,
            Weight.WARNING,
            "lint/link-map-outlives",
            f"The map of link ids of a release today is kept until {told_day(last)}, "
            f"and its data are destroyed by {told_day(until)}: "
            "after that it leads to nothing but people.",
            "Shorten `link_map_until`, so that the map ends before the data do.",
        )
