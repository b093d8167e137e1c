"""An entry and its leaf: the log holds a commitment, the salt is kept beside it.

The commitment is SHA-256(salt || entry), with 32 random bytes of salt and the
entry as RFC 8785 JSON, so that a proof of one entry lets nobody guess its
neighbours, and an entry can be shown alone by giving its salt.

Source: RFC 8785; RFC 9162 section 2.1; security design point 20.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import rfc8785

from gateway.errors import NOT_BELIEVED, REPORT, IntegrityError, UsageError
from gateway.ledger.events import Fact, check_facts
from gateway.ledger.tree import leaf_hash

SALT_SIZE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event with its facts, at a second of UTC."""

    event: str
    facts: Mapping[str, Fact]
    at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafRef:
    """Where an entry stands: its index, its id and its leaf hash."""

    index: int
    entry_id: str
    leaf_hash: bytes = field(repr=False)


def encode_entry(entry: Entry) -> bytes:
    """The entry as RFC 8785 JSON.

    Raises:
        UsageError: the event or a fact is not in the table.
    """
    check_facts(entry.event, entry.facts)
    return rfc8785.dumps(
        {"at": utc_text(entry.at), "event": entry.event, "facts": dict(entry.facts)}
    )


def decode_entry(encoded: bytes) -> Entry:
    """Read an entry back, refusing any but the one permitted spelling.

    Raises:
        IntegrityError: `ledger/entry-form`.
    """
    document = canonical_object(encoded, code="ledger/entry-form")
    if set(document) != {"at", "event", "facts"} or not isinstance(document["facts"], dict):
        raise IntegrityError(
            "ledger/entry-form", "A ledger entry has the wrong members.", remedy=NOT_BELIEVED
        )
    entry = Entry(
        event=str(document["event"]), facts=document["facts"], at=parse_utc(document["at"])
    )
    try:
        check_facts(entry.event, entry.facts)
    except UsageError as fault:
        raise IntegrityError("ledger/entry-form", fault.sentence, remedy=NOT_BELIEVED) from None
    return entry


def commit(encoded: bytes, *, salt: bytes) -> bytes:
    """The leaf's commitment: SHA-256 over salt and entry, 32 bytes.

    Raises:
        UsageError: the salt is not 32 bytes.
    """
    if len(salt) != SALT_SIZE:
        raise UsageError("ledger/salt-size", "A ledger salt has 32 bytes.", remedy=REPORT)
    return hashlib.sha256(salt + encoded).digest()


def entry_id(commitment: bytes) -> str:
    """The entry's id: the first 16 bytes of its leaf hash in hexadecimal."""
    return leaf_hash(commitment).hex()[:32]


def utc_text(at: dt.datetime) -> str:
    """`2026-05-01T09:30:00Z`.

    Raises:
        UsageError: the time has no zone.
    """
    if at.tzinfo is None:
        raise UsageError("ledger/time-zone", "A ledger time needs a zone.", remedy=REPORT)
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_utc(text: object) -> dt.datetime:
    """Read what `utc_text` writes, and nothing else.

    Raises:
        IntegrityError: `ledger/time-form`.
    """
    try:
        at = dt.datetime.strptime(str(text), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
    except ValueError:
        raise IntegrityError(
            "ledger/time-form", "A ledger time is malformed.", remedy=NOT_BELIEVED
        ) from None
    if utc_text(at) != text:
        raise IntegrityError("ledger/time-form", "A ledger time is malformed.", remedy=NOT_BELIEVED)
    return at


def canonical_object(encoded: bytes, *, code: str) -> dict[str, Any]:
    """Parse an RFC 8785 object; a second spelling or member of the same name is refused."""
    try:
        document = json.loads(encoded)
        if isinstance(document, dict) and rfc8785.dumps(document) == encoded:
            return document
    except (ValueError, RecursionError):
        pass
    raise IntegrityError(
        code, "A signed or hashed document is not in its canonical form.", remedy=NOT_BELIEVED
    )
