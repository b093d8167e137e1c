"""The signing key of a recipient without a gateway: it certifies that packages are destroyed.

`signing.key` (mode 0400) stays with the analyst; `signing-trust.json` is a descriptor that
goes to the sender, who registers it as they do a gateway's. It signs nothing else.

Source: RFC 8410 (Ed25519 in PEM); security points 5 and 7; docs/reference/package.md.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from gateway import sealing
from gateway.adapters import destruction_certificates as certificates
from gateway.adapters import keyring_files as files
from gateway.adapters.destruction_certificates import Certificate
from gateway.adapters.inbox_certificates import Destroyed, require_possible
from gateway.adapters.keyring_signing import Signer, signer
from gateway.errors import InputRejected, IntegrityError, Unavailable, UsageError
from gateway.sealing import TrustedKey, core_digest, split_manifest, trust_descriptor

SECRET, DESCRIPTOR = "signing.key", "signing-trust.json"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_NAMED = re.compile(rb"# name: (\S+)\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """Whose key it is, and the act of signing."""

    name: str
    signer: Signer = field(repr=False)


def make(folder: Path, name: str, *, at: dt.datetime) -> str:
    """Make the key and its descriptor in a folder; the descriptor's fingerprint.

    Raises:
        UsageError: the name is malformed, or a key is there already.
        Unavailable: the folder cannot be written.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            "recipient-key/name",
            "The name has letters, digits and . _ -, 60 at most.",
            remedy="Choose another name.",
        )
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        raise Unavailable(
            "recipient-key/not-written",
            f"The key cannot be written ({fault.strerror}).",
            remedy="Name a folder of your own, on a disk with room.",
        ) from None
    files.create(folder / SECRET, f"# name: {name}\n".encode("ascii") + pem)
    key = _signer(private)
    since = at.astimezone(dt.UTC).replace(microsecond=0)
    listed = TrustedKey(use="signing", key_id=key.key_id, public=key.public, not_before=since)
    descriptor = trust_descriptor(name, [listed])
    (folder / DESCRIPTOR).write_bytes(descriptor)
    return sealing.fingerprint(sealing.parse_trust(descriptor))


def read(path: Path) -> SigningKey:
    """Read the key from the file that `make` wrote.

    Raises:
        Unavailable: it is missing or open to others.
        InputRejected: it is no such key.
    """
    content = files.read_safely(path)
    named = _NAMED.match(content)
    try:
        private = load_pem_private_key(content[named.end() :] if named else b"", password=None)
    except (ValueError, TypeError):
        private = None
    if named is None or not isinstance(private, Ed25519PrivateKey):
        raise InputRejected(
            "recipient-key/not-a-signing-key",
            f"{path.name} does not hold a signing key.",
            remedy="Name the signing.key of `gateway recipient-key signing`.",
        )
    return SigningKey(name=named[1].decode("ascii", "replace"), signer=_signer(private))


def certify(manifest: Path, told: Destroyed, *, key: SigningKey, at: dt.datetime) -> Certificate:
    """What is certified of the package whose manifest was kept.

    Args:
        manifest: `manifest.json`, as `gateway open` wrote it.
        told: what the analyst says.
        key: theirs.
        at: now.

    Raises:
        IntegrityError: the file is no manifest.
        UsageError: its data still lies beside it, or the days cannot be.
    """
    require_possible(told, since=None, at=at)
    core = _core(manifest)
    if (manifest.parent / str(core.get("data_file", ""))).is_file():
        raise UsageError(
            "duties/still-there",
            "The data file still lies beside the manifest.",
            remedy="Destroy every copy first, keep the manifest, and then certify.",
        )
    return Certificate(
        package=str(core["package"]),
        of=certificates.MANIFEST,
        digest=core_digest(core),
        sender=str(core["sender"]),
        recipient=key.name,
        destroyed=told.destroyed.isoformat(),
        unreadable_after=told.unreadable_after.isoformat(),
        signed=at.astimezone(dt.UTC).isoformat(timespec="seconds"),
    )


def _core(manifest: Path) -> dict[str, Any]:
    fault = IntegrityError(
        "duties/manifest-form",
        "The file is not a package's manifest.",
        remedy="Name the manifest.json that `gateway open` wrote beside the data.",
    )
    try:
        core, _ = split_manifest(json.loads(manifest.read_bytes()))
    except OSError:
        raise Unavailable(
            "duties/manifest-unreadable",
            "The manifest cannot be read.",
            remedy="Name the manifest.json that `gateway open` wrote, and let yourself read it.",
        ) from None
    except (ValueError, TypeError, AttributeError, RecursionError, IntegrityError):
        raise fault from None
    if not {"package", "sender", "release", "duties"} <= set(core):
        raise fault
    return core


def _signer(private: Ed25519PrivateKey) -> Signer:
    public = private.public_key().public_bytes_raw()
    name = f"recipient-{hashlib.sha256(public).hexdigest()[:24]}"
    return signer(name, private.private_bytes_raw())
