"""Jobs by the API: how far each is and what came of it, in ids, codes and rounded counts.

Source: docs/explanation/service.md, "Processes"; security point 19.
"""

from __future__ import annotations

from flask import Blueprint, Response

from gateway.adapters import jobs, uploads
from gateway.adapters.jobs import Job, JobKind
from gateway.errors import UsageError
from gateway.model.permissions import Action, permits
from gateway.web.api.operations import BOTH, answer, operation
from gateway.web.api.shapes import JobTold
from gateway.web.callers import Caller
from gateway.web.desk import desk
from gateway.web.guards import guarded

api = Blueprint("jobs-api", __name__, url_prefix="/api/v1")


@api.get("/jobs/<job>")
@operation(answers={200: JobTold}, problems=(404,))
@guarded(Action.JOB_READ, realm=BOTH)
def one(job: str, *, caller: Caller) -> Response:
    """Say how far a job is and what came of it; a partner sees the checks of its uploads."""
    found = _seen(job, caller)
    return answer(
        JobTold(
            job=found.id,
            kind=found.kind,
            state=found.state,
            step=found.step,
            done=found.done,
            total=found.total,
            code=found.code,
            created=found.created,
            started=found.started,
            finished=found.finished,
            outcome=dict(found.outcome),
        )
    )


def _seen(job: str, caller: Caller) -> Job:
    with desk().database.read() as connection:
        found = jobs.find(connection, job)
        if permits(Action.RELEASE_READ, caller.roles):
            return found
        if found.kind is JobKind.CHECK:
            upload = uploads.find(connection, found.subject)
            if upload.party == caller.party:
                return found
    raise UsageError(
        "job/unknown",
        "There is no job with this id.",
        remedy="Take the id from the answer that began the job.",
    )
