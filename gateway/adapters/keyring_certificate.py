"""What we certify about a destroyed key: "destroyed here", and unreadable after a day.

Our copies are gone when the file is; the ring's own backups live at most thirty
days more. Only when every registered holder has returned such a certificate may
anyone write "destroyed".

Source: docs/how-to/rotate-and-destroy-keys.md, "Destroy"; security point 8; NIST SP 800-88.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from gateway.adapters import keyring_files as files
from gateway.adapters.keyring import KeyRing
from gateway.model.keys import MEANINGS, Destruction, KeyKind

BACKUP_DAYS = 30


def certify(
    ring: KeyRing, destroyed: Destruction, *, holders: tuple[str, ...], acting: str, at: dt.datetime
) -> dict[str, str]:
    """Write and sign the certificate of a destruction that is done, today or before.

    The days of the backups count from now: a destruction that was cut short ends now.
    """
    text = _text(ring.sender, destroyed, holders, at)
    signer = ring.signer(KeyKind.OPERATOR, owner=acting)
    return {
        "certificate": text,
        "signed_by": acting,
        "public": f"ed25519:{signer.public.hex()}",
        "signature": signer.sign(text.encode("utf-8")).hex(),
        "unreadable_after": str(_unreadable_after(at)),
    }


def write_certificate(path: Path, certificate: dict[str, str]) -> None:
    """Write the certificate as a new file."""
    files.create(path, json.dumps(certificate, indent=1).encode("utf-8") + b"\n")


def _text(sender: str, destroyed: Destruction, holders: tuple[str, ...], at: dt.datetime) -> str:
    others = (
        f"Copies were given to {', '.join(holders)}: it is destroyed only when each of them "
        "has returned a signed certificate."
        if holders
        else "No copy was given to anybody else."
    )
    return (
        f"Destroyed here: key {destroyed.key} of {sender}, by {destroyed.by} on "
        f"{destroyed.ordered.date()}. {MEANINGS[destroyed.kind]} Our copies are gone; what it "
        f"protected is unreadable after {_unreadable_after(at)}, the window of the key ring's "
        f"backups included. {others}"
    )


def _unreadable_after(at: dt.datetime) -> dt.date:
    return at.date() + dt.timedelta(days=BACKUP_DAYS)
