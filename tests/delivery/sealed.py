"""Packages whose outside is right and whose inside nobody opens; made by hand."""

from __future__ import annotations

import datetime as dt
import hashlib

from gateway.adapters.keyring_signing import Signer, signer
from gateway.sealing import ENVELOPE_TYP, Envelope, TrustedKey, sign_detached, trust_descriptor
from gateway.sealing.archive import END, fill, member_header
from gateway.sealing.envelope import encode_envelope

SENDER = "trafford"
SIGNING: Signer = signer("package-signing-1", bytes(range(32)))
OTHER: Signer = signer("package-signing-2", bytes(32))
SINCE = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def descriptor(sender: str = SENDER, by: Signer = SIGNING) -> bytes:
    """What `gateway trust export` says at a sender."""
    keys = [
        TrustedKey(use=use, key_id=name, public=by.public, not_before=SINCE)
        for use, name in (("signing", by.key_id), ("ledger", "ledger-1"))
    ]
    return trust_descriptor(sender, keys)


def package(
    name: str, inside: bytes = b"sealed", *, sender: str = SENDER, by: Signer = SIGNING
) -> bytes:
    """One package, in the one permitted form outside."""
    envelope = encode_envelope(
        Envelope(
            package=name,
            sender=sender,
            recipient_key=f"age-{'0' * 32}",
            digest=hashlib.sha256(inside).hexdigest(),
        )
    )
    signature = sign_detached(envelope, typ=ENVELOPE_TYP, signer=by).encode("ascii")
    parts = (("envelope.json", envelope), ("envelope.jws", signature), ("data.age", inside))
    made = [member_header(title, len(part)) + part + fill(len(part)) for title, part in parts]
    return b"".join(made) + END
