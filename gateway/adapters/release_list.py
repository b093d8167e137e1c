"""Releases as pages show them: newest first, a page at a time, or one with its packages.

Source: docs/explanation/service.md; security point 15.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import sqlalchemy as sa

from gateway.adapters.release_store import RELEASES, ReleaseRecord, ReleaseState
from gateway.errors import UsageError


def listed(
    connection: sa.Connection, *, limit: int = 25, offset: int = 0, purpose: str | None = None
) -> list[ReleaseRecord]:
    """The newest releases, of one purpose if named."""
    query = sa.select(RELEASES).order_by(RELEASES.c.sequence.desc())
    query = query if purpose is None else query.where(RELEASES.c.purpose == purpose)
    return [_release(row) for row in connection.execute(query.limit(limit).offset(offset))]


def one(connection: sa.Connection, release: str) -> ReleaseRecord:
    """One release.

    Raises:
        UsageError: there is none with this id.
    """
    row = connection.execute(sa.select(RELEASES).where(RELEASES.c.id == release)).one_or_none()
    if row is None:
        raise UsageError(
            "release/unknown",
            "There is no release with this id.",
            remedy="`gateway releases` lists them.",
        )
    return _release(row)


def _release(row: Any) -> ReleaseRecord:
    held = row._asdict()
    del held["sequence"]
    held["state"] = ReleaseState(held["state"])
    held["created"] = dt.datetime.fromisoformat(held["created"])
    held["record"] = json.loads(held["record"])
    return ReleaseRecord(**held)
