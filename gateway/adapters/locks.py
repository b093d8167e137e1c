"""Who may work on a data directory at the same time as whom.

Source: docs/explanation/architecture.md, "Processes".
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from gateway.errors import Unavailable


@contextlib.contextmanager
def receiving(data: Path, *, sweep: Callable[[], object]) -> Iterator[None]:
    """Several files are taken in at once; whoever begins alone sweeps what a crash left."""
    with _lock_file(data / "receive.lock") as descriptor:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            sweep()
        # Nothing of this run is on disk yet, so that a sweep in between takes nothing from it.
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield


@contextlib.contextmanager
def one_at_a_time(data: Path) -> Iterator[None]:
    """Releases of one data directory are made one after the other; a second one waits."""
    with _lock_file(data / "release.lock") as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _lock_file(path: Path) -> Iterator[int]:
    """A file to lock; the lock ends with the process, whatever becomes of it."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as fault:
        raise Unavailable(
            "store/not-writable",
            f"The data directory cannot be written ({fault.strerror}).",
            remedy="Mount it writable, free disk space, or name another with --data.",
        ) from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)
