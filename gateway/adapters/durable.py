"""Files that are whole or not there: written beside their name, synced, then renamed.

A kill or a full disk at any moment leaves the former file or none, and at most a
`.part` beside it, which the sweeps know.

Source: security point 23; docs/explanation/reliability.md; rename(2), fsync(2).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO

PRIVATE = 0o600


def private(path: str, flags: int) -> int:
    """Open a file that only its owner may read; an `opener` for `open`."""
    return os.open(path, flags, PRIVATE)


def partial_of(path: Path) -> Path:
    """Where a file stands until it is whole."""
    return path.with_name(path.name + ".part")


@contextmanager
def written_beside(path: Path, *, mode: int = PRIVATE) -> Iterator[BinaryIO]:
    """Give a new file that takes its name, durably, when the block ends without a fault.

    A fault leaves nothing new behind, and goes on.

    Args:
        path: the final name; what stands there is replaced.
        mode: permissions of the file, less the umask.
    """
    partial = partial_of(path)
    try:
        with open(partial, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            yield file
            synced(file)
        take_name(partial, path)
    except BaseException:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def synced(file: IO[bytes]) -> None:
    """Make what was written to an open file durable."""
    file.flush()
    os.fsync(file.fileno())


def take_name(partial: Path, path: Path) -> None:
    """Give a synced file its final name, durably."""
    os.replace(partial, path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
