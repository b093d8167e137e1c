"""A stored entry of the ledger, as it was written or not at all.

Source: security design point 20; docs/reference/ledger.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway import ledger
from gateway.errors import GatewayError, IntegrityError


def written(row: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """The entry and the salt of a row, seen to be those of its id.

    Raises:
        IntegrityError: `ledger/entry-changed`: the row is not what was written.
    """
    entry, salt = raw(row["entry"]), raw(row["salt"])
    try:
        known = ledger.entry_id(ledger.commit(entry, salt=salt)) == row["id"]
        known = known and ledger.decode_entry(entry).event == row["event"]
    except GatewayError:
        known = False
    if not known:
        raise IntegrityError(
            "ledger/entry-changed",
            f"Entry {row['index']} of the ledger is not what was written.",
            remedy="Share nothing. Run `gateway ledger verify`, and compare the ledger with "
            "the checkpoints kept outside this machine.",
        )
    return entry, salt


def raw(value: object) -> bytes:
    """Stored bytes; a value of another type (SQLite takes any) becomes none at all."""
    return bytes(value) if isinstance(value, bytes | memoryview) else b""
