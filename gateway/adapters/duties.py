"""What recipients owe: each package destroyed by its day, and a certificate of it.

    running -> due -> overdue
    certified -> done            once the recipient's backups hold no copy either

Source: R60; security points 8 and 15; docs/how-to/deliver-packages.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from gateway.adapters.duty_records import DUTIES
from gateway.adapters.release_store import PACKAGES

AHEAD = dt.timedelta(days=30)


class DutyState(StrEnum):
    """Where a duty stands on a day."""

    NOT_BEGUN = "not-begun"
    RUNNING = "running"
    DUE = "due"
    OVERDUE = "overdue"
    CERTIFIED = "certified"
    DONE = "done"


OPEN = frozenset({DutyState.RUNNING, DutyState.DUE, DutyState.OVERDUE})
CERTIFIED = frozenset({DutyState.CERTIFIED, DutyState.DONE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """The duty on one package; days and times are ISO texts, empty where there is none yet."""

    package: str
    release: str
    recipient: str
    output: str
    forwarded: str
    destroy_by: str
    destroyed: str
    unreadable_after: str
    certified: str
    certificate: str = field(repr=False)
    certificate_digest: str

    def state(self, on: dt.date) -> DutyState:
        """Where it stands on a day."""
        if self.certified:
            over = self.unreadable_after <= on.isoformat()
            return DutyState.DONE if over else DutyState.CERTIFIED
        if not self.forwarded:
            return DutyState.NOT_BEGUN
        if self.destroy_by and self.destroy_by < on.isoformat():
            return DutyState.OVERDUE
        soon = self.destroy_by and self.destroy_by <= (on + AHEAD).isoformat()
        return DutyState.DUE if soon else DutyState.RUNNING

    @property
    def late(self) -> bool:
        """Whether it was, or will be, unreadable only after its day."""
        return bool(self.certified and self.destroy_by < self.unreadable_after)


def listed(
    connection: sa.Connection,
    *,
    release: str = "",
    recipients: Iterable[str] | None = None,
    still_open: bool = False,
    before: dt.date | None = None,
    limit: int = 200,
) -> list[Duty]:
    """Duties on packages that were recorded, the earliest day first.

    Args:
        connection: any.
        release: of one release only.
        recipients: of these only.
        still_open: those of packages that have left and have no certificate.
        before: those whose day is earlier.
        limit: how many at most.
    """
    query = _selected().order_by(DUTIES.c.destroy_by, DUTIES.c.package).limit(limit)
    if release:
        query = query.where(DUTIES.c.release == release)
    if recipients is not None:
        query = query.where(DUTIES.c.recipient.in_(list(recipients)))
    if still_open:
        query = query.where(DUTIES.c.certified == "", PACKAGES.c.forwarded != "")
    if before is not None:
        query = query.where(DUTIES.c.destroy_by != "", DUTIES.c.destroy_by < before.isoformat())
    return [_duty(row) for row in connection.execute(query)]


def overdue(connection: sa.Connection, *, on: dt.date, limit: int = 200) -> list[Duty]:
    """Duties whose day has passed without a certificate, the longest overdue first."""
    return listed(connection, still_open=True, before=on, limit=limit)


def of_package(connection: sa.Connection, package: str) -> Duty:
    """The duty on one package, which was written down with it."""
    return _duty(connection.execute(_selected().where(DUTIES.c.package == package)).one())


def certify(connection: sa.Connection, package: str, **told: str) -> None:
    """Write down a certificate that was verified."""
    connection.execute(DUTIES.update().where(DUTIES.c.package == package).values(**told))


def every_done(duties: Sequence[Duty], *, on: dt.date) -> bool:
    """Whether each recipient has certified, and no backup holds a copy any more."""
    return bool(duties) and all(duty.state(on) is DutyState.DONE for duty in duties)


def _selected() -> sa.Select[Any]:
    joined = DUTIES.join(PACKAGES, PACKAGES.c.id == DUTIES.c.package)
    return sa.select(DUTIES, PACKAGES.c.output, PACKAGES.c.forwarded).select_from(joined)


def _duty(row: Any) -> Duty:
    return Duty(**row._asdict())
