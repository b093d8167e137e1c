"""One signature form for everything signed: EdDSA, one header, one spelling.

The header is exactly {"alg":"EdDSA","kid":...,"typ":...} as RFC 8785 JSON: no other
algorithm, no `b64`, no `crit`, no key in the message. The `typ` is fixed for each
kind of signed thing, so that a signature over one kind never passes for another.

Source: RFC 7515 sections 3.1 and Appendix F (detached); RFC 8037; RFC 8725 section 3.11.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Protocol

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.errors import REPORT, IntegrityError, UsageError

ENVELOPE_TYP = "gateway-envelope+jws"
MANIFEST_TYP = "gateway-manifest+jws"
CHECKPOINT_TYP = "gateway-checkpoint+jws"
KEY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,79}")
MAX_JWS = 8 * 1024


class Signer(Protocol):
    """A private Ed25519 key that stays where it is."""

    @property
    def key_id(self) -> str:
        """The registered id of the key."""

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature over `message`, 64 bytes."""


def sign_compact(payload: bytes, *, typ: str, signer: Signer) -> str:
    """Sign `payload` and carry it along: `header.payload.signature`."""
    header = _encode(_header(typ, signer.key_id))
    body = _encode(payload)
    return f"{header}.{body}.{_encode(signer.sign(f'{header}.{body}'.encode('ascii')))}"


def sign_detached(payload: bytes, *, typ: str, signer: Signer) -> str:
    """Sign `payload`, which travels beside: `header..signature` (Appendix F)."""
    header, _, signature = sign_compact(payload, typ=typ, signer=signer).split(".")
    return f"{header}..{signature}"


def verify_compact(jws: str, *, typ: str, keys: Mapping[str, bytes]) -> tuple[bytes, str]:
    """Verify a signature that carries its payload.

    Args:
        jws: `header.payload.signature`.
        typ: the one kind of signed thing that is acceptable here.
        keys: Ed25519 public keys, 32 bytes each, by key id.

    Returns:
        The payload and the id of the key that signed it.

    Raises:
        IntegrityError: `jws/form`, `jws/unknown-key` or `jws/signature`.
    """
    header, body, signature = _parts(jws)
    kid = _key_id(_decode(header), typ)
    if kid not in keys:
        raise IntegrityError(
            "jws/unknown-key",
            "The signature is by a key that the trust file does not list for this.",
            remedy="Get the sender's present trust file by a way that you trust.",
        )
    try:
        key = Ed25519PublicKey.from_public_bytes(keys[kid])
        key.verify(_decode(signature), f"{header}.{body}".encode("ascii"))
    except (InvalidSignature, ValueError):
        raise IntegrityError(
            "jws/signature",
            "A signature does not verify.",
            remedy="Take the file again from where it came; if it fails again, use "
            "nothing of it and tell its sender.",
        ) from None
    return _decode(body), kid


def verify_detached(jws: str, payload: bytes, *, typ: str, keys: Mapping[str, bytes]) -> str:
    """Verify a signature over a payload that travelled beside it.

    Returns:
        The id of the key that signed.

    Raises:
        IntegrityError: as `verify_compact`.
    """
    header, body, signature = _parts(jws)
    if body:
        raise _form()
    attached = f"{header}.{_encode(payload)}.{signature}"
    return verify_compact(attached, typ=typ, keys=keys)[1]


def header_of(typ: str, kid: str) -> bytes:
    """The one permitted header for this kind and key, as bytes."""
    return _header(typ, kid)


def _header(typ: str, kid: str) -> bytes:
    if not KEY_ID.fullmatch(kid):
        raise UsageError(
            "jws/key-id", "A key id has 1 to 80 letters, digits and . _ : -", remedy=REPORT
        )
    return rfc8785.dumps({"alg": "EdDSA", "kid": kid, "typ": typ})


def _key_id(header: bytes, typ: str) -> str:
    """The key id of a header that is, byte for byte, the permitted one."""
    found = re.search(rb'"kid":"([^"]*)"', header)
    kid = found[1].decode("ascii", "replace") if found else ""
    if not KEY_ID.fullmatch(kid) or header != _header(typ, kid):
        raise _form()
    return kid


def _parts(jws: str) -> tuple[str, str, str]:
    parts = jws.split(".")
    if len(parts) != 3 or not jws.isascii():
        raise _form()
    return parts[0], parts[1], parts[2]


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    """Base64url without padding, in the one spelling of these bytes."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        raise _form() from None
    if _encode(raw) != text:
        raise _form()
    return raw


def _form() -> IntegrityError:
    return IntegrityError(
        "jws/form",
        "A signature is not in the one permitted form.",
        remedy="Take the file again from where it came, unchanged.",
    )
