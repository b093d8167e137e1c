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
