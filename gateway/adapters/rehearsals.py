"""One release of one rehearsal: who presses twice, or goes back and presses, gets the first.

The job that makes a release names the rehearsals that led to it. It is looked for in the
transaction that would write another, and writing transactions come one after the other.
A rehearsal whose release came to nothing may be released again: no package of it left.

Source: security points 15 and 23; docs/explanation/service.md, "A release, exactly once".
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Final

import sqlalchemy as sa

from gateway.adapters import jobs
from gateway.adapters.deliveries import may_have_left
from gateway.adapters.job_records import JOBS, OVER, Job, JobKind, job_of
from gateway.adapters.release_store import RELEASES, ReleaseState

LED_HERE: Final = "rehearsals"
_TO_NOTHING: Final = (ReleaseState.REFUSED, ReleaseState.HELD, ReleaseState.WITHDRAWN)


def released_by(connection: sa.Connection, rehearsal: Job) -> Job | None:
    """The job that releases or has released a rehearsal; none if nothing came of any."""
    named = JOBS.c.request.contains(json.dumps(rehearsal.id), autoescape=True)
    query = (
        sa.select(JOBS)
        .where(JOBS.c.kind == JobKind.SHARE, JOBS.c.subject == _subject(rehearsal), named)
        .order_by(JOBS.c.created.desc(), JOBS.c.id)
    )
    found = (job_of(row) for row in connection.execute(query))
    return next((job for job in found if not _came_to_nothing(connection, job)), None)


def release(connection: sa.Connection, rehearsal: Job, *, by: str, at: dt.datetime) -> Job:
    """Ask for the release of a rehearsal; if that was done before, it is that job.

    Args:
        connection: a writing transaction.
        rehearsal: that would forward.
        by: who asks.
        at: now.
    """
    before = released_by(connection, rehearsal)
    if before is not None:
        return before
    asked = {name: rehearsal.request[name] for name in ("purpose", "agreement")}
    job = jobs.enqueue(
        *(connection, JobKind.SHARE),
        subject=_subject(rehearsal),
        by=by,
        request={**asked, LED_HERE: []},
        at=at,
    )
    # Another rehearsal, or none, may have led to the same job while it is not over.
    known = jobs.find(connection, job).request
    led = {**known, LED_HERE: [*known.get(LED_HERE, []), rehearsal.id]}
    connection.execute(JOBS.update().where(JOBS.c.id == job).values(request=json.dumps(led)))
    return jobs.find(connection, job)


def _subject(rehearsal: Job) -> str:
    return f"{rehearsal.request['purpose']}/{rehearsal.request['agreement']}"


def _came_to_nothing(connection: sa.Connection, job: Job) -> bool:
    """Whether a job is over and no package of its release left or may yet leave."""
    if job.state not in OVER:
        return False
    chosen = sa.select(RELEASES.c.state).where(RELEASES.c.id == job.effect)
    state = connection.execute(chosen).scalar() if job.effect else None
    if state is None:
        return True
    return state in _TO_NOTHING and not may_have_left(connection, job.effect)
