"""What workers ask of themselves: a purge each day, by whoever looks first.

Source: security point 25; docs/explanation/service.md, "Processes".
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from gateway.adapters import jobs
from gateway.adapters.database import Database
from gateway.adapters.jobs import JobKind

EVERY: Final = dt.timedelta(days=1)
LOOK_SECONDS: Final = 600.0


def ask_for_purge(database: Database, *, at: dt.datetime) -> str | None:
    """Ask for the day's purge, unless it was asked for; its job."""
    with database.begin() as connection:
        last = jobs.listed(connection, kind=JobKind.PURGE, limit=1)
        if last and abs(at - dt.datetime.fromisoformat(last[0].created)) < EVERY:
            return None
        return jobs.enqueue(connection, JobKind.PURGE, subject="daily", by="", request={}, at=at)
