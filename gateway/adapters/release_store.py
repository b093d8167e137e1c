"""Releases and their packages: each step one transaction with its ledger entry.

    decided -> built -> recorded -> forwarded -> acknowledged -> closed
                                                  refused, held, withdrawn on the side

A crash before `recorded` rolls back (the release is withdrawn, nothing left); a
crash after it resumes (the same packages go to the same places). The register
and the approvals are read again in the transaction that dispatches.

Source: security points 15, 16, 20 and 23.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from gateway.adapters import duty_records
from gateway.adapters.database import METADATA
from gateway.errors import REPORT, IntegrityError, Unavailable, UsageError


class ReleaseState(StrEnum):
    """Where a release stands."""

    DECIDED = "decided"
    BUILT = "built"
    RECORDED = "recorded"
    FORWARDED = "forwarded"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"
    REFUSED = "refused"
    HELD = "held"
    WITHDRAWN = "withdrawn"


# Every permitted step; anything else is a fault.
STEPS: Mapping[ReleaseState, frozenset[ReleaseState]] = {
    ReleaseState.DECIDED: frozenset(
        {ReleaseState.BUILT, ReleaseState.REFUSED, ReleaseState.HELD, ReleaseState.WITHDRAWN}
    ),
    ReleaseState.BUILT: frozenset({ReleaseState.RECORDED, ReleaseState.WITHDRAWN}),
    ReleaseState.RECORDED: frozenset(
        {ReleaseState.FORWARDED, ReleaseState.HELD, ReleaseState.WITHDRAWN}
    ),
    ReleaseState.FORWARDED: frozenset({ReleaseState.ACKNOWLEDGED}),
    ReleaseState.ACKNOWLEDGED: frozenset({ReleaseState.CLOSED}),
    ReleaseState.CLOSED: frozenset(),
    ReleaseState.REFUSED: frozenset(),
    ReleaseState.HELD: frozenset({ReleaseState.WITHDRAWN}),
    ReleaseState.WITHDRAWN: frozenset(),
}

RELEASES = sa.Table(
    "releases",
    METADATA,
    sa.Column("id", sa.String(60), primary_key=True),
    sa.Column("sequence", sa.Integer, nullable=False, unique=True),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("purpose", sa.String(60), nullable=False),
    sa.Column("agreement", sa.String(60), nullable=False),
    sa.Column("policy_digest", sa.String(64), nullable=False),
    sa.Column("officer", sa.String(60), nullable=False),
    sa.Column("created", sa.String(40), nullable=False),
    sa.Column("record", sa.Text, nullable=False),
)
PACKAGES = sa.Table(
    "packages",
    METADATA,
    sa.Column("id", sa.String(60), primary_key=True),
    sa.Column("release", sa.String(60), sa.ForeignKey("releases.id"), nullable=False, index=True),
    sa.Column("output", sa.String(60), nullable=False),
    sa.Column("recipient", sa.String(60), nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("manifest", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("forwarded", sa.String(40), nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageRecord:
    """One package: what it is, for whom, and where it went."""

    id: str
    release: str
    output: str
    recipient: str
    rows: int
    digest: str
    manifest: Mapping[str, Any]
    place: str
    forwarded: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRecord:
    """One release: the exact record is the controller's own and never leaves."""

    id: str
    state: ReleaseState
    purpose: str
    agreement: str
    policy_digest: str
    officer: str
    created: dt.datetime
    record: Mapping[str, Any] = field(default_factory=dict)


def open_release(connection: sa.Connection, release: ReleaseRecord) -> None:
    """Write a new release."""
    number = connection.execute(sa.select(sa.func.max(RELEASES.c.sequence))).scalar() or 0
    connection.execute(
        RELEASES.insert().values(
            id=release.id,
            sequence=number + 1,
            state=release.state,
            purpose=release.purpose,
            agreement=release.agreement,
            policy_digest=release.policy_digest,
            officer=release.officer,
            created=release.created.isoformat(),
            record=json.dumps(release.record),
        )
    )


def step(
    connection: sa.Connection,
    release: str,
    to: ReleaseState,
    *,
    record: Mapping[str, Any] | None = None,
) -> None:
    """Move a release to its next state.

    Raises:
        IntegrityError: the table of steps does not know this one.
    """
    now = release_state(connection, release)
    if to not in STEPS[now]:
        raise IntegrityError(
            "release/wrong-step",
            f'A release that is {now} cannot become "{to}".',
            remedy=REPORT,
            release=release,
        )
    values: dict[str, Any] = {"state": to}
    if record is not None:
        values["record"] = json.dumps(record)
    connection.execute(RELEASES.update().where(RELEASES.c.id == release).values(**values))


def with_record(connection: sa.Connection, release: str, record: Mapping[str, Any]) -> None:
    """Write what is now known of a release whose state stays."""
    connection.execute(
        RELEASES.update().where(RELEASES.c.id == release).values(record=json.dumps(record))
    )


def release_state(connection: sa.Connection, release: str) -> ReleaseState:
    """Where a release stands.

    Raises:
        UsageError: there is none with this id.
    """
    found = connection.execute(sa.select(RELEASES.c.state).where(RELEASES.c.id == release)).scalar()
    if found is None:
        raise UsageError(
            "release/unknown",
            "There is no release with this id.",
            remedy="`gateway releases` lists them.",
        )
    return ReleaseState(found)


def add_package(connection: sa.Connection, package: PackageRecord) -> None:
    """Write a package of a release that is being recorded, and what its recipient will owe."""
    connection.execute(
        PACKAGES.insert().values(
            id=package.id,
            release=package.release,
            output=package.output,
            recipient=package.recipient,
            rows=package.rows,
            digest=package.digest,
            manifest=json.dumps(package.manifest),
            place=package.place,
            forwarded="",
        )
    )
    owed = {"release": package.release, "recipient": package.recipient}
    duty_records.owe(connection, package.id, manifest=package.manifest, **owed)


def mark_forwarded(connection: sa.Connection, package: str, at: dt.datetime) -> None:
    """Say when a package was put where it belongs."""
    connection.execute(
        PACKAGES.update().where(PACKAGES.c.id == package).values(forwarded=at.isoformat())
    )


def packages_of(connection: sa.Connection, release: str) -> list[PackageRecord]:
    """The packages of one release, in the order of its outputs."""
    rows = connection.execute(
        sa.select(PACKAGES).where(PACKAGES.c.release == release).order_by(PACKAGES.c.output)
    )
    return [
        PackageRecord(**{**row._asdict(), "manifest": json.loads(row.manifest)}) for row in rows
    ]


def still_waits(connection: sa.Connection, release: str) -> bool:
    """Whether a release is recorded and a package of it has not reached its folder."""
    waits = (each for each in packages_of(connection, release) if each.place)
    recorded = release_state(connection, release) is ReleaseState.RECORDED
    return recorded and any(not each.forwarded for each in waits)


def not_forwarded(release: str) -> Unavailable:
    """A recorded release waits; whoever tried tries again."""
    return Unavailable(
        "release/not-forwarded",
        "A recorded release waits, because its outbox cannot be written.",
        remedy="Make the outbox writable; the job is tried again.",
        release=release,
    )


def releases(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[ReleaseRecord]:
    """Every release, newest first, or those of which all of these hold."""
    query = sa.select(RELEASES).where(*where).order_by(RELEASES.c.sequence.desc())
    return [_release(row) for row in connection.execute(query)]


def that_left(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> frozenset[str]:
    """The ids of releases of which something has left, or may have, or still will.

    A release that is held after it was recorded is one of them: a package of it went, or may have.
    """
    query = sa.select(PACKAGES.c.release).join(RELEASES, RELEASES.c.id == PACKAGES.c.release)
    out = RELEASES.c.state != ReleaseState.WITHDRAWN.value
    return frozenset(connection.execute(query.where(out, *where).distinct()).scalars())


def columns_that_left(connection: sa.Connection) -> frozenset[str]:
    """The names of all columns that stood in a package.

    A purpose gives an output the same columns as long as its policy is the same: of all
    those packages one manifest is read.
    """
    same = (RELEASES.c.purpose, RELEASES.c.policy_digest, PACKAGES.c.output)
    newest = (
        sa.select(sa.func.max(PACKAGES.c.id))
        .join(RELEASES, RELEASES.c.id == PACKAGES.c.release)
        .group_by(*same)
    )
    manifests = connection.execute(sa.select(PACKAGES.c.manifest).where(PACKAGES.c.id.in_(newest)))
    return frozenset(
        str(column["name"])
        for manifest in manifests.scalars()
        for column in json.loads(manifest)["columns"]
    )


def _release(row: Any) -> ReleaseRecord:
    return ReleaseRecord(
        id=row.id,
        state=ReleaseState(row.state),
        purpose=row.purpose,
        agreement=row.agreement,
        policy_digest=row.policy_digest,
        officer=row.officer,
        created=dt.datetime.fromisoformat(row.created),
        record=json.loads(row.record),
    )
