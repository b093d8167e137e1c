"""Alive, ready, and counted: for the machine that watches this one.

`/healthz` says that the process answers; `/readyz` that it may share: documents load,
keys and register are there, the ledger continues, nothing waits to be reconciled after a
restore; and whether partners' files are taken in meanwhile. `/metrics` counts in the form of
Prometheus, by state and by route, and never by person, party or file.

Source: docs/how-to/run-the-service.md, "Logs and metrics"; security points 19, 22;
Prometheus exposition format.
"""

from __future__ import annotations

import json
import time
from typing import Any

from flask import Blueprint, Response, g, request

from gateway.adapters import jobs, metrics
from gateway.adapters.examinations import READINESS, Health, examine
from gateway.web.desk import desk
from gateway.web.guards import open_to_all
from gateway.web.telling import known_method

api = Blueprint("health", __name__)
READY_FOR = 10.0
# What keeps data in and takes it in all the same.
SHARING_ALONE = frozenset({"restore", "clock", "passphrase"})
# A watching machine asks whether the keys are there; a missing passphrase is the doctor's word.
TOLD_AS = {"passphrase": "keys"}
_ready: dict[str, tuple[float, Response]] = {}


@api.get("/healthz")
@open_to_all("says only that this process answers")
def alive() -> Response:
    """Say that the process answers."""
    return Response('{"alive": true}', mimetype="application/json")


@api.get("/readyz")
@open_to_all("says only whether the service may share, and which part is not well")
def ready() -> Response:
    """Say whether everything is there without which nothing may be shared."""
    known = _ready.get(str(desk().settings.data))
    if known is not None and time.monotonic() - known[0] < READY_FOR:
        return known[1]
    found = examine(desk().settings, at=desk().now(), only=READINESS)
    ill = {each.subject for each in found if each.health is Health.ILL}
    told = sorted({TOLD_AS.get(each, each) for each in ill})
    answer = Response(
        json.dumps({"ready": not ill, "not_well": told, "uploads": ill <= SHARING_ALONE}),
        503 if ill else 200,
        mimetype="application/json",
    )
    _ready[str(desk().settings.data)] = (time.monotonic(), answer)
    return answer


@api.get("/metrics")
@open_to_all("counts by state and route; no person, party or file is among them")
def counted() -> Response:
    """Give the counts of this installation in the form of Prometheus."""
    with desk().database.read() as connection:
        told = metrics.exposition(jobs.tally(connection), connection)
    return Response(told, content_type="text/plain; version=0.0.4; charset=utf-8")


@api.before_app_request
def _begun() -> None:
    g.request_begun = time.monotonic()


@api.after_app_request
def _ended(answer: Response) -> Any:
    begun = g.pop("request_begun", None)
    if begun is not None:
        # The rule, never the path: a path may carry an id.
        rule = request.url_rule.rule if request.url_rule else "none"
        # And no method that somebody invents: it would be a label of their own.
        took = time.monotonic() - begun
        metrics.requested(rule, known_method(), answer.status_code, took)
    return answer
