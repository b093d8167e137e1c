"""The sealing of uploads: chunks by HPKE to the month's public key, opened by the worker alone.

A piece is cut into chunks of 1 MiB, each sealed by the one-shot form of RFC 9180 with an
encapsulation of its own; the last chunk is shorter than the others, and may be empty. What
a chunk is sealed for names its upload, where the piece starts, its number and whether it is
the last: none can be exchanged, left out, repeated, cut off or brought from elsewhere.

Anybody can seal to a public key. So the encapsulated keys of a piece are digested, and the
digest is recorded when the piece is counted: each fixes a key that its maker has forgotten,
and under that key nobody can put other bytes behind it.

Source: RFC 9180, sections 5.1.1, 6.1 and 9.1; security points 5 and 8.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from gateway.errors import IntegrityError

CHUNK = 1 << 20
ENCAPSULATED = 32
OVERHEAD = ENCAPSULATED + 16
PREFIX = "x25519:"
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_SEALED = CHUNK + OVERHEAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a piece belongs: the upload, and the offset at which the piece starts."""

    upload: str
    start: int

    def of_chunk(self, number: int, size: int) -> bytes:
        """What a chunk is sealed for; it is the last one if it is not full."""
        last = int(size < CHUNK)
        return f"gateway/upload-piece/1\0{self.upload}\0{self.start}\0{number}\0{last}".encode()


class Sealing:
    """Seals the chunks of one piece in their order."""

    def __init__(self, public: str, place: Place) -> None:
        """Begin a piece.

        Args:
            public: the month's public half, `x25519:` and hex.
            place: where the piece belongs.

        Raises:
            IntegrityError: `public` is no such key.
        """
        self._public = _public_key(public)
        self._place = place
        self._number = 0
        self._heads = hashlib.sha256()

    def seal(self, chunk: bytes) -> bytes:
        """Seal the next chunk; one that is not full is the last."""
        place = self._place.of_chunk(self._number, len(chunk))
        sealed = _SUITE.encrypt(chunk, self._public, place)
        self._heads.update(sealed[:ENCAPSULATED])
        self._number += 1
        return sealed

    def heads_digest(self) -> str:
        """The digest of the encapsulated keys so far."""
        return self._heads.hexdigest()


def sealed_size(size: int) -> int:
    """How long a sealed piece of so many bytes is."""
    return size + OVERHEAD * (size // CHUNK + 1)


def unsealed(
    descriptor: int, *, secret: X25519PrivateKey, place: Place, size: int, heads_digest: str
) -> Iterator[bytes]:
    """Open a piece chunk by chunk.

    Args:
        descriptor: of its file.
        secret: the month's private half.
        place: where the piece belongs.
        size: how many bytes were received.
        heads_digest: of the encapsulated keys, as it was recorded.

    Raises:
        IntegrityError: it is not the piece that was received.
        OSError: the disk does not give it.
    """
    if os.fstat(descriptor).st_size != sealed_size(size):
        raise not_as_received()
    heads = _heads(descriptor, size // CHUNK + 1)
    if hashlib.sha256(b"".join(heads)).hexdigest() != heads_digest:
        raise not_as_received()
    for number, head in enumerate(heads):
        sealed = os.pread(descriptor, _SEALED, number * _SEALED)
        # Read again, so compared again: the digest speaks of this very key.
        if sealed[:ENCAPSULATED] != head:
            raise not_as_received()
        try:
            yield _SUITE.decrypt(sealed, secret, place.of_chunk(number, len(sealed) - OVERHEAD))
        except InvalidTag:
            raise not_as_received() from None


def _heads(descriptor: int, count: int) -> list[bytes]:
    return [os.pread(descriptor, ENCAPSULATED, number * _SEALED) for number in range(count)]


def draw() -> bytes:
    """A new private half: 32 bytes."""
    return X25519PrivateKey.generate().private_bytes_raw()


def public_of(secret: bytes) -> str:
    """Write the public half as `x25519:` and hex."""
    return PREFIX + secret_key(secret).public_key().public_bytes_raw().hex()


def secret_key(secret: bytes) -> X25519PrivateKey:
    """A private half, to open with."""
    return X25519PrivateKey.from_private_bytes(secret)


def not_as_received() -> IntegrityError:
    """The one error about a piece that is not what was received."""
    return IntegrityError(
        "upload/not-as-received",
        "A piece of an upload is not the one that was received.",
        remedy="Do not use it: find out who can write to the data directory, then have the file "
        "sent again.",
    )


def _public_key(text: str) -> Any:
    try:
        raw = bytes.fromhex(text.removeprefix(PREFIX)) if text.startswith(PREFIX) else b""
        return X25519PublicKey.from_public_bytes(raw)
    except ValueError:
        raise IntegrityError(
            "keys/not-a-sealing-key",
            "That is not a public key for sealing uploads (`x25519:` and 64 hex digits).",
            remedy="Restore the key ring from its own backup.",
        ) from None
