"""Files of extracts beside the sealed ones: failing rows, and what a crash left.

Source: security point 23; docs/explanation/reliability.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from gateway.adapters.durable import private, synced
from gateway.errors import IntegrityError, Unavailable


class FailingRows:
    """Row and rule numbers of everything that failed; no value, so it lies in clear."""

    def __init__(self, path: Path, head: bytes) -> None:
        """Nothing is on disk before the first failing row.

        Args:
            path: where they go.
            head: what the file begins with.
        """
        self._path, self._head = path, head
        self._file: BinaryIO | None = None

    def write(self, block: bytes) -> None:
        """Add bytes of frames.

        Raises:
            Unavailable: the disk is full or fails.
        """
        with _written():
            if self._file is None:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._file = open(self._path, "wb", opener=private)
                self._file.write(self._head)
            self._file.write(block)

    def finish(self) -> None:
        """End the file and make it durable.

        Raises:
            Unavailable: the disk is full or fails.
        """
        if self._file is not None:
            with _written(), self._file as file:
                file.write(bytes(4))
                synced(file)
            self._file = None

    def discard(self) -> None:
        """Leave nothing, even where nothing can be written any more."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None
        self._path.unlink(missing_ok=True)


@contextmanager
def _written() -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise Unavailable(
            "store/not-written",
            f"The extract could not be stored ({fault.strerror}).",
            remedy="Free disk space in the data directory, then send the file again.",
        ) from None


def sweep_files(directory: Path, known: Collection[str]) -> int:
    """Remove files of extracts that have no receipt, and parts of files.

    Args:
        directory: where extracts lie.
        known: the ids of all extracts that have a receipt.

    Returns:
        How many files were removed.
    """
    if not directory.is_dir():
        return 0
    with _written():
        orphans = [
            path
            for path in directory.iterdir()
            if path.name.partition(".")[0] not in known or path.suffix == ".part"
        ]
        for path in orphans:
            path.unlink(missing_ok=True)
    return len(orphans)


def drop_files(directory: Path, extract: str) -> None:
    """Remove every file of one extract."""
    for path in directory.glob(f"{extract}.*"):
        path.unlink(missing_ok=True)


def list_beside(path: Path) -> Path:
    """Where the list of rows that are left out of a sealed extract stands."""
    return path.with_suffix(".left-out")


def not_as_recorded() -> IntegrityError:
    """The error for a stored file that is not the one of its ledger entry."""
    return IntegrityError(
        "store/not-as-recorded",
        "A stored extract is not the one that was recorded at its receipt.",
        remedy="Do not use it. Restore the data directory and run `gateway ledger verify`.",
    )
