"""What workers ask of themselves each day, by whoever looks first: a purge, recipients' duties.

Source: security points 15 and 25; docs/explanation/service.md, "Processes".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Final

from gateway.adapters import jobs
from gateway.adapters.database import Database
from gateway.adapters.jobs import JobKind

EVERY: Final = dt.timedelta(days=1)
LOOK_SECONDS: Final = 600.0
DAILY: Final = (JobKind.PURGE, JobKind.DUTIES)


def ask_for_the_day(
    database: Database, kinds: Collection[JobKind], *, at: dt.datetime
) -> tuple[str, ...]:
    """Ask for the day's work of these kinds, unless it was asked for; its jobs."""
    asked = (_ask(database, kind, at=at) for kind in DAILY if kind in kinds)
    return tuple(job for job in asked if job is not None)


def _ask(database: Database, kind: JobKind, *, at: dt.datetime) -> str | None:
    with database.begin() as connection:
        last = jobs.listed(connection, kind=kind, limit=1)
        if last and abs(at - dt.datetime.fromisoformat(last[0].created)) < EVERY:
            return None
        return jobs.enqueue(connection, kind, subject="daily", by="", request={}, at=at)
