"""Ways in that one administrator has asked for and a second person has not confirmed yet.

An account, a new first password of one, a subject of the OpenID Connect provider, a key of
a client: as long as it stands here it lets nobody in. What was there before goes on.

Source: security point 4; docs/adr/0282.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Column, ColumnElement, Connection, String, Table, insert, select

from gateway.adapters.database import METADATA


class Way(StrEnum):
    """How somebody, or a program, comes in."""

    ACCOUNT = "account"
    RESET = "reset"
    SUBJECT = "subject"
    KEY = "key"


OF_ACCOUNTS = frozenset({Way.ACCOUNT, Way.RESET, Way.SUBJECT})
OF_CLIENTS = frozenset({Way.KEY})

ASKED = Table(
    "access_asked",
    METADATA,
    Column("way", String(10), primary_key=True),
    # The login, the mark of a subject, or the id of a key.
    Column("name", String(64), primary_key=True),
    Column("asked_by", String(40), primary_key=True),
    # The account, or the client of a key.
    Column("owner", String(40), nullable=False, index=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One way in that waits."""

    way: Way
    name: str
    owner: str
    asked_by: str


def subject_mark(issuer: str, subject: str) -> str:
    """By which name the subject of a provider stands here."""
    return hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()


def ask(connection: Connection, asked: Asked) -> None:
    """Keep a way in shut until a second person confirms it."""
    connection.execute(ASKED.delete().where(_named(asked.way, asked.name, asked.asked_by)))
    connection.execute(
        insert(ASKED).values(
            way=asked.way.value, name=asked.name, owner=asked.owner, asked_by=asked.asked_by
        )
    )


def waits(connection: Connection, way: Way, name: str) -> bool:
    """Whether this way in is still shut."""
    return connection.scalar(select(ASKED.c.name).where(_named(way, name)).limit(1)) is not None


def waiting(
    connection: Connection, ways: frozenset[Way], *, owner: str = "", name: str = ""
) -> tuple[Asked, ...]:
    """What waits, of everybody or of one account or client."""
    query = select(ASKED).where(_which(ways, owner, name))
    rows = connection.execute(query.order_by(ASKED.c.owner, ASKED.c.way, ASKED.c.name))
    return tuple(
        Asked(way=Way(row.way), name=row.name, owner=row.owner, asked_by=row.asked_by)
        for row in rows
    )


def forget(connection: Connection, ways: frozenset[Way], *, owner: str, name: str = "") -> None:
    """Let nothing of an account or client wait: it was confirmed, or has ended."""
    connection.execute(ASKED.delete().where(_which(ways, owner, name)))


def _named(way: Way, name: str, asked_by: str = "") -> ColumnElement[bool]:
    here = (ASKED.c.way == way.value) & (ASKED.c.name == name)
    return here & (ASKED.c.asked_by == asked_by) if asked_by else here


def _which(ways: frozenset[Way], owner: str, name: str) -> ColumnElement[bool]:
    which: ColumnElement[bool] = ASKED.c.way.in_(sorted(way.value for way in ways))
    which = which & (ASKED.c.owner == owner) if owner else which
    return which & (ASKED.c.name == name) if name else which
