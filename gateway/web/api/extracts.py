"""Extracts by the API: send one in a single POST, then read its receipt and findings.

A partner sees its own; the council's data team every party's. An extract of another
party and one that does not exist are answered alike.

Source: requirements R12-R18; security point 2; docs/how-to/send-by-api.md.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from gateway.adapters import extract_list, receipts
from gateway.adapters.uploads import Uploads
from gateway.errors import GatewayError, UsageError
from gateway.model.extracts import ExtractRecord
from gateway.model.permissions import Action, permits
from gateway.web import extracts_known
from gateway.web.api.body import Body
from gateway.web.api.operations import BOTH, answer, asked, operation
from gateway.web.api.repeating import HEADER, Repeated, first_time, once
from gateway.web.api.shapes import (
    Accepted,
    DatasetQuery,
    ExtractLine,
    ExtractList,
    ExtractTold,
    FindingTold,
    Page,
)
from gateway.web.api.taking_in import broken, require_sender, uploads
from gateway.web.callers import Caller
from gateway.web.desk import desk
from gateway.web.guards import guarded

api = Blueprint("extracts-api", __name__, url_prefix="/api/v1")
_ALL, _ONE = "/extracts", "/extracts/<extract>"
_FORMS = frozenset({"multipart/form-data", "application/x-www-form-urlencoded"})
_FILE = ("application/octet-stream", "text/csv")


@api.post(_ALL)
@operation(
    answers={202: Accepted},
    problems=(409, 413, 415, 422, 429),
    query=DatasetQuery,
    body=_FILE,
    takes=(HEADER,),
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
    body = Body(request.environ, digested=HEADER in request.headers)
    told = Accepted(**_taken(uploads(), query.dataset, body, caller))
    return answer(told, 202, Location=f"{api.url_prefix}/uploads/{told.upload}")


@api.get(_ALL)
@operation(answers={200: ExtractList}, query=Page)
@guarded(Action.FINDINGS_READ, realm=BOTH)
def every(*, caller: Caller) -> Response:
    """List extracts, newest first: a partner its own, the data team every party's."""
    page = asked(Page)
    with desk().database.read() as connection:
        found = extract_list.listed(connection, party=_party(caller), limit=page.limit)
    lines = [
        ExtractLine(
            extract=each.id,
            dataset=each.dataset,
            party=each.party,
            state=each.state,
            rows=each.rows,
            accepted=each.accepted,
            quarantined=each.quarantined,
            received=each.received_at,
            superseded_by=each.superseded_by,
        )
        for each in found
    ]
    return answer(ExtractList(extracts=lines))


@api.get(_ONE)
@operation(answers={200: ExtractTold}, problems=(404,))
@guarded(Action.FINDINGS_READ, realm=BOTH)
def one(extract: str, *, caller: Caller) -> Response:
    """Say what came of one extract, with every finding."""
    return answer(_told(extracts_known.extract(extract, party=_party(caller))))


@api.get(f"{_ONE}/rows")
@operation(answers={200: "text/csv"}, problems=(404,))
@guarded(Action.FINDINGS_READ, realm=BOTH)
def rows(extract: str, *, caller: Caller) -> Response:
    """List the failing rows: row, column and rule, no value."""
    record = extracts_known.extract(extract, party=_party(caller))
    return Response(extracts_known.rows_text(record), mimetype="text/csv")


@api.get(f"{_ONE}/receipt")
@operation(answers={200: "application/jose"}, problems=(404,))
@guarded(Action.FINDINGS_READ, realm=BOTH)
def receipt(extract: str, *, caller: Caller) -> Response:
    """Give the signed receipt (JWS), to be verified by this gateway's trust descriptor."""
    record = extracts_known.extract(extract, party=_party(caller))
    with desk().database.read() as connection:
        signed = receipts.read(connection, record.id)
    return Response(signed, mimetype="application/jose")


def _party(caller: Caller) -> str | None:
    """Whose extracts the caller sees; every party's for the data team."""
    return None if permits(Action.EXTRACT_READ, caller.roles) else caller.party


def _taken(store: Uploads, dataset: str, body: Body, caller: Caller) -> dict[str, Any]:
    """Take the body in; of one that does not arrive whole, or came before, nothing is kept."""
    upload = store.create(dataset=dataset, party=caller.party, by=caller.name)
    try:
        arrived = store.append(upload.id, 0, body, party=caller.party)
        if not body.ended:
            raise broken()
        seen = once(caller, body.digest())
        whole = store.complete(
            arrived,
            also=lambda connection, new: first_time(
                connection, seen, {"upload": new.id, "job": new.job}
            ),
        )
    except Repeated as before:
        store.terminate(upload.id, party=caller.party)
        return before.told
    except GatewayError:
        store.terminate(upload.id, party=caller.party)
        raise
    return {"upload": whole.id, "job": whole.job}


def _told(record: ExtractRecord) -> ExtractTold:
    return ExtractTold(
        extract=record.id,
        dataset=record.dataset,
        party=record.party,
        state=record.state,
        rows=record.rows,
        accepted=record.accepted,
        quarantined=record.quarantined,
        dropped_columns=list(record.dropped_columns),
        findings=[FindingTold.model_validate(each) for each in record.findings],
        received=record.received_at,
        content_digest=record.content_digest,
        supersedes=record.supersedes,
        superseded_by=record.superseded_by,
    )
