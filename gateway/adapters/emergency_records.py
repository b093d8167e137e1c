r"""Emergency disclosures and the reasons that are owed for them, as the database keeps them.

    asked -> found -> confirmed -> disclosed
         \-> refused     \-> declined, lapsed, refused

What was typed is sealed to the month's storage key while it waits and is gone once it
is over. Who it is about is nowhere else: a disclosure is known by a random reference.

Source: security points 4, 8, 20 and 21; docs/adr/0298.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from gateway.adapters.database import METADATA
from gateway.errors import UsageError
from gateway.model.permissions import Owing


class EmergencyState(StrEnum):
    """Where an emergency disclosure stands."""

    ASKED = "asked"
    FOUND = "found"
    CONFIRMED = "confirmed"
    DISCLOSED = "disclosed"
    REFUSED = "refused"
    DECLINED = "declined"
    LAPSED = "lapsed"


# Why one is over of which nothing has left, beside the reasons of the policy.
WHY = (
    (
        "emergency/not-certain",
        "Nobody in the stored extracts is certainly this person. Give more details, or other "
        "ones that you are sure of; if it cannot wait, tell the authority by telephone.",
    ),
    (
        "emergency/declined",
        "One of the two people said no; nothing has left. Ask anew if it is still needed.",
    ),
    ("emergency/lapsed", "Nobody confirmed it within an hour; nothing has left."),
    (
        "emergency/not-made",
        "It was confirmed, and no worker could make it within a day; nothing has left. "
        "Tell the authority by telephone.",
    ),
    (
        "emergency/given-up",
        "It was tried again and again in vain; nothing has left. Tell the authority by telephone.",
    ),
    (
        "sharing/extract-of-another-contract",
        "The stored extract is of another version of its contract, and nobody was looked for in "
        "it; nothing has left. Have the file taken in again, and tell the authority by telephone.",
    ),
    (
        "sharing/no-extract",
        "There is no stored extract to look in; nothing has left. Tell the authority by telephone.",
    ),
)
# What two people agreed on in an emergency is not sent when they have long found another way.
MADE_WITHIN = dt.timedelta(days=1)
OPEN = frozenset({EmergencyState.ASKED, EmergencyState.FOUND, EmergencyState.CONFIRMED})
WAITING = frozenset({EmergencyState.ASKED, EmergencyState.FOUND})

EMERGENCIES = sa.Table(
    "emergencies",
    METADATA,
    sa.Column("id", sa.String(60), primary_key=True),
    sa.Column("agreement", sa.String(60), nullable=False),
    sa.Column("purpose", sa.String(60), nullable=False),
    sa.Column("recipient", sa.String(60), nullable=False),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("code", sa.String(80), nullable=False),
    sa.Column("asked_by", sa.String(40), nullable=False),
    sa.Column("asked_at", sa.String(40), nullable=False),
    sa.Column("until", sa.String(40), nullable=False),
    sa.Column("confirmed_by", sa.String(40), nullable=False),
    sa.Column("confirmed_at", sa.String(40), nullable=False),
    # What the attempt under way makes, chosen before it is made.
    sa.Column("release", sa.String(60), nullable=False),
    sa.Column("disclosed_at", sa.String(40), nullable=False),
    sa.Column("overridden", sa.Integer, nullable=False),
    sa.Column("read_by", sa.String(40), nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=True),
    sa.Column("storage_key", sa.String(60), nullable=False),
)
REASONS = sa.Table(
    "emergency_reasons",
    METADATA,
    sa.Column("emergency", sa.ForeignKey("emergencies.id"), primary_key=True),
    sa.Column("person", sa.String(40), primary_key=True, index=True),
    sa.Column("due", sa.String(40), nullable=False),
    sa.Column("filed_at", sa.String(40), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=True),
    sa.Column("storage_key", sa.String(60), nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """One emergency disclosure; times are ISO texts of UTC, empty where there is none yet."""

    id: str
    agreement: str
    purpose: str
    recipient: str
    state: EmergencyState
    code: str = ""
    asked_by: str
    asked_at: str
    until: str
    confirmed_by: str = ""
    confirmed_at: str = ""
    release: str = ""
    disclosed_at: str = ""
    overridden: int = 0
    read_by: str = ""
    sealed: bytes | None = field(default=None, repr=False)
    storage_key: str = ""

    @property
    def people(self) -> tuple[str, ...]:
        """The two people, as far as there are two."""
        return tuple(name for name in (self.asked_by, self.confirmed_by) if name)

    def lapsed(self, at: dt.datetime) -> bool:
        """Whether nobody confirmed it in time, or no worker made it within a day of that."""
        if self.state is EmergencyState.CONFIRMED:
            return as_text(at - MADE_WITHIN) >= self.confirmed_at
        return self.state in WAITING and as_text(at) >= self.until

    @property
    def lapse_code(self) -> str:
        """Why it lapses."""
        late = self.state is EmergencyState.CONFIRMED
        return "emergency/not-made" if late else "emergency/lapsed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """The reason that one of the two people owes, or has filed, for one disclosure."""

    emergency: str
    person: str
    due: str
    filed_at: str = ""
    digest: str = ""
    sealed: bytes | None = field(default=None, repr=False)
    storage_key: str = ""


def why(code: str) -> str:
    """Why one is over, in a sentence; "" for a reason that a policy has given."""
    return dict(WHY).get(code, "")


def as_text(at: dt.datetime) -> str:
    """A time as text: one zone and one width, so that texts compare as times do."""
    return at.astimezone(dt.UTC).isoformat(timespec="seconds")


def owing(connection: sa.Connection, person: str, *, at: dt.datetime | None = None) -> Owing:
    """Whether somebody has a reason to file, and whether it is overdue.

    Args:
        connection: any.
        person: the operator's name.
        at: now, where it is not the machine's.
    """
    owed = sa.and_(REASONS.c.person == person, REASONS.c.filed_at == "")
    due = connection.scalar(sa.select(sa.func.min(REASONS.c.due)).where(owed))
    if due is None:
        return Owing.NOTHING
    return Owing.OVERDUE if as_text(at or dt.datetime.now(dt.UTC)) >= due else Owing.REASON


def find(connection: sa.Connection, emergency: str) -> Emergency:
    """One emergency disclosure.

    Raises:
        UsageError: there is none with this id.
    """
    found = known(connection, emergency)
    if found is None:
        raise UsageError(
            "emergency/unknown",
            "There is no emergency disclosure with this id.",
            remedy="`gateway emergency list` shows them.",
        )
    return found


def known(connection: sa.Connection, emergency: str) -> Emergency | None:
    """One emergency disclosure, if there is one with this id."""
    query = sa.select(EMERGENCIES).where(EMERGENCIES.c.id == emergency)
    row = connection.execute(query).one_or_none()
    return None if row is None else _emergency(row)


def listed(connection: sa.Connection, *, limit: int = 100) -> list[Emergency]:
    """The newest emergency disclosures."""
    newest = sa.select(EMERGENCIES).order_by(EMERGENCIES.c.asked_at.desc(), EMERGENCIES.c.id)
    return [_emergency(row) for row in connection.execute(newest.limit(limit))]


def unfinished(connection: sa.Connection) -> list[Emergency]:
    """Those that are neither disclosed nor over."""
    query = sa.select(EMERGENCIES).where(EMERGENCIES.c.state.in_(OPEN))
    return [_emergency(row) for row in connection.execute(query)]


def unsettled(connection: sa.Connection) -> list[Emergency]:
    """Those disclosed that nobody who oversees them has seen, or whose reasons are owed."""
    owed = sa.exists().where(REASONS.c.emergency == EMERGENCIES.c.id, REASONS.c.filed_at == "")
    query = (
        sa.select(EMERGENCIES)
        .where(EMERGENCIES.c.state == EmergencyState.DISCLOSED)
        .where(sa.or_(EMERGENCIES.c.read_by == "", owed))
        .order_by(EMERGENCIES.c.asked_at.desc(), EMERGENCIES.c.id)
    )
    return [_emergency(row) for row in connection.execute(query)]


def of_release(connection: sa.Connection, release: str) -> Emergency | None:
    """The emergency disclosure that a release is, if it is one."""
    query = sa.select(EMERGENCIES).where(EMERGENCIES.c.release == release)
    row = connection.execute(query).one_or_none()
    return None if row is None else _emergency(row)


def asked_since(connection: sa.Connection, person: str, since: dt.datetime) -> int:
    """How many somebody has asked for since a time."""
    mine = sa.and_(EMERGENCIES.c.asked_by == person, EMERGENCIES.c.asked_at >= as_text(since))
    return connection.scalar(sa.select(sa.func.count()).where(mine)) or 0


def add(connection: sa.Connection, emergency: Emergency) -> None:
    """Write a new one."""
    row = {name: getattr(emergency, name) for name in Emergency.__dataclass_fields__}
    connection.execute(EMERGENCIES.insert().values(**row))


def change(connection: sa.Connection, emergency: str, **values: Any) -> None:
    """Change what is known of one; one that is over keeps nothing of what was typed."""
    state = values.get("state")
    if state is not None and state not in OPEN:
        values = {**values, "sealed": None}
    here = EMERGENCIES.c.id == emergency
    connection.execute(EMERGENCIES.update().where(here).values(**values))


def owe(connection: sa.Connection, emergency: str, people: Sequence[str], *, due: str) -> None:
    """Write down that people owe their reason until a time."""
    blank = {"filed_at": "", "digest": "", "sealed": None, "storage_key": ""}
    for person in people:
        row = {"emergency": emergency, "person": person, "due": due, **blank}
        connection.execute(REASONS.insert().values(**row))


def reasons(connection: sa.Connection, emergency: str) -> list[Reason]:
    """The reasons of one disclosure, owed or filed."""
    query = sa.select(REASONS).where(REASONS.c.emergency == emergency)
    return [Reason(**row._asdict()) for row in connection.execute(query.order_by(REASONS.c.person))]


def filed(connection: sa.Connection, reason: Reason) -> None:
    """Keep a reason that somebody owed."""
    here = sa.and_(REASONS.c.emergency == reason.emergency, REASONS.c.person == reason.person)
    told = {name: getattr(reason, name) for name in ("filed_at", "digest", "sealed", "storage_key")}
    connection.execute(REASONS.update().where(here).values(**told))


def keys_needed(connection: sa.Connection) -> set[str]:
    """The keys to which something is sealed that is still kept: a request, or a filed reason."""
    kept = (
        sa.select(table.c.storage_key).where(table.c.sealed.is_not(None)).distinct()
        for table in (EMERGENCIES, REASONS)
    )
    return set(connection.execute(sa.union(*kept)).scalars())


def _emergency(row: Any) -> Emergency:
    return Emergency(**{**row._asdict(), "state": EmergencyState(row.state)})
