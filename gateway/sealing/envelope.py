"""The envelope: all that the host which carries a package may learn.

Format, package id, sender id, the recipient's key id and the digest of the sealed
part; nothing else.

Source: docs/reference/package.md, "Outside"; RFC 8785.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass

import rfc8785

from gateway.errors import IntegrityError

FORMAT = "gateway-envelope-1"
_FORMS = {
    "format": re.compile(FORMAT),
    "package": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"),
    "sender": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"),
    "recipient_key": re.compile(r"age-[0-9a-f]{32}"),
    "digest": re.compile(r"[0-9a-f]{64}"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What is written outside. `digest` is SHA-256 of `data.age`."""

    package: str
    sender: str
    recipient_key: str
    digest: str


def recipient_key_id(recipient: str) -> str:
    """The id of a recipient's public key: `age-` and half of its SHA-256.

    Args:
        recipient: the age X25519 recipient, `age1...`.
    """
    return "age-" + hashlib.sha256(recipient.encode("ascii")).hexdigest()[:32]


def encode_envelope(envelope: Envelope) -> bytes:
    """The envelope as RFC 8785 JSON."""
    return rfc8785.dumps(
        {
            "format": FORMAT,
            "package": envelope.package,
            "sender": envelope.sender,
            "recipient_key": envelope.recipient_key,
            "digest": envelope.digest,
        }
    )


def decode_envelope(encoded: bytes) -> Envelope:
    """Read an envelope in its one permitted spelling.

    Raises:
        IntegrityError: `package/envelope-form`.
    """
    fault = IntegrityError(
        "package/envelope-form",
        "The package's envelope is malformed.",
        remedy="Nothing was written. Ask the sender for the package again.",
    )
    try:
        document = json.loads(encoded)
        if set(document) != set(_FORMS) or rfc8785.dumps(document) != encoded:
            raise fault
        if not all(_FORMS[name].fullmatch(document[name]) for name in _FORMS):
            raise fault
    except (ValueError, TypeError, RecursionError):
        raise fault from None
    return Envelope(**{name: document[name] for name in _FORMS if name != "format"})
