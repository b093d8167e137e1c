"""A machine client's own Ed25519 key pair: made at the partner's, its public half sent here.

The private half is a PEM file of mode 0400 that never leaves its owner; the public
half is a JWK, the form that `gateway clients add` takes. Other tools' keys are
taken as well, as JWK or PEM, if they are Ed25519.

Source: RFC 8037 (OKP keys in JOSE); RFC 8410 (Ed25519 in PEM); security points 5, 9.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from gateway.adapters import keyring_files as files
from gateway.adapters.assertions import encoded, strict_object, thumbprint
from gateway.errors import InputRejected, Unavailable

PRIVATE, PUBLIC = "client.key", "client.jwk"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientKey:
    """A client's private key: its id and its 32-byte seed."""

    kid: str
    public: bytes
    secret: bytes = field(repr=False)


def make_pair(folder: Path) -> ClientKey:
    """Make a key pair in a folder: `client.key` for its owner alone, `client.jwk` to send.

    Raises:
        UsageError: there is one already.
        Unavailable: the folder cannot be written.
    """
    _make_folder(folder)
    private = Ed25519PrivateKey.generate()
    made = _client_key(private)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files.create(folder / PRIVATE, pem)
    document = json.dumps(public_jwk(made.public), indent=2) + "\n"
    (folder / PUBLIC).write_text(document, encoding="ascii")
    return made


def public_jwk(public: bytes) -> dict[str, str]:
    """Write a public key as a JWK with its id."""
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": encoded(public),
        "kid": thumbprint(public),
        "use": "sig",
        "alg": "EdDSA",
    }


def read_private(path: Path) -> ClientKey:
    """Read the owner's private key from its file.

    Raises:
        Unavailable: the file is missing or open to others.
        InputRejected: it holds no Ed25519 private key.
    """
    content = files.read_safely(path)
    try:
        private = load_pem_private_key(content, password=None)
    except (ValueError, TypeError):
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        raise InputRejected(
            "clients/not-a-private-key",
            f"{path.name} does not hold an Ed25519 private key (PEM, not encrypted).",
            remedy="`gateway clients key --to DIR` makes one.",
        )
    return _client_key(private)


def read_public(content: bytes) -> bytes:
    """Read one Ed25519 public key, from a JWK or a PEM file; its raw 32 bytes.

    Raises:
        InputRejected: it is anything else; also a private key, which must not be sent.
    """
    raw = _of_pem(content) if content.lstrip().startswith(b"-----") else _of_jwk(content)
    if raw is None:
        raise InputRejected(
            "clients/not-a-public-key",
            "The file does not hold exactly one Ed25519 public key, as JWK or PEM.",
            remedy="Ask the partner for the client.jwk of `gateway clients key`, never for a "
            "private key.",
        )
    return raw


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        raise Unavailable(
            "clients/not-written",
            f"The folder {folder} could not be made ({type(fault).__name__}).",
            remedy="Name a folder that you may write to.",
        ) from None


def _of_pem(content: bytes) -> bytes | None:
    try:
        public = load_pem_public_key(content)
    except ValueError:
        return None
    return public.public_bytes_raw() if isinstance(public, Ed25519PublicKey) else None


def _of_jwk(content: bytes) -> bytes | None:
    try:
        return _raw(strict_object(content))
    except (ValueError, RecursionError):
        return None


def _raw(members: dict[str, Any]) -> bytes | None:
    fixed = {"kty": "OKP", "crv": "Ed25519"}
    if "d" in members or any(members.get(name) != value for name, value in fixed.items()):
        return None
    text = members.get("x")
    if not isinstance(text, str):
        return None
    raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    good = len(raw) == 32 and encoded(raw) == text
    return raw if good and members.get("kid", thumbprint(raw)) == thumbprint(raw) else None


def _client_key(private: Ed25519PrivateKey) -> ClientKey:
    public = private.public_key().public_bytes_raw()
    return ClientKey(kid=thumbprint(public), public=public, secret=private.private_bytes_raw())
