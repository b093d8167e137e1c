"""Sign-ins that are under way at an OpenID Connect provider: what has to come back, once.

The browser holds a random cookie, this table the rest: what was sent to the
provider and must return with it. A row is taken when the browser comes back, so
that an answer of the provider serves once and only in the browser that asked.

Source: OpenID Connect Core 1.0, sections 3.1.2 and 15.5.2; RFC 7636 (PKCE); RFC 9700.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, field

from sqlalchemy import Column, Connection, String, Table, insert, select

from gateway.adapters.database import METADATA

LIFE = dt.timedelta(minutes=10)

SIGN_INS_ELSEWHERE = Table(
    "sign_ins_elsewhere",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("state", String(100), nullable=False),
    Column("nonce", String(100), nullable=False),
    Column("verifier", String(130), nullable=False),
    Column("goal", String(500), nullable=False),
    Column("until", String(40), nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """What one browser asked the provider; `goal` is the page that it wanted."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    goal: str


def keep(connection: Connection, cookie: str, asked: UnderWay, *, at: dt.datetime) -> None:
    """Keep what a browser asked, under the digest of its cookie."""
    over = SIGN_INS_ELSEWHERE.c.until <= _text(at)
    connection.execute(SIGN_INS_ELSEWHERE.delete().where(over))
    connection.execute(
        insert(SIGN_INS_ELSEWHERE).values(
            digest=_digest(cookie),
            state=asked.state,
            nonce=asked.nonce,
            verifier=asked.verifier,
            goal=asked.goal,
            until=_text(at + LIFE),
        )
    )


def take(connection: Connection, cookie: str, *, at: dt.datetime) -> UnderWay | None:
    """Take what a browser asked, once and in time."""
    here = SIGN_INS_ELSEWHERE.c.digest == _digest(cookie)
    row = connection.execute(select(SIGN_INS_ELSEWHERE).where(here)).mappings().first()
    connection.execute(SIGN_INS_ELSEWHERE.delete().where(here))
    if row is None or row["until"] <= _text(at):
        return None
    return UnderWay(
        state=row["state"], nonce=row["nonce"], verifier=row["verifier"], goal=row["goal"]
    )


def _digest(cookie: str) -> str:
    return hashlib.sha256(cookie.encode("utf-8", "replace")).hexdigest()


def _text(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds")
