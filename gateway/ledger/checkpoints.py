"""A checkpoint: what the ledger was at a moment, in the form that is signed.

The signature itself (typ `gateway-checkpoint+jws`) is made by whoever holds the
ledger key; this room says which bytes are signed and reads them back strictly.

Source: RFC 9162 section 4.10 (signed tree head, in our own form); RFC 8785.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

import rfc8785

from gateway.errors import NOT_BELIEVED, IntegrityError
from gateway.ledger.entries import canonical_object, parse_utc, utc_text

CHECKPOINT_TYP = "gateway-checkpoint+jws"
_ROOT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Size and root of the log named `origin`, at a second of UTC."""

    origin: str
    size: int
    root: bytes
    at: dt.datetime


def encode_checkpoint(checkpoint: Checkpoint) -> bytes:
    """The bytes that are signed: RFC 8785 JSON of origin, root, size, time."""
    return rfc8785.dumps(
        {
            "origin": checkpoint.origin,
            "root": checkpoint.root.hex(),
            "size": checkpoint.size,
            "time": utc_text(checkpoint.at),
        }
    )


def decode_checkpoint(payload: bytes) -> Checkpoint:
    """Read a checkpoint's signed bytes.

    Raises:
        IntegrityError: `ledger/checkpoint-form`.
    """
    document = canonical_object(payload, code="ledger/checkpoint-form")
    if set(document) != {"origin", "root", "size", "time"} or not _has_types(document):
        raise IntegrityError(
            "ledger/checkpoint-form", "A checkpoint has the wrong members.", remedy=NOT_BELIEVED
        )
    return Checkpoint(
        origin=document["origin"],
        size=document["size"],
        root=bytes.fromhex(document["root"]),
        at=parse_utc(document["time"]),
    )


def _has_types(document: dict[str, object]) -> bool:
    size, root, origin = document["size"], document["root"], document["origin"]
    return (
        isinstance(origin, str)
        and type(size) is int
        and size >= 0
        and isinstance(root, str)
        and bool(_ROOT.fullmatch(root))
    )
