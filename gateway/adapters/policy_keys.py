"""Which recipients' keys a policy digest covers: those registered when it was proposed.

Each registration of a key and each proposal is an entry of the ledger, written in the
transaction of its act, one writer at a time. So the order of the entries says for every
digest, old ones too, which keys it was made with.

Source: docs/reference/policy.md, "Life of a version"; docs/adr/0122, 0347.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from gateway.adapters import ledger_search, policy_reading
from gateway.policy.key_changes import SignedKeys

_PROPOSED, _REGISTERED = "policy-proposed", "recipient-key-added"


def registered(connection: sa.Connection) -> dict[str, str]:
    """The fingerprint of each recipient's key as of now."""
    keys = policy_reading.recipient_keys(connection)
    return {recipient: key.fingerprint for recipient, key in keys.items()}


def covered(connection: sa.Connection, agreement: str, digest: str) -> dict[str, str] | None:
    """The fingerprints of all recipients' keys when a digest was proposed.

    Args:
        connection: of the store.
        agreement: whose digest it is.
        digest: of a proposal.

    Returns:
        None where the ledger does not say that it was proposed.
    """
    found: dict[str, str] = {}
    wanted = {"document": agreement, "document_digest": digest}
    for _, entry in ledger_search.naming(connection, {_PROPOSED, _REGISTERED}):
        if entry.event == _REGISTERED:
            found[str(entry.facts["recipient"])] = str(entry.facts["key_digest"])
        elif all(entry.facts.get(name) == value for name, value in wanted.items()):
            return found
    return None


def signed(connection: sa.Connection, agreement: str, *, last: str, next_: str = "") -> SignedKeys:
    """The keys that were last approved for an agreement, and those that come next.

    Args:
        connection: of the store.
        agreement: its id.
        last: the digest that was approved last; "" for none.
        next_: the digest of an earlier proposal that is told of; "" for the keys of today.
    """
    then: Mapping[str, str] | None = covered(connection, agreement, last) if last else {}
    now = covered(connection, agreement, next_) if next_ else None
    return SignedKeys(then=then, now=registered(connection) if now is None else now)
