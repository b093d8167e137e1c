"""Requests that their sender may repeat: the header read, the kept answer given again.

Source: IETF draft "The Idempotency-Key HTTP Header Field"; docs/how-to/send-by-api.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import request

from gateway.adapters import idempotency
from gateway.adapters.idempotency import Once
from gateway.web.api.body import LONGEST, Body
from gateway.web.callers import Caller
from gateway.web.desk import desk

HEADER = "Idempotency-Key"


class Repeated(Exception):
    """The request was done before; `told` is what was answered then."""

    def __init__(self, told: dict[str, Any]) -> None:
        super().__init__()
        self.told = told


def once(caller: Caller, *parts: bytes) -> Once | None:
    """What this request is known by, if its sender gave it a key."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    place = f"{request.method} {request.full_path}".encode("utf-8", "replace")
    return idempotency.once(f"{caller.realm} {caller.name}", key, place, *parts)


def done_once(
    connection: sa.Connection, asked: Once | None, do: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Do something in this transaction, or give the answer of when it was done.

    Raises:
        UsageError: `idempotency/other-request`.
    """
    if asked is None:
        return do()
    at = desk().now()
    told = idempotency.answered(connection, asked, at=at)
    if told is None:
        told = do()
        idempotency.keep(connection, asked, told, at=at)
    return told


def first_time(connection: sa.Connection, asked: Once | None, told: dict[str, Any]) -> None:
    """Keep the answer of what this transaction does, unless it was done before.

    Raises:
        Repeated: it was; the transaction is to be undone.
        UsageError: `idempotency/other-request`.
    """
    if asked is None:
        return
    at = desk().now()
    before = idempotency.answered(connection, asked, at=at)
    if before is not None:
        raise Repeated(before)
    idempotency.keep(connection, asked, told, at=at)


def arriving(
    connection: sa.Connection, asked: Once | None, body: Body, told: dict[str, Any]
) -> None:
    """Keep, with the answer, what came of the body until now and is counted here."""
    if asked is not None:
        along = {"size": body.size, "digest": body.digest().hex()}
        idempotency.amend(connection, asked, {**told, **along})


def require_same(body: Body, told: dict[str, Any], *, arrived: int) -> None:
    """Read a repeated body to its end, and compare it with what came the first time.

    Args:
        body: of the repetition; one without any compares with everything.
        told: what was kept of the first time.
        arrived: the bytes that stand now, whoever sent them.

    Raises:
        UsageError: `idempotency/other-request`: it begins otherwise.
    """
    size = told.get("size", 0)
    while body.size < size and body.read(size - body.size):
        continue
    same = not size or (body.size, body.digest().hex()) == (size, told["digest"])
    begun = body.size > 0
    while body.read(LONGEST):
        begun = True
    if begun and not (same and (size or not arrived)):
        raise idempotency.other_request()
