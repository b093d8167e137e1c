"""Fresh secrets of each form that the key ring keeps, and their public halves.

Source: security points 5 and 6; RFC 8032; RFC 7748; docs/reference/keys.md.
"""

from __future__ import annotations

import secrets

from gateway.adapters import keyring_signing as signing
from gateway.adapters import upload_sealing
from gateway.model.keys import FORMS, KeyForm, KeyKind


def draw(kind: KeyKind) -> bytes:
    """A secret of a kind, from the operating system's randomness, in the form that is kept."""
    if FORMS[kind] is KeyForm.X25519:
        from pyrage import x25519

        return str(x25519.Identity.generate()).encode("ascii")
    if FORMS[kind] is KeyForm.X25519_HPKE:
        return upload_sealing.draw()
    return secrets.token_bytes(32)


def public_of(kind: KeyKind, secret: bytes) -> str:
    """The public half as text, by which others know it; "" for a kind that has none."""
    if FORMS[kind] is KeyForm.ED25519:
        return signing.public_of(secret)
    if FORMS[kind] is KeyForm.X25519:
        from pyrage import x25519

        return str(x25519.Identity.from_str(secret.decode("ascii")).to_public())
    if FORMS[kind] is KeyForm.X25519_HPKE:
        return upload_sealing.public_of(secret)
    return ""
