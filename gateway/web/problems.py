"""Errors as answers: `application/problem+json` for machines, a page for people.

A problem carries our code, sentence and remedy and never what was sent. What
nobody foresaw is answered by its class alone.

Source: RFC 9457; docs/reference/errors.md; security point 9.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from gateway.errors import (
    GatewayError,
    HeldForPerson,
    InputRejected,
    IntegrityError,
    RefusedError,
    Unavailable,
    UsageError,
)
from gateway.web import telling
from gateway.web.problem_pages import page
from gateway.web.statuses import OF_STATUS, OTHER, STATUS_OF

STATUS: Mapping[type[GatewayError], int] = {
    UsageError: 400,
    RefusedError: 403,
    InputRejected: 422,
    HeldForPerson: 409,
    IntegrityError: 409,
    Unavailable: 503,
}
AWAY = frozenset({"store/database", "store/commit-unknown"})
AWAY_SAID = "The gateway cannot reach its records just now."
AWAY_REMEDY = "Try again after as many seconds as Retry-After says; what was kept is found again."
RETRY_SECONDS = "30"
_NOT_FOUND = (
    "unknown",
    "unknown-extract",
    "unknown-upload",
    "unknown-job",
    "unknown-release",
    "no-row-list",
    "no-receipt",
)


def install(app: Flask) -> None:
    """Answer every fault of every route in one form."""
    app.register_error_handler(GatewayError, _gateway_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unforeseen)


def problem(
    status: int,
    code: str,
    sentence: str,
    *,
    remedy: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Write one problem document."""
    document = {
        "type": f"urn:gateway:error:{code}",
        "title": sentence,
        "status": status,
        "code": code,
        "remedy": remedy,
    }
    answer = Response(json.dumps(document), status, mimetype="application/problem+json")
    answer.headers.extend(headers or {})
    answer.headers["Cache-Control"] = "no-store"
    return answer


def status_of(fault: GatewayError) -> int:
    """The HTTP status of one of our errors."""
    if fault.code in STATUS_OF:
        return STATUS_OF[fault.code]
    if isinstance(fault, UsageError) and fault.code.partition("/")[2] in _NOT_FOUND:
        return 404
    return next(code for kind, code in STATUS.items() if isinstance(fault, kind))


def wants_page() -> bool:
    """Whether a person's browser asks, and not a machine."""
    return not request.path.startswith(("/api/", "/oauth/", "/.well-known/"))


def _gateway_error(fault: GatewayError) -> Response:
    if fault.code in AWAY:
        # What stands behind the service is nobody's business who calls it.
        headers = {"Retry-After": RETRY_SECONDS}
        return _answer(503, fault.code, AWAY_SAID, remedy=AWAY_REMEDY, headers=headers)
    return _answer(status_of(fault), fault.code, fault.sentence, remedy=fault.remedy)


def _http_error(fault: HTTPException) -> Response:
    status = fault.code or 500
    said = OF_STATUS.get(status, OTHER)
    headers = dict(fault.get_headers()) if status in {405, 413, 429} else {}
    kept: dict[str, str] = {
        each: headers[each] for each in ("Allow", "Retry-After") if each in headers
    }
    remedy = "" if wants_page() else said.remedy  # a page has words of its own
    return _answer(status, said.code, said.sentence, remedy=remedy, headers=kept)


def _unforeseen(fault: Exception) -> Response:
    telling.unforeseen(fault)
    return _answer(
        500,
        "gateway/unexpected",
        f"An unexpected fault stopped the request ({type(fault).__name__}).",
    )


def _answer(
    status: int,
    code: str,
    sentence: str,
    *,
    remedy: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    if not wants_page():
        return problem(status, code, sentence, remedy=remedy, headers=headers)
    if status >= 500:
        g.caller = None  # what failed may be what says who is asking
    answer = page(status, code, sentence, remedy=remedy)
    answer.headers.extend(headers or {})
    return answer
