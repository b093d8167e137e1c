"""A worker's place: a numbered file lock, which the kernel gives back when its owner dies.

Whoever has the place knows that its last owner is no more, and may take up at once
what that one let fall.

Source: docs/adr/0250-leases-without-clocks.md; Linux flock(2).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

from gateway.errors import Unavailable

MOST = 256


@contextlib.contextmanager
def own_place(data: Path) -> Iterator[tuple[str, str]]:
    """Take the first free place of this machine, for as long as the block lasts.

    Yields:
        The place's name, and the name of this run in it (`place#random`).

    Raises:
        Unavailable: the data directory cannot be written, or all places are taken.
    """
    folder = data / "workers"
    machine = socket.gethostname()[:60]
    with contextlib.ExitStack() as stack:
        for number in range(1, MOST + 1):
            slot = f"{machine}-{number}"
            descriptor = _opened(folder, f"{slot}.lock")
            if _locked(descriptor):
                stack.callback(os.close, descriptor)
                yield slot, f"{slot}#{secrets.token_hex(8)}"
                return
            os.close(descriptor)
        raise Unavailable(
            "job/no-place",
            f"{MOST} workers run on this machine already.",
            remedy="Start fewer.",
        )


def _opened(folder: Path, name: str) -> int:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        return os.open(folder / name, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as fault:
        raise Unavailable(
            "store/not-writable",
            f"The data directory cannot be written ({fault.strerror}).",
            remedy="Mount it writable, free disk space, or name another with --data.",
        ) from None


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
