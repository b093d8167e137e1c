"""Sessions of signed-in people: a random id in a cookie, its digest here, and two ends.

A session is begun at each step of signing in under a fresh id, so that an id
that somebody planted never becomes a signed-in one. It ends when it rests, when
its day is over, at sign-out, and with its account.

Source: OWASP ASVS 5.0, V7 (session management); NIST SP 800-63B section 5.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    insert,
    select,
    update,
)

from gateway.adapters.database import METADATA

RESTS = dt.timedelta(minutes=30)
ENDS = dt.timedelta(hours=12)
HALF_ENDS = dt.timedelta(minutes=10)
# How stale the last sight of a session may be before it is written anew.
SEEN_EVERY = dt.timedelta(minutes=1)

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("number", String(26), nullable=False, unique=True),
    Column("login", ForeignKey("accounts.login"), nullable=False, index=True),
    Column("stage", String(20), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("begun", String(40), nullable=False),
    Column("seen", String(40), nullable=False),
    Column("ends", String(40), nullable=False),
    # An authenticator's secret that is being set up, sealed.
    Column("pending", LargeBinary, nullable=True),
)


class Stage(StrEnum):
    """How far somebody has come with signing in; only `whole` is signed in."""

    NEW_PASSWORD = "new-password"
    ENROL = "enrol"
    CODE = "code"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session; `number` names it to its owner, who may end it, and opens nothing."""

    number: str
    login: str
    stage: Stage
    tries: int
    begun: dt.datetime
    seen: dt.datetime
    ends: dt.datetime
    digest: str = field(repr=False)


def begin(connection: Connection, login: str, stage: Stage, *, at: dt.datetime) -> str:
    """Begin a session; the id for the cookie, which is kept nowhere."""
    session_id = secrets.token_urlsafe(32)
    life = ENDS if stage is Stage.WHOLE else HALF_ENDS
    connection.execute(SESSIONS.delete().where(SESSIONS.c.ends < _text(at)))
    connection.execute(
        insert(SESSIONS).values(
            digest=digest(session_id),
            number=secrets.token_hex(8),
            login=login,
            stage=stage.value,
            tries=0,
            begun=_text(at),
            seen=_text(at),
            ends=_text(at + life),
        )
    )
    return session_id


def find(connection: Connection, session_id: str, *, at: dt.datetime) -> Session | None:
    """The session of an id, unless it has ended or rested too long."""
    row = (
        connection.execute(select(SESSIONS).where(SESSIONS.c.digest == digest(session_id)))
        .mappings()
        .first()
    )
    found = _session(dict(row)) if row else None
    if found is None or found.ends <= at or found.seen + RESTS <= at:
        return None
    return found


def touch(connection: Connection, session: Session, *, at: dt.datetime) -> None:
    """Keep when a session was seen last."""
    here = SESSIONS.c.digest == session.digest
    connection.execute(update(SESSIONS).where(here).values(seen=_text(at)))


def count_try(connection: Connection, session: Session) -> int:
    """Count one more attempt at the step that a session is at; how many there were."""
    here = SESSIONS.c.digest == session.digest
    connection.execute(update(SESSIONS).where(here).values(tries=SESSIONS.c.tries + 1))
    return connection.scalar(select(SESSIONS.c.tries).where(here)) or 0


def end(connection: Connection, session: Session) -> None:
    """End one session."""
    connection.execute(SESSIONS.delete().where(SESSIONS.c.digest == session.digest))


def end_all(connection: Connection, login: str, *, but: str = "") -> int:
    """End every session of an account (but one, by its number); how many there were."""
    there = (SESSIONS.c.login == login) & (SESSIONS.c.number != but)
    return connection.execute(SESSIONS.delete().where(there)).rowcount


def of_account(connection: Connection, login: str, *, at: dt.datetime) -> tuple[Session, ...]:
    """The signed-in sessions of an account, the newest first."""
    rows = connection.execute(
        select(SESSIONS)
        .where(SESSIONS.c.login == login, SESSIONS.c.stage == Stage.WHOLE.value)
        .order_by(SESSIONS.c.begun.desc())
    ).mappings()
    found = (_session(dict(row)) for row in rows)
    return tuple(one for one in found if at < one.ends and at < one.seen + RESTS)


def digest(session_id: str) -> str:
    """What is kept of an id; 256 random bits need no salt."""
    return hashlib.sha256(session_id.encode("utf-8", "replace")).hexdigest()


def _session(row: dict[str, str]) -> Session:
    return Session(
        number=row["number"],
        login=row["login"],
        stage=Stage(row["stage"]),
        tries=int(row["tries"]),
        begun=dt.datetime.fromisoformat(row["begun"]),
        seen=dt.datetime.fromisoformat(row["seen"]),
        ends=dt.datetime.fromisoformat(row["ends"]),
        digest=row["digest"],
    )


def _text(at: dt.datetime) -> str:
    """One width for every time, so that texts compare as times do."""
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds")
