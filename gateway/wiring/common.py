"""What every command works with: time, ids, database, documents and stored extracts.

Source: docs/explanation/architecture.md, "The rooms".
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from gateway import policy
from gateway.adapters import ledger_store, policy_store, schema
from gateway.adapters.database import Database
from gateway.adapters.extract_store import Extracts
from gateway.adapters.keyring import open_ring
from gateway.adapters.settings import Settings
from gateway.ledger import LeafRef


def now() -> dt.datetime:
    """The time, with its zone."""
    return dt.datetime.now(dt.UTC)


def new_id() -> str:
    """A fresh random id: 26 characters that say nothing."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()


def append(connection: Any, event: str, facts: Mapping[str, str | int]) -> LeafRef:
    """Write one ledger entry in the caller's transaction, salted afresh, timed now."""
    return ledger_store.append(connection, event, facts, salt=secrets.token_bytes(32), at=now())


def open_database(settings: Settings) -> Database:
    """The database of an existing data directory, its schema brought forward if it was behind.

    Raises:
        Unavailable: the directory was not made yet or is not ours alone, or a newer gateway
            has written the database.
    """
    return schema.ready(schema.database_in(settings))


def open_bundle(database: Database) -> policy.Bundle:
    """The governed documents in the store."""
    with database.begin() as connection:
        documents = policy_store.bundle(connection)
    bundle, _faults = policy.load(documents)
    return bundle


def extract_store(
    settings: Settings, database: Database | None = None, *, sealing: bool = False
) -> Extracts:
    """Extracts and their receipts.

    Args:
        settings: of the installation.
        database: if it is open already.
        sealing: whether an extract is to be taken in. That needs the month's public key;
            what is read only does not, so that nothing that was stored or decided waits for it.

    Raises:
        Unavailable: `keys/absent`, where something is to be sealed.
    """
    key = ("", "")
    if sealing:
        recipient = open_ring(settings).storage_recipient(now().date())
        key = (recipient.key_id, recipient.public)
    folder = settings.data / "extracts"
    return Extracts(database or open_database(settings), folder, key, append)


def contract_digest(contract: Any) -> str:
    """SHA-256 over all that a contract says: a changed contract checks a file anew."""
    return hashlib.sha256(repr(contract).encode()).hexdigest()
