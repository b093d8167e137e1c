"""Signed receipts: what the gateway says came of a file, for its sender to keep and verify.

The worker signs at the check, with the package-signing key and a `typ` of its own, so
that a receipt never passes for a manifest or an envelope. The sender's copy of the
gateway's trust descriptor verifies it. It names digests and counts, never a value.

Source: RFC 7515; RFC 8725 section 3.11; requirements R18; docs/reference/package.md.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import rfc8785
import sqlalchemy as sa

from gateway.adapters.database import METADATA, Database
from gateway.errors import IntegrityError, UsageError
from gateway.model.extracts import ExtractRecord
from gateway.sealing import Signer, Trust, sign_compact, verify_compact

FORMAT = "gateway-receipt-1"
RECEIPT_TYP = "gateway-receipt+jws"
_MEMBERS = frozenset(
    {"format", "sender", "extract", "dataset", "party", "state", "received", "rows", "accepted"}
    | {"quarantined", "findings", "dropped_columns", "content_digest", "contract_digest"}
)

RECEIPTS = sa.Table(
    "receipts",
    METADATA,
    sa.Column("extract", sa.String(60), primary_key=True),
    sa.Column("jws", sa.Text, nullable=False),
    sa.Column("signed", sa.String(40), nullable=False),
)


def give(
    database: Database, record: ExtractRecord, *, signer: Signer, sender: str, at: dt.datetime
) -> str:
    """Sign the receipt of an extract and keep it; one that was signed before stays.

    Args:
        database: where it is kept.
        record: what came of the file.
        signer: the package-signing key.
        sender: this gateway's id.
        at: now.

    Returns:
        The receipt, `header.payload.signature`.
    """
    signed = sign_compact(_payload(record, sender), typ=RECEIPT_TYP, signer=signer)
    with database.begin() as connection:
        there = _find(connection, record.id)
        if there is not None:
            return there
        connection.execute(
            RECEIPTS.insert().values(extract=record.id, jws=signed, signed=at.isoformat())
        )
    return signed


def read(connection: sa.Connection, extract: str) -> str:
    """The signed receipt of an extract.

    Raises:
        UsageError: none was signed.
    """
    found = _find(connection, extract)
    if found is None:
        raise UsageError(
            "store/no-receipt",
            "No signed receipt is kept for this extract.",
            remedy="Receipts are signed for what is sent through the service.",
        )
    return found


def verify(jws: str, *, trust: Trust) -> dict[str, Any]:
    """Verify a receipt by the gateway's descriptor; what it says.

    Raises:
        IntegrityError: `jws/…`, or `receipt/form`.
    """
    payload, kid = verify_compact(jws, typ=RECEIPT_TYP, keys=trust.keys_for("signing"))
    try:
        told: dict[str, Any] = json.loads(payload)
        if set(told) != _MEMBERS or rfc8785.dumps(told) != payload or told["format"] != FORMAT:
            raise _form()
        received = dt.datetime.fromisoformat(told["received"])
        valid = kid in trust.keys_for("signing", received)
    except (ValueError, TypeError):
        raise _form() from None
    if told["sender"] != trust.sender or not valid:
        raise IntegrityError(
            "receipt/key-validity",
            "The receipt's key was not valid when the file was received, or is another gateway's.",
            remedy="Get the gateway's present trust file by a way that you trust.",
        )
    return told


def _find(connection: sa.Connection, extract: str) -> str | None:
    query = sa.select(RECEIPTS.c.jws).where(RECEIPTS.c.extract == extract)
    found: str | None = connection.execute(query).scalar()
    return found


def _payload(record: ExtractRecord, sender: str) -> bytes:
    return rfc8785.dumps(
        {
            "format": FORMAT,
            "sender": sender,
            "extract": record.id,
            "dataset": record.dataset,
            "party": record.party,
            "state": record.state,
            "received": record.received_at.astimezone(dt.UTC).isoformat(timespec="seconds"),
            "rows": record.rows,
            "accepted": record.accepted,
            "quarantined": record.quarantined,
            "findings": len(record.findings),
            "dropped_columns": len(record.dropped_columns),
            "content_digest": record.content_digest,
            "contract_digest": record.contract_digest,
        }
    )


def _form() -> IntegrityError:
    return IntegrityError(
        "receipt/form",
        "The receipt is not in the one permitted form.",
        remedy="Ask for the file again as the gateway wrote it, unchanged.",
    )
