"""A new passphrase for a whole ring: every key is sealed anew, or none is.

All files are written beside the old ones first (`NAME.next`). Giving the new header
its name is the one moment that counts: before it the old passphrase opens the ring
and what stands beside is ignored, after it the new one does and what stands beside
is what counts. Whoever opens the ring next finishes what a power cut left.

Source: security points 7 and 23; POSIX rename(2); docs/reference/keys.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from gateway.adapters import keyring_files as files

HEADER = "ring.json"
NEXT = ".next"


def current(path: Path) -> Path:
    """Where a key stands now: beside its name, if its ring was rewrapped and not finished."""
    beside = path.with_name(path.name + NEXT)
    staged = path.with_name(HEADER + NEXT)
    return beside if beside.exists() and not staged.exists() else path


def rewrap(directory: Path, header: bytes, *, reseal: Callable[[str], bytes]) -> int:
    """Write every key under the new header, then let the new header count; how many keys.

    Args:
        directory: the ring's.
        header: the new header's bytes.
        reseal: gives the new bytes of one key.
    """
    with files.locked(directory):
        _finish(directory)
        files.create(directory / (HEADER + NEXT), header)
        names = sorted(path.name for path in directory.glob("*.json") if path.name != HEADER)
        for name in names:
            files.create(directory / (name + NEXT), reseal(name))
        os.replace(directory / (HEADER + NEXT), directory / HEADER)
        files.sync_directory(directory)
        _finish(directory)
    return len(names)


def finish(directory: Path) -> None:
    """Finish a rewrapping that counts, or clear one that does not."""
    if any(directory.glob(f"*{NEXT}")):
        with files.locked(directory):
            _finish(directory)


def _finish(directory: Path) -> None:
    staged = directory / (HEADER + NEXT)
    beside = [path for path in sorted(directory.glob(f"*{NEXT}")) if path != staged]
    if staged.exists():
        # The header goes last: until then nobody takes what stands beside for what counts.
        for path in (*beside, staged):
            files.shred(path)
        return
    for path in beside:
        there = path.with_name(path.name.removesuffix(NEXT))
        if there.exists():
            files.replace(there, path.read_bytes())
        else:
            files.create(there, path.read_bytes())
        # Not overwritten first: until it is gone it is what counts.
        path.unlink()
    if beside:
        files.sync_directory(directory)
