"""The table of jobs, and a job as it is read from it.

Source: docs/explanation/service.md, "Processes".
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from gateway.adapters.database import METADATA
from gateway.errors import UsageError


class JobKind(StrEnum):
    """What a job does."""

    CHECK = "check"
    SHARE = "share"
    REHEARSE = "rehearse"
    DELIVER = "deliver"
    PURGE = "purge"
    PREVIEW = "preview"
    PROPOSE = "propose"
    APPROVE = "approve"
    WITHDRAW = "withdraw"
    ACKNOWLEDGE = "acknowledge"
    SEEK = "seek"
    DISCLOSE = "disclose"
    DUTIES = "duties"
    REASONS = "reasons"


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    HELD = "held"


WAITING = frozenset({JobState.QUEUED, JobState.HELD})
OVER = frozenset({JobState.DONE, JobState.FAILED})

JOBS = sa.Table(
    "jobs",
    METADATA,
    sa.Column("id", sa.String(60), primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("subject", sa.String(200), nullable=False),
    # Kind and subject while the job is not over: the same live job is written once.
    sa.Column("live", sa.String(230), nullable=True, unique=True),
    sa.Column("by", sa.String(120), nullable=False),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("worker", sa.String(120), nullable=False),
    sa.Column("beat", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    # What the running attempt makes, chosen before it is made.
    sa.Column("effect", sa.String(60), nullable=False),
    sa.Column("step", sa.String(200), nullable=False),
    sa.Column("done", sa.Integer, nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("code", sa.String(60), nullable=False),
    sa.Column("created", sa.String(40), nullable=False),
    # When a pause was set and until when; empty means now.
    sa.Column("paused", sa.String(40), nullable=False),
    sa.Column("ready", sa.String(40), nullable=False),
    sa.Column("started", sa.String(40), nullable=False),
    sa.Column("finished", sa.String(40), nullable=False),
    sa.Index("jobs_waiting", "state", "kind", "created"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job; times are ISO texts with their zone, empty where there is none yet."""

    id: str
    kind: JobKind
    subject: str
    by: str
    request: Mapping[str, Any]
    state: JobState
    step: str = ""
    done: int = 0
    total: int = 0
    outcome: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    created: str
    paused: str = ""
    ready: str = ""
    started: str = ""
    finished: str = ""
    attempts: int = 0
    effect: str = ""


def find(connection: sa.Connection, job_id: str) -> Job:
    """One job.

    Raises:
        UsageError: there is none with this id.
    """
    row = connection.execute(sa.select(JOBS).where(JOBS.c.id == job_id)).one_or_none()
    if row is None:
        raise UsageError(
            "job/unknown",
            "There is no job with this id.",
            remedy="Take the id from the answer that began the job.",
        )
    return job_of(row)


def pause(at: dt.datetime, not_before: dt.datetime | None) -> dict[str, str]:
    """The columns of a pause."""
    if not_before is None:
        return {"paused": "", "ready": ""}
    return {"paused": as_text(at), "ready": as_text(not_before)}


def as_text(at: dt.datetime) -> str:
    """A time as text: one zone and one width, so that texts compare as times do."""
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds")


def job_of(row: Any) -> Job:
    """A job from its row."""
    known = {name: getattr(row, name) for name in Job.__dataclass_fields__}
    known |= {"kind": JobKind(row.kind), "state": JobState(row.state)}
    return Job(**{**known, "request": json.loads(row.request), "outcome": json.loads(row.outcome)})
