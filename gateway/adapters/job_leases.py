"""Leases: who does which job, and who takes it over from a worker that has gone silent.

No time decides about a lease: a worker counts, and whoever waits measures the silence
on a steady clock of its own. What the loser of a lease still writes changes nothing.

Source: docs/adr/0250-leases-without-clocks.md; security points 15 and 22.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import sqlalchemy as sa

from gateway.adapters.job_records import (
    JOBS,
    WAITING,
    Job,
    JobKind,
    JobState,
    as_text,
    find,
    pause,
)


class Watch:
    """How long other workers' leases have been silent, by this process's own steady clock."""

    def __init__(self, steady: Callable[[], float]) -> None:
        """Begin to watch; nothing has been seen.

        Args:
            steady: seconds that only go forward, as `time.monotonic`.
        """
        self._steady = steady
        self._seen: dict[str, tuple[str, int, float]] = {}

    def silent(self, connection: sa.Connection, lease: dt.timedelta) -> list[str]:
        """Running jobs whose worker has not counted on for a whole lease while we watched."""
        columns = (JOBS.c.id, JOBS.c.worker, JOBS.c.beat)
        rows = connection.execute(sa.select(*columns).where(JOBS.c.state == JobState.RUNNING))
        now, before = self._steady(), self._seen
        self._seen = {}
        for job, worker, beat in rows:
            known = before.get(job)
            same = known is not None and known[:2] == (worker, beat)
            self._seen[job] = known if known and same else (worker, beat, now)
        limit = lease.total_seconds()
        return [job for job, (_, _, since) in self._seen.items() if now - since >= limit]


# An emergency waits behind nothing else.
_FIRST: Final = sa.case((JOBS.c.kind.in_([JobKind.SEEK, JobKind.DISCLOSE]), 0), else_=1)


def claim(
    connection: sa.Connection,
    worker: str,
    *,
    kinds: Collection[JobKind],
    at: dt.datetime,
    lease: dt.timedelta,
    watch: Watch | None = None,
) -> Job | None:
    """Take the oldest job that waits, or that a silent worker has let fall.

    Args:
        connection: a transaction of its own.
        worker: the name of this run of this worker.
        kinds: what this worker does.
        at: now; it decides about pauses only.
        lease: how long a worker may be silent.
        watch: what this process has seen of other workers; without it none is taken over.
    """
    silent = watch.silent(connection, lease) if watch else []
    # A pause that was set in the future: the clock has gone back, and its end means nothing.
    due = sa.or_(JOBS.c.ready == "", JOBS.c.ready <= as_text(at), JOBS.c.paused > as_text(at))
    waits = sa.and_(JOBS.c.state.in_(WAITING), due)
    fallen = sa.and_(JOBS.c.state == JobState.RUNNING, JOBS.c.id.in_(silent))
    chosen = (
        sa.select(JOBS.c.id)
        .where(sa.or_(waits, fallen), JOBS.c.kind.in_(kinds))
        .order_by(_FIRST, JOBS.c.created, JOBS.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    job = connection.execute(chosen).scalar()
    if job is None:
        return None
    taken: dict[str, Any] = {
        "state": JobState.RUNNING,
        "worker": worker,
        "started": as_text(at),
        "code": "",
    }
    taken |= {"step": "", "done": 0, "total": 0}
    connection.execute(
        JOBS.update()
        .where(JOBS.c.id == job)
        .values(beat=JOBS.c.beat + 1, attempts=JOBS.c.attempts + 1, **taken)
    )
    return find(connection, job)


def told(
    connection: sa.Connection,
    job_id: str,
    worker: str,
    *,
    step: str | None = None,
    done: int = 0,
    total: int = 0,
) -> bool:
    """Count on, and say how far the job is; false if the lease has gone to somebody else.

    Args:
        connection: a transaction of its own.
        job_id: the job.
        worker: who believes to hold it.
        step: what is being done; without it only the count goes on.
        done: how far.
        total: of how much; 0 if nobody knows.
    """
    far = {} if step is None else {"step": step[:200], "done": done, "total": total}
    return _held_update(connection, job_id, worker, {"beat": JOBS.c.beat + 1, **far})


def choose(connection: sa.Connection, job_id: str, worker: str, *, effect: str) -> bool:
    """Write down what this attempt will make, before it is made; false if the lease is gone."""
    return _held_update(connection, job_id, worker, {"effect": effect})


def finish(
    connection: sa.Connection,
    job_id: str,
    worker: str,
    *,
    state: JobState,
    outcome: Mapping[str, Any],
    code: str,
    at: dt.datetime,
) -> bool:
    """End a job as done or failed; false, and nothing changed, if the lease is gone."""
    told_of = {"outcome": json.dumps(outcome), "code": code, "finished": as_text(at)}
    over = {"state": state, "live": None, "worker": ""}
    return _held_update(connection, job_id, worker, {**over, **told_of})


def again(
    connection: sa.Connection,
    job_id: str,
    worker: str,
    *,
    at: dt.datetime,
    not_before: dt.datetime,
    code: str,
    counts: bool = True,
) -> bool:
    """Put a job back until later, saying why; false if the lease is gone.

    Args:
        connection: a transaction of its own.
        job_id: the job.
        worker: who holds it.
        at: now.
        not_before: when it may begin again.
        code: why.
        counts: this was an attempt; else it is none, unless it was the first.
    """
    back: dict[str, Any] = {"state": JobState.QUEUED, "worker": "", "code": code}
    if not counts:
        back["attempts"] = sa.case((JOBS.c.attempts > 1, JOBS.c.attempts - 1), else_=1)
    return _held_update(connection, job_id, worker, {**back, **pause(at, not_before)})


def give_back(connection: sa.Connection, worker: str) -> int:
    """Put back, as if never begun, what a worker holds that stops in order; how many."""
    return _freed(connection, JOBS.c.worker == worker, attempts=JOBS.c.attempts - 1)


def let_fall(connection: sa.Connection, slot: str) -> int:
    """Put back what earlier runs of a worker's place held; only who owns the place may say so."""
    return _freed(connection, JOBS.c.worker.startswith(f"{slot}#", autoescape=True))


def hold(connection: sa.Connection, *, kinds: Collection[JobKind], code: str) -> int:
    """Say that waiting jobs cannot begin, and why; the next worker that can takes them."""
    waits = sa.and_(JOBS.c.state == JobState.QUEUED, JOBS.c.kind.in_(kinds))
    held = JOBS.update().where(waits).values(state=JobState.HELD, code=code)
    return connection.execute(held).rowcount


def held_for(connection: sa.Connection, code: str, *, at: dt.datetime) -> int:
    """How many held jobs could begin now but for one thing; none while any job is being done.

    Whoever does a job has what the held ones lack: they wait only for their turn.
    """
    due = sa.or_(JOBS.c.ready == "", JOBS.c.ready <= as_text(at))
    held = sa.and_(JOBS.c.state == JobState.HELD, JOBS.c.code == code, due)
    running = sa.select(JOBS.c.id).where(JOBS.c.state == JobState.RUNNING).limit(1)
    if connection.execute(running).first():
        return 0
    return int(connection.execute(sa.select(sa.func.count()).where(held)).scalar_one())


def _held_update(
    connection: sa.Connection, job_id: str, holder: str, values: Mapping[str, Any]
) -> bool:
    mine = sa.and_(JOBS.c.id == job_id, JOBS.c.worker == holder, JOBS.c.state == JobState.RUNNING)
    return connection.execute(JOBS.update().where(mine).values(values)).rowcount == 1


def _freed(connection: sa.Connection, whose: sa.ColumnElement[bool], **values: Any) -> int:
    held = sa.and_(JOBS.c.state == JobState.RUNNING, whose)
    free = {"state": JobState.QUEUED, "worker": "", **values}
    return connection.execute(JOBS.update().where(held).values(**free)).rowcount
