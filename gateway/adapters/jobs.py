"""Jobs: what the web process asks of the workers, each done once whoever dies on the way.

    queued -> running -> done | failed        held: waits until a worker has the keys

A worker holds a job by a lease that it keeps alive by counting. Whoever waits for a
silent worker measures its silence on a steady clock of its own (`Watch`), so no
jump of a machine's time frees a lease or keeps one. What a job asks and what came
of it are ids, names of policies, counts and codes: never a person's value.

Source: security points 15, 22 and 23; docs/adr/0250-leases-without-clocks.md.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import secrets
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from gateway.adapters.job_leases import (
    Watch,
    again,
    choose,
    claim,
    finish,
    give_back,
    held_for,
    hold,
    let_fall,
    told,
)
from gateway.adapters.job_records import (
    JOBS,
    OVER,
    WAITING,
    Job,
    JobKind,
    JobState,
    as_text,
    find,
    job_of,
    pause,
)

__all__ = [
    "OVER",
    "WAITING",
    "Job",
    "JobKind",
    "JobState",
    "Watch",
    "again",
    "choose",
    "claim",
    "enqueue",
    "find",
    "finish",
    "forget",
    "give_back",
    "held_for",
    "hold",
    "hurry",
    "let_fall",
    "listed",
    "oldest_waiting",
    "tally",
    "told",
]


def enqueue(
    connection: sa.Connection,
    kind: JobKind,
    *,
    subject: str,
    by: str,
    request: Mapping[str, Any],
    at: dt.datetime,
    not_before: dt.datetime | None = None,
) -> str:
    """Ask for a job; while one of the same kind and subject is not over, it is that one.

    Args:
        connection: the transaction of what the job belongs to.
        kind: what is to be done.
        subject: what it is done to: an upload, a purpose under an agreement, a package.
        by: who asked.
        request: ids, names and days that it needs; no person's value.
        at: now.
        not_before: when it may begin, if not now.
    """
    live = f"{kind}:{subject}"
    there = connection.execute(sa.select(JOBS.c.id).where(JOBS.c.live == live)).scalar()
    if there is not None:
        return str(there)
    job = f"job-{base64.b32encode(secrets.token_bytes(16)).decode().rstrip('=').lower()}"
    blank = dict.fromkeys(("worker", "effect", "step", "code", "started", "finished"), "")
    zero = dict.fromkeys(("beat", "attempts", "done", "total"), 0)
    asked: dict[str, Any] = {
        "kind": kind,
        "subject": subject,
        "live": live,
        "by": by,
        "state": JobState.QUEUED,
    }
    asked |= {"request": json.dumps(request), "outcome": "{}", "created": as_text(at)}
    asked |= pause(at, not_before)
    connection.execute(JOBS.insert().values(id=job, **asked, **blank, **zero))
    return job


def hurry(connection: sa.Connection, job_id: str) -> None:
    """Let a job that waits for its next try begin at once."""
    waits = sa.and_(JOBS.c.id == job_id, JOBS.c.state.in_(WAITING))
    connection.execute(JOBS.update().where(waits).values(paused="", ready=""))


def listed(
    connection: sa.Connection,
    *,
    kind: JobKind | None = None,
    by: str | None = None,
    subject: str | None = None,
    limit: int = 50,
) -> list[Job]:
    """The newest jobs, of one kind, asker or subject if named."""
    query = sa.select(JOBS).order_by(JOBS.c.created.desc(), JOBS.c.id).limit(limit)
    query = query if kind is None else query.where(JOBS.c.kind == kind)
    query = query if by is None else query.where(JOBS.c.by == by)
    query = query if subject is None else query.where(JOBS.c.subject == subject)
    return [job_of(row) for row in connection.execute(query)]


def tally(connection: sa.Connection) -> dict[tuple[str, str], int]:
    """How many jobs of each kind stand in each state."""
    counted = sa.select(JOBS.c.kind, JOBS.c.state, sa.func.count()).group_by(
        JOBS.c.kind, JOBS.c.state
    )
    return {(kind, state): count for kind, state, count in connection.execute(counted)}


def oldest_waiting(connection: sa.Connection) -> dt.datetime | None:
    """When the job was asked for that waits longest; None where none waits."""
    first = connection.execute(
        sa.select(sa.func.min(JOBS.c.created)).where(JOBS.c.state == JobState.QUEUED)
    ).scalar()
    return dt.datetime.fromisoformat(first) if first else None


def forget(connection: sa.Connection, *, before: dt.datetime) -> int:
    """Delete jobs that were over before a time; how many."""
    old = sa.and_(JOBS.c.state.in_(OVER), JOBS.c.finished < as_text(before))
    return connection.execute(JOBS.delete().where(old)).rowcount
