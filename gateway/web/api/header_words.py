"""The headers of the API in words, for the OpenAPI.

Source: tus 1.0; RFC 9110; IETF draft "The Idempotency-Key HTTP Header Field".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TEXT: Mapping[str, Any] = {"type": "string"}
_NUMBER: Mapping[str, Any] = {"type": "integer", "minimum": 0}

HEADERS: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "Idempotency-Key": (
        {"type": "string", "pattern": "^[!-~]{8,200}$"},
        "A fresh name for what is to be done once; a repetition within 24 hours gets the first "
        "answer.",
    ),
    "Location": (_TEXT, "Where it is read."),
    "Tus-Checksum-Algorithm": (_TEXT, "The checksums that may be promised."),
    "Tus-Extension": (_TEXT, "The parts of the protocol that are spoken."),
    "Tus-Max-Size": (_NUMBER, "The longest upload, in bytes."),
    "Tus-Resumable": ({"const": "1.0.0"}, "The version of the upload protocol."),
    "Tus-Version": (_TEXT, "The versions of the upload protocol that are spoken."),
    "Upload-Checksum": (
        {"type": "string", "pattern": "^(sha1|sha256) [A-Za-z0-9+/]+={0,2}$"},
        "An algorithm and the base64 digest of the body; a body that differs is discarded.",
    ),
    "Upload-Expires": (_TEXT, "When it expires if nobody goes on with it."),
    "Upload-Length": (_NUMBER, "The length of the whole file, in bytes."),
    "Upload-Metadata": (
        {"type": "string", "pattern": "^dataset [A-Za-z0-9+/]+={0,2}$"},
        "`dataset` and its name in base64. Whatever else stands there is not read.",
    ),
    "Upload-Offset": (_NUMBER, "How many bytes of the file come before this body."),
    "X-HTTP-Method-Override": (
        {"enum": ["PATCH", "DELETE"]},
        "What is meant, where only POST passes.",
    ),
}
REQUIRED = frozenset(
    {"Tus-Resumable", "Upload-Offset", "Upload-Metadata", "X-HTTP-Method-Override"}
)
"""Request headers without which a route refuses; `Upload-Length` is one of creation's."""
PHRASES: Mapping[int, str] = {
    413: "Content Too Large",
    422: "Unprocessable Content",
    460: "Checksum Mismatch",
}
