"""Deliveries: how each package of a release gets to its recipient, and how far it is.

    waiting -> dispatched -> acknowledged          by folder, https, sftp
            -> dispatched -> carried               by a person, to the recipient's own portal
            -> not-delivered                       its time is over, or the recipient said no

Where a package goes was approved with the recipient's document and is kept in its row:
a document that changes later sends nothing elsewhere. `touched` says that a try has
begun whose end nobody knows, so that the package may have arrived.

Source: security points 15 and 20; docs/explanation/service.md, "A release, exactly once".
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gateway.adapters import jobs
from gateway.adapters.database import METADATA
from gateway.adapters.jobs import JobKind
from gateway.adapters.release_store import PACKAGES, PackageRecord, add_package
from gateway.errors import UsageError
from gateway.model import Plan

FOLDER, PORTAL = "folder", "portal"


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    DISPATCHED = "dispatched"
    ACKNOWLEDGED = "acknowledged"
    NOT_DELIVERED = "not-delivered"
    CARRIED = "carried"


ARRIVED = frozenset({DeliveryState.ACKNOWLEDGED, DeliveryState.CARRIED})
LEFT = ARRIVED | {DeliveryState.DISPATCHED}

DELIVERIES = sa.Table(
    "deliveries",
    METADATA,
    sa.Column("package", sa.String(60), sa.ForeignKey("packages.id"), primary_key=True),
    sa.Column("release", sa.String(60), nullable=False, index=True),
    sa.Column("recipient", sa.String(60), nullable=False, index=True),
    sa.Column("channel", sa.String(20), nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("touched", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_at", sa.String(40), nullable=False),
    sa.Column("until", sa.String(40), nullable=False),
    sa.Column("last_code", sa.String(120), nullable=False),
    sa.Column("created", sa.String(40), nullable=False),
    sa.Column("dispatched_at", sa.String(40), nullable=False),
    sa.Column("acknowledged_at", sa.String(40), nullable=False),
    sa.Column("receipt", sa.Text, nullable=False),
    sa.Column("receipt_digest", sa.String(64), nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One delivery; times are ISO texts with their zone, empty where there is none yet."""

    package: str
    release: str
    recipient: str
    channel: str
    target: Mapping[str, str]
    state: DeliveryState
    touched: bool
    attempts: int
    next_at: str
    until: str
    last_code: str
    created: str
    dispatched_at: str
    acknowledged_at: str
    receipt: str
    receipt_digest: str


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways of one release's packages, as the agreement's approval covered them.

    Args:
        plan: with each output's recipient.
        outbox: the folder of those whose channel is a folder.
        days: after how many days a package counts as not delivered.
    """

    plan: Plan
    outbox: Path
    days: int

    def send(self, connection: sa.Connection, package: PackageRecord, *, at: dt.datetime) -> None:
        """Write down a package and its way, in the transaction that records the release.

        Args:
            connection: that transaction.
            package: with the folder that was asked for as its place, or none.
            at: now.
        """
        recipient = next(
            each.recipient for each in self.plan.outputs if each.recipient.id == package.recipient
        )
        channel = FOLDER if package.place else recipient.channel
        place = package.place or (str(self.outbox) if channel == FOLDER else "")
        add_package(connection, replace(package, place=place))
        row: dict[str, Any] = dict.fromkeys(
            ("last_code", "dispatched_at", "acknowledged_at", "receipt", "receipt_digest"), ""
        )
        row |= {"package": package.id, "release": package.release}
        row |= {"recipient": package.recipient, "channel": channel, "touched": 0, "attempts": 0}
        row |= {"target": json.dumps(dict(recipient.delivery)), "state": DeliveryState.WAITING}
        row |= {"created": at.isoformat(), "next_at": at.isoformat()}
        row |= {"until": (at + dt.timedelta(days=self.days)).isoformat()}
        connection.execute(DELIVERIES.insert().values(**row))
        if channel not in (FOLDER, PORTAL):
            ask(connection, package.id, by="", at=at)


def ask(connection: sa.Connection, package: str, *, by: str, at: dt.datetime) -> str:
    """Ask the workers to bring a package; one that waits for its next try begins at once."""
    job = jobs.enqueue(
        connection, JobKind.DELIVER, subject=package, by=by, request={"package": package}, at=at
    )
    jobs.hurry(connection, job)
    return job


def find(connection: sa.Connection, package: str) -> Delivery:
    """One delivery.

    Raises:
        UsageError: there is none of this package.
    """
    row = connection.execute(
        sa.select(DELIVERIES).where(DELIVERIES.c.package == package)
    ).one_or_none()
    if row is None:
        raise unknown()
    return _delivery(row)


def unknown() -> UsageError:
    """There is no such delivery; nobody learns whose there are."""
    return UsageError(
        "delivery/unknown",
        "There is no delivery of that package.",
        remedy="`gateway deliveries list` shows them, and /api/v1/deliveries those to you.",
    )


def listed(
    connection: sa.Connection,
    *,
    recipients: Iterable[str] | None = None,
    release: str = "",
    package: str = "",
    limit: int = 200,
    offset: int = 0,
) -> list[Delivery]:
    """The newest deliveries; of some recipients, one release or one package if named."""
    query = sa.select(DELIVERIES).order_by(DELIVERIES.c.created.desc(), DELIVERIES.c.package)
    if recipients is not None:
        query = query.where(DELIVERIES.c.recipient.in_(list(recipients)))
    if release:
        query = query.where(DELIVERIES.c.release == release)
    if package:
        query = query.where(DELIVERIES.c.package == package)
    return [_delivery(row) for row in connection.execute(query.limit(limit).offset(offset))]


def stuck(connection: sa.Connection) -> dict[tuple[str, str], int]:
    """How many packages have not arrived and why, by state and code of the last try."""
    columns = DELIVERIES.c.state, DELIVERIES.c.last_code
    query = (
        sa.select(*columns, sa.func.count())
        .where(DELIVERIES.c.last_code != "", DELIVERIES.c.state.not_in([*ARRIVED]))
        .group_by(*columns)
        .order_by(*columns)
    )
    return {(str(state), str(code)): int(n) for state, code, n in connection.execute(query)}


def update(connection: sa.Connection, package: str, **values: str | int) -> None:
    """Change what is known of a delivery; a package without a row has none to change."""
    connection.execute(DELIVERIES.update().where(DELIVERIES.c.package == package).values(**values))


def may_have_left(connection: sa.Connection, release: str) -> bool:
    """Whether a package of a release has left, or a try has begun whose end nobody knows."""
    own = DELIVERIES.c.release == release
    out = sa.or_(DELIVERIES.c.touched == 1, DELIVERIES.c.state.in_(LEFT))
    sent = sa.and_(PACKAGES.c.release == release, PACKAGES.c.forwarded != "")
    return bool(
        connection.scalar(sa.select(sa.func.count()).where(own, out))
        or connection.scalar(sa.select(sa.func.count()).select_from(PACKAGES).where(sent))
    )


def stopped(connection: sa.Connection, release: str, *, code: str) -> None:
    """Say of what had not left of a release that it will not leave, and why."""
    waits = sa.and_(DELIVERIES.c.release == release, DELIVERIES.c.state == DeliveryState.WAITING)
    connection.execute(
        DELIVERIES.update()
        .where(waits)
        .values(state=DeliveryState.NOT_DELIVERED, last_code=code, next_at="")
    )


def every_arrived(connection: sa.Connection, release: str) -> bool:
    """Whether each package of a release has its recipient's receipt."""
    known = [each.state in ARRIVED for each in listed(connection, release=release)]
    return bool(known) and all(known)


def needed(connection: sa.Connection) -> set[str]:
    """Releases whose sealed packages must stay: some have still to arrive."""
    open_ones = sa.select(DELIVERIES.c.release).where(
        DELIVERIES.c.channel != FOLDER, DELIVERIES.c.state.not_in(ARRIVED)
    )
    return set(connection.scalars(open_ones))


def _delivery(row: Any) -> Delivery:
    held = row._asdict()
    held["state"] = DeliveryState(held["state"])
    held["touched"] = bool(held["touched"])
    held["target"] = json.loads(held["target"])
    return Delivery(**held)
