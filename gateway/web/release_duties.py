"""What the recipients of one release owe, as its page and its list of tasks tell it.

Source: security points 8 and 15; docs/how-to/deliver-packages.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from gateway.adapters import closing, duties
from gateway.adapters.duties import CERTIFIED, Duty, DutyState
from gateway.policy import Bundle
from gateway.web import states
from gateway.web.desk import WebDesk
from gateway.web.release_columns import recipient_title
from gateway.web.words import day


@dataclass(frozen=True, slots=True, kw_only=True)
class Owing:
    """The duties of one release on a day, and whether our own link map is still there."""

    owed: Sequence[Duty]
    on: dt.date
    link_map: bool = False

    @property
    def states(self) -> list[DutyState]:
        """The state of each duty."""
        return [duty.state(self.on) for duty in self.owed]

    @property
    def overdue(self) -> int:
        """How many are overdue."""
        return self.states.count(DutyState.OVERDUE)


def owing(
    connection: sa.Connection, desk: WebDesk, release: str, *, stopped: bool = False
) -> Owing:
    """What is owed for a release today; of one that was stopped, for what had left of it."""
    owed = duties.listed(connection, release=release)
    return Owing(
        owed=[duty for duty in owed if duty.forwarded or not stopped],
        on=desk.now().date(),
        link_map=closing.link_map_is_kept(desk.settings.data / "link-maps", release),
    )


def lines(told: Owing, bundle: Bundle) -> list[tuple[Duty, str, states.Shown]]:
    """Each duty with its recipient's title and its state in words."""
    return [
        (each, recipient_title(bundle, each.recipient), states.DUTIES[each.state(told.on)])
        for each in told.owed
    ]


def hint(told: Owing) -> str:
    """How far the duties are, in a few words; nothing before a package has left."""
    every, found = len(told.owed), told.states
    if not every or set(found) == {DutyState.NOT_BEGUN}:
        return ""
    certified = sum(state in CERTIFIED for state in found)
    return f"{certified} of {every} certificates of destruction{_next(told, certified == every)}"


def _next(told: Owing, all_certified: bool) -> str:
    """What is waited for now."""
    days = sorted(duty.destroy_by for duty in told.owed if not duty.certified and duty.destroy_by)
    if days:
        late = days[0] < told.on.isoformat()
        return f", {'overdue since' if late else 'to be destroyed by'} {day(days[0])}"
    if all_certified and DutyState.CERTIFIED in told.states:
        return f", backups end by {day(max(duty.unreadable_after for duty in told.owed))}"
    return ", our own link map has still to end" if all_certified and told.link_map else ""
