"""Which HTTP status each of our codes has, and what our codes for HTTP's own faults say.

A code that is not in the table has the status of its class.

Source: RFC 9110 section 15; tus 1.0, "Checksum"; docs/reference/errors.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

STATUS_OF: Mapping[str, int] = {
    "delivery/other-receipt": 422,
    "delivery/receipt-form": 422,
    "delivery/receipt-key": 422,
    "delivery/unknown": 404,
    "idempotency/other-request": 422,
    "inbox/other-bytes": 409,
    "inbox/too-long": 413,
    "inbox/unknown": 404,
    "intake/not-a-sender": 403,
    "job/unknown": 404,
    "request/body-too-long": 413,
    "request/compressed": 415,
    "request/media-type": 415,
    "store/no-receipt": 404,
    "store/no-row-list": 404,
    "upload/broken": 400,
    "upload/checksum": 460,
    "upload/gone": 410,
    "upload/offset": 409,
    "upload/protocol": 412,
    "upload/too-long": 413,
    "upload/too-many-open": 429,
    "upload/whole": 409,
}


@dataclass(frozen=True, slots=True)
class Said:
    """A code with its sentence and remedy."""

    code: str
    sentence: str
    remedy: str


def _says(code: str, sentence: str, *, remedy: str) -> Said:
    return Said(code, sentence, remedy)


OTHER = _says(
    "http/refused",
    "The request was not understood or not allowed.",
    remedy="Compare it with /api/openapi.json.",
)
OF_STATUS: Mapping[int, Said] = {
    400: _says(
        "http/bad-request",
        "The request is not well formed.",
        remedy="Compare it with /api/openapi.json.",
    ),
    404: _says(
        "http/not-found",
        "There is nothing at this address.",
        remedy="/api/openapi.json lists every address.",
    ),
    405: _says(
        "http/method-not-allowed",
        "This address does not take this method.",
        remedy="The Allow header lists those it takes.",
    ),
    406: _says(
        "http/not-acceptable",
        "The answer does not come in a form that was asked for.",
        remedy="Accept application/json.",
    ),
    413: _says(
        "http/too-large",
        "The body is larger than this address takes.",
        remedy="Send files to /api/v1/uploads or /api/v1/extracts.",
    ),
    414: _says("http/address-too-long", "The address is too long.", remedy="Shorten it."),
    415: _says(
        "http/media-type",
        "The body is not of a kind that this address takes.",
        remedy="/api/openapi.json says which kinds it takes.",
    ),
    429: _says(
        "http/too-many-requests",
        "There were too many requests.",
        remedy="Wait as long as Retry-After says.",
    ),
}
