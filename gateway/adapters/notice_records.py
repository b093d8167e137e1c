"""Notices as they are kept: occasions, who is told of each, how far each is, and addresses.

    waiting -> sent | failed          no-address: nobody has said where this person is told

An occasion has an id that follows from what happened, and is written once; so is each of
its notices. How far the ledger has been read stands beside them and moves in the same
transaction, so that nothing is missed and nothing is told twice.

Source: docs/adr/0300-the-ledger-is-the-outbox.md; docs/how-to/tell-people.md.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from gateway.adapters.database import METADATA
from gateway.adapters.job_records import as_text
from gateway.model.notices import Kind, Occasion

LEDGER: Final = "ledger"
# The webhook is told of every occasion once; a person's notices go to their address.
WEBHOOK: Final = ""
KEPT: Final = dt.timedelta(days=400)


class NoticeState(StrEnum):
    """How far a notice is."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    NO_ADDRESS = "no-address"


OCCASIONS = sa.Table(
    "notice_occasions",
    METADATA,
    sa.Column("id", sa.String(160), primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("by", sa.String(120), nullable=False),
    sa.Column("facts", sa.Text, nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
)
NOTICES = sa.Table(
    "notices",
    METADATA,
    sa.Column("occasion", sa.ForeignKey("notice_occasions.id"), primary_key=True),
    sa.Column("person", sa.String(40), primary_key=True),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_at", sa.String(40), nullable=False),
    sa.Column("last_code", sa.String(60), nullable=False),
    sa.Column("sent", sa.String(40), nullable=False),
    sa.Index("notices_waiting", "state", "next_at"),
)
POSITIONS = sa.Table(
    "notice_positions",
    METADATA,
    sa.Column("source", sa.String(20), primary_key=True),
    sa.Column("read", sa.BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRecord:
    """One notice of an occasion to one person, or to the webhook; times are ISO texts."""

    occasion: Occasion
    at: str
    person: str
    state: NoticeState
    attempts: int
    next_at: str
    last_code: str
    sent: str


def position(connection: sa.Connection) -> int:
    """How many entries of the ledger have been looked at."""
    found = connection.scalar(sa.select(POSITIONS.c.read).where(POSITIONS.c.source == LEDGER))
    return int(found or 0)


def move(connection: sa.Connection, read: int) -> None:
    """Say how many entries have been looked at."""
    here = POSITIONS.c.source == LEDGER
    if connection.execute(POSITIONS.update().where(here).values(read=read)).rowcount == 0:
        connection.execute(POSITIONS.insert().values(source=LEDGER, read=read))


def known(connection: sa.Connection, ids: Iterable[str]) -> frozenset[str]:
    """Which of these occasions are written down already."""
    query = sa.select(OCCASIONS.c.id).where(OCCASIONS.c.id.in_(list(ids)))
    return frozenset(connection.scalars(query))


def write(
    connection: sa.Connection,
    occasion: Occasion,
    *,
    told: Iterable[str],
    unreachable: Iterable[str],
    at: dt.datetime,
) -> None:
    """Write an occasion and a notice for each who is told; one that is known stays as it is.

    Args:
        connection: one writing transaction.
        occasion: what happened.
        told: names, and `WEBHOOK`, that a notice waits for.
        unreachable: names of those concerned who have no address.
        at: now.
    """
    if known(connection, [occasion.id]):
        return
    connection.execute(
        OCCASIONS.insert().values(
            id=occasion.id,
            kind=occasion.kind,
            by=occasion.by,
            facts=json.dumps(dict(occasion.facts)),
            at=as_text(at),
        )
    )
    states = dict.fromkeys(unreachable, NoticeState.NO_ADDRESS)
    states |= dict.fromkeys(told, NoticeState.WAITING)
    for person, state in states.items():
        connection.execute(
            NOTICES.insert().values(
                occasion=occasion.id,
                person=person,
                state=state,
                attempts=0,
                next_at=as_text(at),
                last_code="",
                sent="",
            )
        )


def listed(
    connection: sa.Connection, *, state: NoticeState | None = None, limit: int = 200
) -> list[NoticeRecord]:
    """The newest notices, of one state if named."""
    query = _joined().order_by(OCCASIONS.c.at.desc(), OCCASIONS.c.id, NOTICES.c.person)
    query = query if state is None else query.where(NOTICES.c.state == state)
    return [_record(row) for row in connection.execute(query.limit(limit))]


def is_due(connection: sa.Connection, *, at: dt.datetime) -> bool:
    """Whether a notice waits that may be tried now."""
    return connection.execute(_due(at).limit(1)).first() is not None


def claim(
    connection: sa.Connection, *, channels: Iterable[bool], at: dt.datetime, until: dt.datetime
) -> NoticeRecord | None:
    """Take the oldest notice that may be tried; nobody else takes it before `until`.

    Args:
        connection: one writing transaction.
        channels: whether the webhook's (True) and people's (False) are taken.
        at: now.
        until: when it may be tried again if whoever takes it never comes back.
    """
    webhook = NOTICES.c.person == WEBHOOK
    query = _due(at).where(sa.or_(*(webhook if each else ~webhook for each in channels)))
    row = connection.execute(query.order_by(NOTICES.c.next_at).limit(1)).first()
    if row is None:
        return None
    found = _record(row)
    _update(connection, found, attempts=found.attempts + 1, next_at=as_text(until))
    return found


def settle(
    connection: sa.Connection, notice: NoticeRecord, *, state: NoticeState, at: dt.datetime
) -> None:
    """Say that a notice was sent, or that nobody tries any more."""
    sent = as_text(at) if state is NoticeState.SENT else ""
    _update(connection, notice, state=state, sent=sent)


def postpone(
    connection: sa.Connection, notice: NoticeRecord, *, code: str, until: dt.datetime
) -> None:
    """Say why a try failed, and when the next one is."""
    _update(connection, notice, last_code=code, next_at=as_text(until))


def failed(connection: sa.Connection, notice: NoticeRecord, *, code: str) -> None:
    """Say why nobody tries any more."""
    _update(connection, notice, state=NoticeState.FAILED, last_code=code)


def again(connection: sa.Connection, *, at: dt.datetime) -> int:
    """Let every notice that failed be tried again at once; how many."""
    over = NOTICES.c.state == NoticeState.FAILED
    values = {"state": NoticeState.WAITING, "attempts": 0, "next_at": as_text(at)}
    return connection.execute(NOTICES.update().where(over).values(**values)).rowcount


def tally(connection: sa.Connection) -> dict[str, int]:
    """How many notices are in each state."""
    query = sa.select(NOTICES.c.state, sa.func.count()).group_by(NOTICES.c.state)
    return {str(row[0]): int(row[1]) for row in connection.execute(query)}


def why_failed(connection: sa.Connection) -> str:
    """Why the last of those that failed was given up, as a code; "" where none did."""
    over = NOTICES.c.state == NoticeState.FAILED
    query = sa.select(NOTICES.c.last_code).where(over).order_by(NOTICES.c.next_at.desc())
    return str(connection.execute(query.limit(1)).scalar() or "")


def forget(connection: sa.Connection, *, before: dt.datetime) -> int:
    """Delete occasions of before a time, with their notices; how many occasions."""
    old = sa.select(OCCASIONS.c.id).where(OCCASIONS.c.at < as_text(before))
    connection.execute(NOTICES.delete().where(NOTICES.c.occasion.in_(old)))
    return connection.execute(OCCASIONS.delete().where(OCCASIONS.c.at < as_text(before))).rowcount


def _update(connection: sa.Connection, notice: NoticeRecord, **values: str | int) -> None:
    here = (NOTICES.c.occasion == notice.occasion.id) & (NOTICES.c.person == notice.person)
    connection.execute(NOTICES.update().where(here).values(**values))


def _due(at: dt.datetime) -> sa.Select[Any]:
    return _joined().where(NOTICES.c.state == NoticeState.WAITING, NOTICES.c.next_at <= as_text(at))


def _joined() -> sa.Select[Any]:
    return sa.select(OCCASIONS, NOTICES).join(NOTICES, NOTICES.c.occasion == OCCASIONS.c.id)


def _record(row: Any) -> NoticeRecord:
    return NoticeRecord(
        occasion=Occasion(id=row.id, kind=Kind(row.kind), by=row.by, facts=json.loads(row.facts)),
        at=row.at,
        person=row.person,
        state=NoticeState(row.state),
        attempts=row.attempts,
        next_at=row.next_at,
        last_code=row.last_code,
        sent=row.sent,
    )
