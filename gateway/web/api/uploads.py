"""Resumable uploads by tus 1.0: create, append, ask, end; each piece sealed as it comes.

Source: tus 1.0; docs/how-to/send-by-api.md; security points 2, 8 and 23.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from gateway.adapters.uploads import Upload
from gateway.errors import GatewayError
from gateway.model.permissions import Action
from gateway.web.api import tus
from gateway.web.api.body import Body
from gateway.web.api.operations import BOTH, answer, operation
from gateway.web.api.repeating import (
    HEADER,
    Repeated,
    arriving,
    first_time,
    once,
    require_same,
)
from gateway.web.api.shapes import UploadTold
from gateway.web.api.taking_in import broken, require_sender, told_of, uploads
from gateway.web.callers import Caller
from gateway.web.guards import guarded, open_to_all

api = Blueprint("uploads", __name__, url_prefix="/api/v1")
api.after_request(tus.marked)

_ALL, _ONE = "/uploads", "/uploads/<upload>"
_SPEAKS = "Tus-Resumable"
_ABLE = (_SPEAKS, "Tus-Version", "Tus-Extension", "Tus-Max-Size", "Tus-Checksum-Algorithm")
_FAR = ("Upload-Offset", "Upload-Length", "Upload-Expires", _SPEAKS)


@api.route(_ALL, methods=["OPTIONS"], provide_automatic_options=False)
@operation(answers={204: None}, gives={204: _ABLE})
@open_to_all("says which form of the upload protocol is spoken")
def able() -> Response:
    """Say what the upload protocol can do here."""
    return tus.able(uploads().limits)


# Before the other routes of this address: each would answer OPTIONS in Flask's own way.
@api.route(_ONE, methods=["OPTIONS"], provide_automatic_options=False)
@operation(answers={204: None}, gives={204: _ABLE})
@open_to_all("says which form of the upload protocol is spoken, and nothing of an upload")
def able_of_one(**_upload: str) -> Response:
    """Say at an upload's address what the upload protocol can do here."""
    return tus.able(uploads().limits)


@api.post(_ALL)
@operation(
    answers={201: None},
    problems=(409, 410, 412, 413, 415, 422, 429, 460),
    body=tus.PIECE,
    takes=(_SPEAKS, "Upload-Length", "Upload-Metadata", "Upload-Checksum", HEADER),
    gives={201: ("Location", *_FAR)},
)
@guarded(Action.EXTRACT_UPLOAD, realm=BOTH)
def create(*, caller: Caller) -> Response:
    """Begin an upload; its first bytes may come along."""
    tus.require_version()
    length, dataset = tus.number("Upload-Length"), tus.dataset()
    promised = tus.checksum()
    require_sender(caller, dataset)
    store, body = uploads(), Body(request.environ, digested=HEADER in request.headers)
    if body.length != 0:
        tus.require_piece()
    asked = once(caller, dataset.encode(), str(length).encode())
    try:
        upload = store.create(
            dataset=dataset,
            party=caller.party,
            by=caller.name,
            length=length,
            also=lambda connection, new: first_time(connection, asked, {"upload": new.id}),
        )
    except Repeated as before:
        upload = store.head(before.told["upload"], party=caller.party)
        try:
            require_same(body, before.told, arrived=upload.offset)
        except OSError:
            raise broken() from None
        return _created(upload)
    if body.length != 0:
        try:
            upload = store.append(
                *(upload.id, 0, body),
                party=caller.party,
                promised=promised,
                also=lambda connection, now: arriving(connection, asked, body, {"upload": now.id}),
            )
        except GatewayError:
            # Its sender never learns the address: nothing is to be left of it.
            store.terminate(upload.id, party=caller.party)
            raise
    return _created(upload)


@api.route(_ONE, methods=["HEAD"], provide_automatic_options=False)
@operation(answers={200: None}, problems=(404, 410, 412), takes=(_SPEAKS,), gives={200: _FAR})
@guarded(Action.EXTRACT_UPLOAD, realm=BOTH)
def offset(upload: str, *, caller: Caller) -> Response:
    """Say how many bytes of an upload arrived."""
    tus.require_version()
    return tus.told(200, uploads().head(upload, party=caller.party))


@api.get(_ONE)
@operation(answers={200: UploadTold}, problems=(404, 410))
@guarded(Action.EXTRACT_UPLOAD, realm=BOTH)
def state(upload: str, *, caller: Caller) -> Response:
    """Say how far an upload and its check are."""
    return answer(told_of(uploads().head(upload, party=caller.party)))


@api.patch(_ONE)
@operation(
    answers={204: None},
    problems=(404, 409, 410, 412, 413, 415, 460),
    body=tus.PIECE,
    takes=(_SPEAKS, "Upload-Offset", "Upload-Checksum"),
    gives={204: _FAR},
)
@guarded(Action.EXTRACT_UPLOAD, realm=BOTH)
def append(upload: str, *, caller: Caller) -> Response:
    """Add bytes to an upload, from the offset at which it stands."""
    return _append(upload, caller)


@api.delete(_ONE)
@operation(
    answers={204: None}, problems=(404, 409, 410, 412), takes=(_SPEAKS,), gives={204: (_SPEAKS,)}
)
@guarded(Action.EXTRACT_UPLOAD, realm=BOTH)
def end(upload: str, *, caller: Caller) -> Response:
    """End an upload that is not whole yet; nothing of it is kept."""
    return _end(upload, caller)


@api.post(_ONE)
@operation(
    answers={204: None},
    problems=(404, 405, 409, 410, 412, 413, 415, 460),
    body=tus.PIECE,
    takes=(_SPEAKS, "X-HTTP-Method-Override", "Upload-Offset", "Upload-Checksum"),
    gives={204: (_SPEAKS,)},
)
@guarded(Action.EXTRACT_UPLOAD, realm=BOTH)
def instead(upload: str, *, caller: Caller) -> Any:
    """Append or end, for clients behind proxies that let neither PATCH nor DELETE pass."""
    wanted = request.headers.get("X-HTTP-Method-Override", "")
    ways = {"PATCH": _append, "DELETE": _end}
    if wanted not in ways:
        from werkzeug.exceptions import MethodNotAllowed

        raise MethodNotAllowed(["GET", "HEAD", "PATCH", "DELETE"])
    return ways[wanted](upload, caller)


def _created(upload: Upload) -> Response:
    told = tus.told(201, upload)
    told.headers["Location"] = f"{api.url_prefix}{_ALL}/{upload.id}"
    return told


def _append(upload: str, caller: Caller) -> Response:
    tus.require_version()
    tus.require_piece()
    start, promised = tus.number("Upload-Offset"), tus.checksum()
    body = Body(request.environ)
    store = uploads()
    return tus.told(204, store.append(upload, start, body, party=caller.party, promised=promised))


def _end(upload: str, caller: Caller) -> Response:
    tus.require_version()
    uploads().terminate(upload, party=caller.party)
    gone = Response(b"", 204)
    del gone.headers["Content-Type"]
    return gone
