"""What is known of each upload: whose, how far, and what became of it; never a file's name.

    open -> complete -> checking -> done    the last byte and the job `check` are one transaction
      |                     `-> failed      the check gave up; the partner sends the file again
      `-> expired | terminated

Source: tus 1.0, "Creation", "Expiration", "Termination"; security points 8 and 23.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from gateway.adapters.database import METADATA
from gateway.errors import UsageError

UNKNOWN_LENGTH = -1

UPLOADS = sa.Table(
    "uploads",
    METADATA,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("party", sa.String(60), nullable=False),
    sa.Column("by", sa.String(60), nullable=False),
    sa.Column("dataset", sa.String(60), nullable=False),
    sa.Column("length", sa.BigInteger, nullable=False),
    sa.Column("offset", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("created", sa.String(40), nullable=False),
    sa.Column("expires", sa.String(40), nullable=False),
    sa.Column("job", sa.String(40), nullable=False),
    sa.Column("extract", sa.String(40), nullable=False),
    sa.Column("code", sa.String(80), nullable=False),
    sa.Index("uploads_by_party", "party", "state"),
)
SEGMENTS = sa.Table(
    "upload_segments",
    METADATA,
    sa.Column("upload", sa.String(40), sa.ForeignKey("uploads.id"), primary_key=True),
    sa.Column("start", sa.BigInteger, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("storage_key", sa.String(60), nullable=False),
    sa.Column("head_digest", sa.String(64), nullable=False),
)


class UploadState(StrEnum):
    """How far an upload is."""

    OPEN = "open"
    COMPLETE = "complete"
    CHECKING = "checking"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"
    TERMINATED = "terminated"


WHOLE = frozenset({UploadState.COMPLETE, UploadState.CHECKING})
KEPT = WHOLE | {UploadState.OPEN}
"""States in which the segments are needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One upload; `length` is -1 while it is not known (a plain POST in chunks)."""

    id: str
    party: str
    by: str
    dataset: str
    length: int
    offset: int
    state: UploadState
    created: dt.datetime
    expires: dt.datetime
    job: str = ""
    extract: str = ""
    code: str = ""

    def values(self) -> dict[str, Any]:
        """The row of this upload."""
        row = {column.name: getattr(self, column.name) for column in UPLOADS.columns}
        return row | {"created": self.created.isoformat(), "expires": self.expires.isoformat()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One sealed piece: `size` bytes of the file from `start` on."""

    upload: str
    start: int
    size: int
    name: str
    storage_key: str
    head_digest: str


def find(connection: sa.Connection, upload: str) -> Upload:
    """One upload.

    Raises:
        UsageError: there is none with this id.
    """
    row = connection.execute(sa.select(UPLOADS).where(UPLOADS.c.id == upload)).first()
    if row is None:
        raise unknown()
    return _upload(row)


def listed(connection: sa.Connection, *, party: str | None = None, limit: int = 50) -> list[Upload]:
    """The newest uploads, of one party if named."""
    query = sa.select(UPLOADS).order_by(UPLOADS.c.created.desc(), UPLOADS.c.id).limit(limit)
    query = query if party is None else query.where(UPLOADS.c.party == party)
    return [_upload(row) for row in connection.execute(query)]


def unfinished(connection: sa.Connection, *, party: str, at: dt.datetime) -> list[Upload]:
    """The open uploads of a party whose time is not over, the oldest first."""
    query = sa.select(UPLOADS).where(
        UPLOADS.c.party == party,
        UPLOADS.c.state == UploadState.OPEN,
        UPLOADS.c.expires > at.isoformat(),
    )
    found = connection.execute(query.order_by(UPLOADS.c.created, UPLOADS.c.id))
    return [_upload(row) for row in found]


def segments_of(connection: sa.Connection, upload: str) -> list[Segment]:
    """The pieces of an upload, in order."""
    query = sa.select(SEGMENTS).where(SEGMENTS.c.upload == upload).order_by(SEGMENTS.c.start)
    return [Segment(**row._asdict()) for row in connection.execute(query)]


def needed(connection: sa.Connection, upload: str, name: str) -> bool:
    """Whether a file is a counted piece of an upload that is not over."""
    query = (
        sa.select(UPLOADS.c.id)
        .join(SEGMENTS, SEGMENTS.c.upload == UPLOADS.c.id)
        .where(UPLOADS.c.id == upload, SEGMENTS.c.name == name, UPLOADS.c.state.in_(KEPT))
    )
    return connection.execute(query).first() is not None


def keys_needed(connection: sa.Connection) -> set[str]:
    """The keys to which pieces are sealed that are still needed."""
    query = (
        sa.select(SEGMENTS.c.storage_key)
        .join(UPLOADS, SEGMENTS.c.upload == UPLOADS.c.id)
        .where(UPLOADS.c.state.in_(KEPT))
        .distinct()
    )
    return set(connection.execute(query).scalars())


def open_count(connection: sa.Connection, party: str) -> int:
    """How many uploads of a party are open."""
    query = sa.select(sa.func.count()).where(
        UPLOADS.c.party == party, UPLOADS.c.state == UploadState.OPEN
    )
    return int(connection.execute(query).scalar_one())


def move(connection: sa.Connection, upload: Upload, segment: Segment) -> bool:
    """Count a segment: the offset moves if it is still where the segment begins."""
    moved = connection.execute(
        UPLOADS.update()
        .where(
            UPLOADS.c.id == upload.id,
            UPLOADS.c.offset == segment.start,
            UPLOADS.c.state == UploadState.OPEN,
        )
        .values(offset=segment.start + segment.size, expires=upload.expires.isoformat())
    ).rowcount
    if moved:
        row = {column.name: getattr(segment, column.name) for column in SEGMENTS.columns}
        connection.execute(SEGMENTS.insert().values(**row))
    return bool(moved)


def turn(
    connection: sa.Connection, upload: str, *, from_: frozenset[UploadState], **values: Any
) -> bool:
    """Change an upload if it is in one of these states; whether it was."""
    where = sa.and_(UPLOADS.c.id == upload, UPLOADS.c.state.in_(from_))
    return bool(connection.execute(UPLOADS.update().where(where).values(**values)).rowcount)


def expire(connection: sa.Connection, at: dt.datetime) -> list[str]:
    """Let the open uploads whose time is over expire; which they were."""
    query = sa.select(UPLOADS.c.id).where(
        UPLOADS.c.state == UploadState.OPEN, UPLOADS.c.expires <= at.isoformat()
    )
    late = list(connection.execute(query).scalars())
    for upload in late:
        turn(connection, upload, from_=frozenset({UploadState.OPEN}), state=UploadState.EXPIRED)
    return late


def unknown() -> UsageError:
    """The one answer about an upload that is not there, or not the caller's."""
    return UsageError(
        "upload/unknown-upload",
        "There is no upload with this id.",
        remedy="Begin a new one.",
    )


def _upload(row: Any) -> Upload:
    held = row._asdict()
    held |= {name: dt.datetime.fromisoformat(held[name]) for name in ("created", "expires")}
    return Upload(**held | {"state": UploadState(held["state"])})
