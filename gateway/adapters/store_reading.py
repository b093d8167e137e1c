"""Stored extracts as their readers have them: opened only if the digest is right.

Source: security points 8 and 23; docs/explanation/architecture.md.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl
import pyrage

from gateway.adapters.extract_blocks import read_block
from gateway.adapters.extract_files import list_beside, not_as_recorded
from gateway.adapters.left_out import LeftOut
from gateway.adapters.store import Hashing, Pipe
from gateway.errors import Unavailable
from gateway.model.extracts import ExtractRecord


@dataclass(frozen=True, slots=True)
class SealedExtract:
    """A stored extract that can be read, again and again, by the holder of its key."""

    path: Path
    digest: str
    identity: Any = field(repr=False, compare=False)
    replaced: bool = False

    def frames(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """The stored blocks in order, only the named columns that exist.

        The whole file is compared with its digest before the first block is opened, and
        what was read is compared once more at the end.

        Raises:
            IntegrityError: the file is not the one that was recorded at receipt.
            Unavailable: the file is gone.
        """
        try:
            file = open(self.path, "rb", buffering=1 << 20)
            beside = list_beside(self.path)
            places = beside.read_bytes() if beside.is_file() else b""
        except OSError:
            raise _gone(replaced=self.replaced) from None
        with file:
            whole = Hashing(file)
            while whole.read(1 << 20):
                pass
            self._require(whole.digest, places)
            file.seek(0)
            yield from self._verified(Hashing(file), columns, LeftOut(places))

    def _verified(
        self, sealed: Hashing, columns: Sequence[str] | None, left_out: LeftOut
    ) -> Iterator[pl.DataFrame]:
        pipe = Pipe()
        opener = threading.Thread(
            target=_open_into, args=(sealed, pipe, self.identity), daemon=True
        )
        opener.start()
        try:
            reader = io.BufferedReader(pipe, 1 << 20)
            while (length := int.from_bytes(reader.read(4))) != 0:
                block = reader.read(length)
                if len(block) != length:
                    break
                yield left_out.without(read_block(block, columns))
        finally:
            pipe.close_reader()
            opener.join()
        self._require(sealed.digest, left_out.octets)

    def _require(self, digest: Any, left_out: bytes) -> None:
        digest.update(left_out)
        if digest.hexdigest() != self.digest:
            raise not_as_recorded()


def _gone(*, replaced: bool) -> Unavailable:
    """The error for a file that is not there; one sent again would replace newer ones."""
    if replaced:
        return Unavailable(
            "store/replaced-extract-gone",
            "A stored extract that a newer one has replaced, and whose refusals still count, is "
            "not in its place.",
            remedy="Put its file back from a backup. Do not take the old file in again: it would "
            "become the newest.",
        )
    return Unavailable(
        "store/extract-gone",
        "A stored extract is not in its place.",
        remedy="Restore it from backup or ask the partner to send it again.",
    )


class _Into(io.RawIOBase):
    def __init__(self, pipe: Pipe) -> None:
        super().__init__()
        self._pipe = pipe

    def writable(self) -> bool:
        return True

    def write(self, block: Any) -> int:
        size = len(block)
        if size:
            self._pipe.put(bytes(block))
        return size


def _open_into(sealed: Hashing, pipe: Pipe, identity: Any) -> None:
    try:
        pyrage.decrypt_io(sealed, io.BufferedWriter(_Into(pipe), 1 << 20), [identity])
        sealed.read()
    except (pyrage.DecryptError, OSError, ValueError):
        # The digest comparison of the reader says what matters; never the content.
        sealed.digest.update(b"not readable")
    finally:
        pipe.put(b"")


@dataclass(frozen=True, slots=True)
class StoredExtract:
    """An accepted extract with the key that opens it; see `selection.StoredColumns`."""

    record: ExtractRecord
    sealed: SealedExtract = field(repr=False)

    @property
    def rows(self) -> int:
        """Accepted rows."""
        return self.record.accepted

    def frames(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """The stored blocks, only the named columns that exist."""
        return replace(self.sealed, replaced=bool(self.record.superseded_by)).frames(columns)
