"""Scratch room for a release: in memory while small, sealed on disk when large.

What must be seen whole (whole families, small groups, one permutation over the
output) is scattered over partitions. A plaintext temporary file would be a leak
that outlives the release, so blocks beyond the memory budget are sealed with a
key that only this process holds, into a file that has no name.

Source: security points 7 and 23; docs/explanation/architecture.md.
"""

from __future__ import annotations

import ctypes
import hashlib
import io
import threading
import weakref
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
import polars as pl

from gateway.adapters.scratch_columns import Columns, Packed
from gateway.adapters.scratch_file import PIECE, Piece, Pieces, SealedFile
from gateway.model.stages import Wanted, every_column, wanted_of

MEMORY_BUDGET = 32 << 20

# glibc mallopt(3): blocks of this size are mapped apart, and unmapped when they are freed;
# smaller ones are kept for the next block, up to the second size. What is given back and
# asked for again costs more, zeroed page by page, than the work that is done in it.
_M_MMAP_THRESHOLD, _MAPPED_APART = -3, 8 << 20
_M_TRIM_THRESHOLD, _KEPT = -1, 32 << 20


def give_back_large_blocks() -> None:
    """Let large blocks go back to the system when they are freed, where the C library can."""
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, _MAPPED_APART)
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT)


_Sealed = tuple[Packed, tuple[Piece, ...]]


@dataclass(slots=True)
class _Partition:
    """Rows waiting in memory, and the frames already sealed on disk."""

    waiting: list[pl.DataFrame] = field(default_factory=list, repr=False)
    size: int = 0
    sealed: list[_Sealed] = field(default_factory=list)


class ScratchDirectory:
    """Makes spills in one directory; closing it forgets every key and file.

    Several threads may fill and read spills; each partition has one reader at a time.
    """

    def __init__(self, directory: Path, *, budget: int = MEMORY_BUDGET) -> None:
        """Use `directory` for the nameless file; `budget` bytes of all spills stay in memory."""
        give_back_large_blocks()
        self.file = SealedFile(directory)
        self._budget = budget
        self._spills: weakref.WeakSet[SealedSpill] = weakref.WeakSet()
        # The file has a lock of its own: frames are written by threads of their library
        # while this one is held.
        self.lock = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def spill(self, partitions: int) -> SealedSpill:
        """A new, empty spill."""
        made = SealedSpill(self, partitions)
        with self.lock:
            self._spills.add(made)
        return made

    def byte_spill(self) -> ByteSpill:
        """A new, empty spill of bytes, with their digest."""
        return ByteSpill(self)

    def close(self) -> None:
        """Give the space back; the sealed bytes are unreadable from here on."""
        self._spills.clear()
        self.file.close()

    def make_room(self) -> None:
        """Seal waiting rows to disk, the largest spill first, until the budget holds."""
        with self.lock:
            while sum(spill.held for spill in self._spills) > self._budget:
                max(self._spills, key=lambda spill: spill.held).flush()


def room_of(frame: pl.DataFrame) -> int:
    """The bytes that a frame takes: a text or binary cell has 16 beside what it holds."""
    views = sum(kind in (pl.String, pl.Binary) for kind in frame.dtypes)
    return int(frame.estimated_size()) + 16 * frame.height * views


class SealedSpill:
    """Partitions of frames; see `gateway.model.stages.Spill`.

    Nobody else holds it: when its last reader is gone, so is what it kept in memory.
    """

    def __init__(self, scratch: ScratchDirectory, partitions: int) -> None:
        """Empty partitions 0 to `partitions` - 1."""
        self._scratch = scratch
        self._partitions = [_Partition() for _ in range(partitions)]
        self._columns = Columns()
        self.held = 0
        self.rows = 0

    def __len__(self) -> int:
        return len(self._partitions)

    def put(self, partition: int, frame: pl.DataFrame) -> None:
        """Add rows to one partition; they may go to disk, sealed."""
        if not frame.height:
            return
        size = room_of(frame)
        with self._scratch.lock:
            target = self._partitions[partition]
            target.waiting.append(frame)
            target.size += size
            self.held += size
            self.rows += frame.height
            self._scratch.make_room()

    def partition(self, index: int, wanted: Wanted = every_column) -> Iterator[pl.DataFrame]:
        """The frames of one partition in the order in which they were put, their wanted columns."""
        with self._scratch.lock:
            held = self._partitions[index]
            sealed, waiting = list(held.sealed), list(held.waiting)
        for frame in sealed:
            yield self._opened(frame, wanted)
        for waits in waiting:
            yield wanted_of(waits, wanted)

    def take(self, index: int) -> Iterator[pl.DataFrame]:
        """The frames of one partition for the last time: it is empty from here on."""
        with self._scratch.lock:
            held = self._partitions[index]
            self._partitions[index] = _Partition()
            self.held -= held.size
        while held.sealed:
            sealed = held.sealed.pop(0)
            frame = self._opened(sealed, every_column)
            self._scratch.file.free(sealed[1])
            yield frame
        while held.waiting:
            yield held.waiting.pop(0)

    def flush(self) -> None:
        """Seal all waiting rows to disk: they are read again soon, and a few times."""
        with self._scratch.lock:
            for partition in self._partitions:
                if partition.waiting:
                    partition.sealed.append(self._sealed(pl.concat(partition.waiting)))
                    partition.waiting.clear()
                    partition.size = 0
            self.held = 0

    def _sealed(self, frame: pl.DataFrame) -> _Sealed:
        packed, octets = self._columns.packed(frame)
        pieces = Pieces(self._scratch.file)
        for each in octets:
            pieces.write(each)
        return packed, pieces.finish()

    def _opened(self, sealed: _Sealed, wanted: Wanted) -> pl.DataFrame:
        """The wanted columns; only pieces in which one of them lies are opened."""
        packed, pieces = sealed
        body = np.empty(sum(piece.size for piece in pieces), np.uint8).data
        spans = ((start, end) for _, start, end in packed.places(wanted))
        # All pieces but the last have one size.
        needed = {n for start, end in spans for n in range(start // PIECE, -(-end // PIECE))}
        for number in sorted(needed):
            start = number * PIECE
            self._scratch.file.read(pieces[number], body[start : start + pieces[number].size])
        return packed.unpacked(wanted, body)


class ByteSpill:
    """Bytes of one file to be, sealed while they wait, with size and SHA-256."""

    def __init__(self, scratch: ScratchDirectory) -> None:
        """Empty."""
        self._scratch = scratch
        self._pieces = Pieces(scratch.file)
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, block: bytes | memoryview) -> int:
        """Add bytes at the end."""
        self._digest.update(block)
        self.size += self._pieces.write(block)
        return len(block)

    @property
    def sha256(self) -> str:
        """The digest of all bytes so far, lower-case hex."""
        return self._digest.hexdigest()

    def chunks(self) -> Iterator[bytes]:
        """The bytes again, from the first."""
        for piece in self._pieces.finish():
            room = bytearray(piece.size)
            self._scratch.file.read(piece, memoryview(room))
            yield bytes(room)

    def open(self) -> BinaryIO:
        """A reader from the first byte."""
        return io.BufferedReader(_Chunks(self.chunks()), 1 << 20)


class _Chunks(io.RawIOBase):
    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            block = next(self._chunks, None)
            if block is None:
                return 0
            self._rest = memoryview(block)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
