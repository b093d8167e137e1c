"""Forward a package to a folder, exactly once: whole or not there, never twice.

The file is copied beside its final name, synced and renamed; a second forward of
the same package finds it in place and changes nothing. A folder that already
holds other bytes under the package's name is not written to.

Source: security points 15 and 23.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import BinaryIO

from gateway.adapters.durable import partial_of, written_beside
from gateway.errors import IntegrityError, Unavailable


def forward_to_folder(staged: Path, outbox: Path, recipient: str, *, digest: str) -> Path:
    """Put one package into `outbox/recipient/`.

    Args:
        staged: the finished package.
        outbox: the folder of all recipients.
        recipient: the recipient's id.
        digest: SHA-256 of the package, lower-case hex.

    Returns:
        Where the package lies now.

    Raises:
        Unavailable: the folder cannot be written.
        IntegrityError: other bytes lie there under this name, or the staged file changed.
    """
    place = outbox / recipient / staged.name
    if not staged.exists() and not place.exists():
        raise Unavailable(
            "release/package-gone",
            "A recorded package lies neither in the data directory nor in the outbox.",
            remedy="Put outgoing/ of the data directory back from its backup, then run again.",
        )
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists():
            _require(place, digest)
            return place
        with open(staged, "rb") as source, written_beside(place, mode=0o666) as target:
            _copy(source, target)
            _require(partial_of(place), digest)
    except OSError as fault:
        raise Unavailable(
            "release/not-forwarded",
            f"The outbox cannot be written ({fault.strerror}).",
            remedy="Mend the outbox; the release is recorded and the next run forwards it.",
        ) from None
    return place


def _copy(source: BinaryIO, target: BinaryIO) -> None:
    """Copy a file within the system where it can, else by reading and writing."""
    try:
        while os.copy_file_range(source.fileno(), target.fileno(), 1 << 30):
            pass
    except (AttributeError, OSError):
        source.seek(0)
        target.seek(0)
        shutil.copyfileobj(source, target, 1 << 20)
        target.flush()


def require_outbox(outbox: Path) -> None:
    """Refuse, before anything is recorded, an outbox that could not be written.

    Raises:
        Unavailable: it is not a folder, cannot be made, or may not be written.
    """
    try:
        outbox.mkdir(parents=True, exist_ok=True)
        fitting = os.access(outbox, os.W_OK | os.X_OK)
    except OSError:
        fitting = False
    if not fitting:
        raise Unavailable(
            "release/no-outbox",
            "The outbox is not a folder that can be written.",
            remedy="Name another one with --to; nothing was decided or recorded.",
        )


def _require(path: Path, digest: str) -> None:
    with open(path, "rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != digest:
            raise IntegrityError(
                "release/other-bytes",
                "The outbox holds other bytes under this package's name.",
                remedy="Move that file away, look at where it came from, and run again.",
            )
