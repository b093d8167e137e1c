"""Extracts by the API: send one in a single POST, then read its receipt and findings.

A partner sees its own; the council's data team every party's. An extract of another
party and one that does not exist are answered alike.

Source: requirements R12-R18; security point 2; docs/how-to/send-by-api.md.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from gateway.adapters.uploads import Upload
from gateway.errors import GatewayError, UsageError
from gateway.model.permissions import Action
from gateway.web.api.body import Body
from gateway.web.api.operations import BOTH, answer, asked, operation
from gateway.web.api.shapes import Accepted, DatasetQuery
from gateway.web.api.taking_in import broken, require_sender, uploads
from gateway.web.callers import Caller
from gateway.web.guards import guarded

api = Blueprint("extracts-api", __name__, url_prefix="/api/v1")
_FORMS = frozenset({"multipart/form-data", "application/x-www-form-urlencoded"})
_FILE = "application/octet-stream"


@api.post("/extracts")
@operation(
    answers={202: Accepted},
    problems=(409, 413, 415, 429),
    query=DatasetQuery,
    body=_FILE,
    takes=("Idempotency-Key",),
    gives={202: ("Location",)},
)
@guarded(Action.EXTRACT_UPLOAD, realm=BOTH)
def send(*, caller: Caller) -> Response:
    """Send a whole file as the body; it is checked when it has arrived."""
    query = asked(DatasetQuery)
    if request.mimetype in _FORMS:
        raise UsageError(
            "request/media-type",
            "The body is not of the kind that this address takes.",
            remedy="Send the file itself as the body, as application/octet-stream or text/csv.",
        )
    require_sender(caller, query.dataset)
    upload = _taken(query.dataset, Body(request.environ), caller)
    return answer(
        Accepted(upload=upload.id, job=upload.job),
        202,
        Location=f"{api.url_prefix}/uploads/{upload.id}",
    )


def _taken(dataset: str, body: Body, caller: Caller) -> Upload:
    """Take the body in; of one that does not arrive whole, nothing is kept."""
    store = uploads()
    upload = store.create(dataset=dataset, party=caller.party, by=caller.name)
    try:
        arrived = store.append(upload.id, 0, body, party=caller.party)
        if not body.ended:
            raise broken()
        return store.complete(arrived)
    except GatewayError:
        store.terminate(upload.id, party=caller.party)
        raise
