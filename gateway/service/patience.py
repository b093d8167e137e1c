"""How long a job is tried that cannot be done now: what counts as an attempt, how it rests.

Source: security points 15 and 22; docs/explanation/service.md, "Processes".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

from gateway.adapters.jobs import Job, JobKind
from gateway.adapters.locks import NOT_ITS_TURN

MOST_ATTEMPTS: Final = 12
# A delivery has a time of its own, after which it gives up by itself.
MOST_OF: Final[Mapping[JobKind, int]] = {JobKind.DELIVER: 2_000, JobKind.DISCLOSE: 2_000}
# Codes of a process that died at a job.
DIED: Final = frozenset({"intake/no-check", "intake/no-judgement"})
# Codes that say nothing of the job: it may come as often as it likes.
NO_ATTEMPT: Final = DIED | {NOT_ITS_TURN}
PATIENCE_FOR_THE_DEAD: Final = dt.timedelta(days=1)
FIRST_PAUSE: Final = dt.timedelta(seconds=2)
LONGEST_PAUSE: Final = dt.timedelta(minutes=10)


def most_of(job: Job) -> int:
    """How often a job of this kind is begun before it has failed for good."""
    return MOST_OF.get(job.kind, MOST_ATTEMPTS)


def no_more(job: Job, code: str, at: dt.datetime) -> bool:
    """Whether a job that could not be done now has been tried for long enough."""
    if code == NOT_ITS_TURN:
        return False
    if code not in DIED:
        return job.attempts >= most_of(job)
    # A clock that jumps ends nothing: it must have rested again and again as well.
    waited = at - dt.datetime.fromisoformat(job.created)
    return waited > PATIENCE_FOR_THE_DEAD and pause_after(job) == LONGEST_PAUSE


def pause_after(job: Job, code: str = "") -> dt.timedelta:
    """How long a job rests that could not be done now: twice as long as it rested before.

    A worker that was killed at it says nothing of what the job needs, and lengthens no rest;
    nor does a release that is made before it.
    """
    if code == NOT_ITS_TURN:
        return FIRST_PAUSE
    rested = dt.timedelta()
    if job.attempts > 1 and job.paused and job.ready:
        rested = dt.datetime.fromisoformat(job.ready) - dt.datetime.fromisoformat(job.paused)
    return min(max(2 * rested, FIRST_PAUSE), LONGEST_PAUSE)
