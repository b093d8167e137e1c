"""A change of passphrase in a process that is killed at one moment of its work on files."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from gateway.adapters.keyring import KeyRing

WATCHED = frozenset({"open", "os.rename", "os.link", "os.remove"})


def change(directory: Path, old: bytes, new: bytes, *, last: int) -> None:
    """Change it; the process ends, as by a power cut, before its `last` step on the ring."""
    ring = KeyRing(directory, lambda: old)
    ring.unlock()
    steps = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal steps
        if event in WATCHED and str(directory) in str(arguments[0]):
            steps += 1
            if steps == last:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    ring.rewrap(new)
    print(steps)


if __name__ == "__main__":
    change(
        Path(sys.argv[1]),
        b"first long passphrase",
        b"second long passphrase",
        last=int(sys.argv[2]),
    )
