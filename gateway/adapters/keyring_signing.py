"""Ed25519 signatures by keys of the ring, and their verification.

Source: RFC 8032; security point 5 (one key, one use).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from gateway.errors import IntegrityError

PREFIX = "ed25519:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """One signing key: its id, its public half, and the act of signing."""

    key_id: str
    public: bytes
    _sign: Callable[[bytes], bytes] = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """Sign a message; 64 bytes."""
        return self._sign(message)


def signer(key_id: str, secret: bytes) -> Signer:
    """Make a signer of a 32-byte Ed25519 seed."""
    private = Ed25519PrivateKey.from_private_bytes(secret)
    return Signer(key_id=key_id, public=private.public_key().public_bytes_raw(), _sign=private.sign)


def public_of(secret: bytes) -> str:
    """Write the public half of a seed as `ed25519:` and hex."""
    return (
        PREFIX + Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw().hex()
    )


def raw_public(text: str) -> bytes:
    """Read `ed25519:` and 64 hex digits.

    Raises:
        IntegrityError: it is not such a key.

    """
    try:
        raw = bytes.fromhex(text.removeprefix(PREFIX))
    except ValueError:
        raw = b""
    if not text.startswith(PREFIX) or len(raw) != 32:
        raise IntegrityError(
            "keys/not-a-public-key",
            "That is not an Ed25519 public key (`ed25519:` and 64 hex digits).",
            remedy="`gateway operators list` prints such keys.",
        )
    return raw


@lru_cache(maxsize=8192)
def verifies(public: str, signature: bytes, message: bytes) -> bool:
    """Whether a signature over a message is this key's."""
    try:
        Ed25519PublicKey.from_public_bytes(raw_public(public)).verify(signature, message)
    except InvalidSignature:
        return False
    return True
