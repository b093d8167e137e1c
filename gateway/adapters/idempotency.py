"""Idempotency keys: a request that was sent twice is done once and answered alike.

A key belongs to its caller for a day. The answer is written in the transaction of what
was done, so that a crash leaves both or neither. The digest of the request tells a
repetition from another request under the same key; no body is kept.

Source: IETF draft "The Idempotency-Key HTTP Header Field"; security point 15.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from gateway.adapters.database import METADATA
from gateway.errors import UsageError

LIFE = dt.timedelta(hours=24)
_FORM = re.compile(r"[\x21-\x7e]{8,200}")

KEYS = sa.Table(
    "idempotency_keys",
    METADATA,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("request", sa.String(64), nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("created", sa.String(40), nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """One request that its caller may repeat: its key, and the digest of all it says.

    The key is kept as a digest too: a caller may have put anything into it.
    """

    key: str
    request: str


def once(caller: str, key: str, *parts: bytes) -> Once:
    """Read a key of a caller.

    Args:
        caller: who asks, by realm and name.
        key: the header's value.
        parts: method, path, parameters and body (or its digest).

    Raises:
        UsageError: `idempotency/key-form`.
    """
    if not _FORM.fullmatch(key):
        raise UsageError(
            "idempotency/key-form",
            "An Idempotency-Key has 8 to 200 printable characters without spaces.",
            remedy="Use a fresh UUID for each thing that is to be done once.",
        )
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    name = hashlib.sha256(f"{len(caller)}:{caller}:{key}".encode()).hexdigest()
    return Once(key=name, request=whole.hexdigest())


def answered(connection: sa.Connection, asked: Once, *, at: dt.datetime) -> dict[str, Any] | None:
    """The answer that was given before, if any.

    Raises:
        UsageError: `idempotency/other-request`: the key was used for something else.
    """
    since = (at - LIFE).isoformat()
    row = connection.execute(
        sa.select(KEYS).where(KEYS.c.key == asked.key, KEYS.c.created > since)
    ).first()
    if row is None:
        return None
    if not hmac.compare_digest(row.request, asked.request):
        raise other_request()
    told: dict[str, Any] = json.loads(row.answer)
    return told


def other_request() -> UsageError:
    """The key stands for something else."""
    return UsageError(
        "idempotency/other-request",
        "This Idempotency-Key was used for another request.",
        remedy="Use a fresh key for each thing that is to be done once.",
    )


def amend(connection: sa.Connection, asked: Once, answer: Mapping[str, Any]) -> None:
    """Change the answer that was kept, in the transaction of what makes it another."""
    connection.execute(
        KEYS.update().where(KEYS.c.key == asked.key).values(answer=json.dumps(answer))
    )


def keep(
    connection: sa.Connection, asked: Once, answer: Mapping[str, Any], *, at: dt.datetime
) -> None:
    """Keep the answer in the transaction of what was done; keys of yesterday go."""
    connection.execute(
        KEYS.delete().where(
            sa.or_(KEYS.c.created <= (at - LIFE).isoformat(), KEYS.c.key == asked.key)
        )
    )
    connection.execute(
        KEYS.insert().values(
            key=asked.key,
            request=asked.request,
            answer=json.dumps(answer),
            created=at.isoformat(),
        )
    )
