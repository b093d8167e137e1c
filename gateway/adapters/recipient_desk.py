"""Registering and confirming a recipient's key: who may, and in whose name.

Source: security points 1, 4; docs/reference/policy.md, "Recipients".
"""

from __future__ import annotations

import datetime as dt

from gateway.adapters import operators, recipients
from gateway.adapters.database import Database
from gateway.adapters.keyring import KeyRing
from gateway.adapters.keyring_ledger import record
from gateway.adapters.recipients import RecipientKey
from gateway.model.permissions import Action, authorise


def register(
    database: Database, recipient: str, *, content: bytes, acting: str, at: dt.datetime
) -> RecipientKey:
    """Register the key of a public key file.

    Anybody at the machine may bring a file: without two signed confirmations it
    opens nothing. A name given is checked.
    """
    public = recipients.read_public(content)
    with database.begin() as connection:
        if acting:
            authorise(operators.find(connection, acting), Action.RECIPIENT_ADD)
        key = recipients.add(connection, recipient, public=public, by=acting, at=at)
        record(connection, "recipient-key-added", _facts(key, acting), at=at)
    return key


def confirm(
    ring: KeyRing, database: Database, recipient: str, *, acting: str, at: dt.datetime
) -> RecipientKey:
    """Sign that the fingerprint was compared with the recipient over another channel."""
    ring.unlock()
    with database.begin() as connection:
        authorise(operators.find(connection, acting), Action.RECIPIENT_CONFIRM)
        key = recipients.find(connection, recipient)
        signature = ring.sign_as(acting, recipients.message(key.id, key.fingerprint))
        confirmed = recipients.confirm(
            connection, recipient, operator=acting, signature=signature, at=at
        )
        record(connection, "recipient-key-confirmed", _facts(key, acting), at=at)
    return confirmed


def _facts(key: RecipientKey, acting: str) -> dict[str, str | int]:
    """Which key it is, and who acted where they gave a name."""
    facts: dict[str, str | int] = {"recipient": key.id, "key_digest": key.fingerprint}
    return facts | ({"operator": acting} if acting else {})
