"""The sender's descriptor from the key ring's public halves; no passphrase is needed.

Source: docs/reference/package.md, "The sender's descriptor"; ADR 0161.
"""

from __future__ import annotations

import datetime as dt

from gateway.adapters.keyring import KeyRing
from gateway.adapters.keyring_signing import raw_public
from gateway.model.keys import KeyKind
from gateway.sealing import TrustedKey, trust_descriptor

USES = {KeyKind.PACKAGE_SIGNING: "signing", KeyKind.LEDGER_SIGNING: "ledger"}
GRACE = dt.timedelta(days=1)


def sender_descriptor(ring: KeyRing) -> bytes:
    """Every signing and ledger key that the ring ever had, each until its successor came.

    A release that was under way when its key was rotated may still be signed by the
    old key: it stays valid for one day more.
    """
    keys = [key for kind in USES for key in _keys(ring, kind)]
    return trust_descriptor(ring.sender, keys)


def _keys(ring: KeyRing, kind: KeyKind) -> list[TrustedKey]:
    records = sorted(ring.verifying_keys(kind), key=lambda record: (record.created, record.id))
    ends = [successor.created + GRACE for successor in records[1:]]
    return [
        TrustedKey(
            use=USES[kind],
            key_id=record.id,
            public=raw_public(record.public),
            not_before=record.created,
            not_after=end,
        )
        for record, end in zip(records, [*ends, None], strict=True)
    ]
