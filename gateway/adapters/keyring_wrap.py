"""How a secret lies on disk: sealed under a passphrase, bound to all that is said of it.

The wrapping key is Argon2id (256 MiB, t = 3) of the passphrase and the ring's own
random salt, made once for each process. Each secret is sealed with
ChaCha20-Poly1305 under a fresh nonce; the whole clear description (kind, id,
epoch and the rest) is its associated data, so that a wrapped key cannot be
passed off as another.

Source: RFC 9106 (Argon2); RFC 8439 (ChaCha20-Poly1305); security point 7.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from gateway.errors import IntegrityError, Unavailable

RING_FORMAT = "gateway-ring/1"
KEY_FORMAT = "gateway-key/1"
MEMORY_KIB = 256 * 1024
PASSES = 3
LANES = 4
_CHECK = b"gateway key ring"
_DERIVING = threading.Lock()

Clear = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Wrapping:
    """The ring's wrapping key, in memory only."""

    _secret: bytes

    def __repr__(self) -> str:
        return "Wrapping(...)"

    def seal(self, secret: bytes, *, clear: Clear) -> bytes:
        """Write one file's bytes: the clear description and the sealed secret."""
        nonce = secrets.token_bytes(12)
        sealed = ChaCha20Poly1305(self._secret).encrypt(nonce, secret, _canonical(clear))
        return _canonical({**clear, "nonce": nonce.hex(), "sealed": sealed.hex()}) + b"\n"

    def unseal(self, content: Mapping[str, str]) -> bytes:
        """Open what `seal` wrote.

        Raises:
            IntegrityError: a byte of it was changed, or it belongs to another ring.

        """
        clear = {name: value for name, value in content.items() if name not in SEALED}
        try:
            return ChaCha20Poly1305(self._secret).decrypt(
                bytes.fromhex(content["nonce"]),
                bytes.fromhex(content["sealed"]),
                _canonical(clear),
            )
        except (InvalidTag, ValueError, KeyError):
            raise IntegrityError(
                "keys/damaged",
                f"The key file of {clear.get('id', 'a key')} does not verify.",
                remedy="Restore the key ring from its own backup; use no copy of unknown origin.",
            ) from None


def new_header(passphrase: bytes, *, sender: str) -> tuple[bytes, Wrapping]:
    """Make a ring's header: its salt, its cost and a check of the passphrase."""
    clear = {
        "format": RING_FORMAT,
        "sender": sender,
        "salt": secrets.token_hex(16),
        "kdf": f"argon2id,m={MEMORY_KIB},t={PASSES},p={LANES}",
    }
    wrapping = _derive(passphrase, clear["salt"])
    return wrapping.seal(_CHECK, clear=clear), wrapping


def open_header(header: Mapping[str, str], passphrase: bytes) -> Wrapping:
    """Derive the wrapping key and prove the passphrase against the header.

    Raises:
        Unavailable: the passphrase is not this ring's.

    """
    wrapping = _derive(passphrase, header.get("salt", ""))
    try:
        wrapping.unseal(header)
    except IntegrityError:
        raise Unavailable(
            "keys/wrong-passphrase",
            "This passphrase does not open the key ring.",
            remedy="Check GATEWAY_PASSPHRASE_FILE, or type the ring's own passphrase.",
        ) from None
    return wrapping


def parse(content: bytes, *, form: str) -> dict[str, str]:
    """Read the clear part of a file of the ring, strictly.

    Raises:
        IntegrityError: it is not JSON of that form with string members only.

    """
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if (
        not isinstance(found, dict)
        or found.get("format") != form
        or not all(isinstance(value, str) for value in found.values())
    ):
        raise IntegrityError(
            "keys/damaged",
            f"A file of the key ring is not of form {form}.",
            remedy="Restore the key ring from its own backup.",
        )
    return found


def _derive(passphrase: bytes, salt: str) -> Wrapping:
    if not _SALT.fullmatch(salt):
        raise IntegrityError(
            "keys/damaged",
            "The header of the key ring has no salt.",
            remedy="Restore the key ring from its own backup.",
        )
    # One derivation for each process, however many rings it opens on one directory.
    mark = hashlib.sha256(bytes.fromhex(salt) + passphrase).digest()
    with _DERIVING:
        if mark not in _DERIVED:
            _DERIVED[mark] = Wrapping(_argon(salt).derive(passphrase))
        return _DERIVED[mark]


def _argon(salt: str) -> Argon2id:
    return Argon2id(
        salt=bytes.fromhex(salt),
        length=32,
        iterations=PASSES,
        lanes=LANES,
        memory_cost=MEMORY_KIB,
    )


def _canonical(members: Mapping[str, str]) -> bytes:
    return json.dumps(members, sort_keys=True, separators=(",", ":")).encode("utf-8")


SEALED = frozenset({"nonce", "sealed"})
_DERIVED: dict[bytes, Wrapping] = {}
_SALT = re.compile(r"[0-9a-f]{32}")
