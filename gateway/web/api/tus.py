"""The resumable upload protocol's headers, read strictly and written in one place.

Source: tus 1.0: core, creation, creation-with-upload, checksum, expiration, termination.
"""

from __future__ import annotations

import base64
import re
from email.utils import format_datetime

from flask import Response, request

from gateway.adapters.uploads import ALGORITHMS, Limits, Promise, Upload, UploadState, promise
from gateway.errors import UsageError

VERSION = "1.0.0"
EXTENSIONS = ("creation", "creation-with-upload", "checksum", "expiration", "termination")
PIECE = "application/offset+octet-stream"
DATASET = re.compile(r"[a-z][a-z0-9_]{0,59}")
DIGITS = 17
_NUMBER = re.compile(r"0|[1-9][0-9]*")


def require_version() -> None:
    """Refuse a client that speaks another version.

    Raises:
        UsageError: `upload/protocol`.
    """
    if request.headers.get("Tus-Resumable") != VERSION:
        raise UsageError(
            "upload/protocol",
            f"Requests to this address carry the header Tus-Resumable: {VERSION}.",
            remedy="Add it, or use a client of the tus protocol; "
            "or send the file by one POST to /api/v1/extracts.",
        )


def require_piece() -> None:
    """Refuse a body that is no piece of an upload.

    Raises:
        UsageError: `request/media-type`.
    """
    if request.headers.get("Content-Type") != PIECE:
        raise UsageError(
            "request/media-type",
            "The body is not of the kind that this address takes.",
            remedy=f"Send Content-Type: {PIECE}.",
        )


def number(name: str) -> int:
    """A header that holds a number; of one that no file reaches, as many digits as show it.

    Raises:
        UsageError: `upload/header`.
    """
    said = request.headers.get(name, "")
    if not _NUMBER.fullmatch(said):
        raise _header(name)
    return int(said[:DIGITS])


def dataset() -> str:
    """The dataset that `Upload-Metadata` names; whatever else it holds is not read.

    Raises:
        UsageError: `upload/header`.
    """
    found = [
        encoded
        for name, _, encoded in (
            pair.strip().partition(" ")
            for pair in request.headers.get("Upload-Metadata", "").split(",")
        )
        if name == "dataset"
    ]
    try:
        (encoded,) = found
        name = base64.b64decode(encoded, validate=True).decode("ascii")
    except ValueError:
        raise _header("Upload-Metadata") from None
    if not DATASET.fullmatch(name):
        raise _header("Upload-Metadata")
    return name


def checksum() -> Promise | None:
    """The checksum that the sender promises, if any.

    Raises:
        UsageError: `upload/checksum-form`.
    """
    said = request.headers.get("Upload-Checksum")
    return None if said is None else promise(said)


def told(status: int, upload: Upload) -> Response:
    """An answer without a body about how far an upload is."""
    answer = Response(b"", status)
    answer.headers["Upload-Offset"] = str(upload.offset)
    if upload.length >= 0:
        answer.headers["Upload-Length"] = str(upload.length)
    if upload.state is UploadState.OPEN:
        answer.headers["Upload-Expires"] = format_datetime(upload.expires, usegmt=True)
    del answer.headers["Content-Type"]
    return answer


def able(limits: Limits) -> Response:
    """What this server can do."""
    answer = Response(b"", 204)
    answer.headers["Tus-Version"] = VERSION
    answer.headers["Tus-Extension"] = ",".join(EXTENSIONS)
    answer.headers["Tus-Max-Size"] = str(limits.longest)
    answer.headers["Tus-Checksum-Algorithm"] = ",".join(sorted(ALGORITHMS))
    return answer


def marked(answer: Response) -> Response:
    """Say in every answer which version is spoken."""
    answer.headers["Tus-Resumable"] = VERSION
    if answer.status_code == 412:
        answer.headers["Tus-Version"] = VERSION
    return answer


def _header(name: str) -> UsageError:
    return UsageError(
        "upload/header",
        f"The header {name} is missing or malformed.",
        remedy="Compare the request with /api/openapi.json.",
    )
