"""The one place where custody, operators and policy life reach the ledger.

Source: security points 20, 21.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping

from sqlalchemy import Connection

from gateway.adapters import ledger_store


def record(
    connection: Connection, event: str, facts: Mapping[str, str | int], *, at: dt.datetime
) -> None:
    """Append one entry in the transaction of what it records, salted afresh."""
    ledger_store.append(connection, event, facts, salt=secrets.token_bytes(32), at=at)
