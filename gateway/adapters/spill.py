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
import os
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import polars as pl
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import IntegrityError, Unavailable

MEMORY_BUDGET = 144 << 20

# glibc mallopt(3): blocks of this size are mapped apart, and unmapped when they are freed.
_M_MMAP_THRESHOLD, _MAPPED_APART = -3, 1 << 20


def give_back_at_once() -> None:
    """Let large blocks go back to the system when they are freed, where the C library can."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _MAPPED_APART)


@dataclass(frozen=True, slots=True)
class _Block:
    """Where one sealed block lies: its number is its nonce, used once under this key."""

    number: int
    offset: int
    size: int


@dataclass(slots=True)
class _Partition:
    """Rows waiting in memory, and the blocks already sealed on disk."""

    waiting: list[pl.DataFrame] = field(default_factory=list, repr=False)
    size: int = 0
    blocks: list[_Block] = field(default_factory=list)


class ScratchDirectory:
    """Makes spills in one directory; closing it forgets every key and file."""

    def __init__(self, directory: Path, *, budget: int = MEMORY_BUDGET) -> None:
        """Use `directory` for the nameless file; `budget` bytes of all spills stay in memory."""
        give_back_at_once()
        self._directory = directory
        self._key = AESGCM(AESGCM.generate_key(bit_length=256))
        self._file: BinaryIO | None = None
        self._end = 0
        self._blocks = 0
        self._budget = budget
        self._spills: weakref.WeakSet[SealedSpill] = weakref.WeakSet()

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
        self._spills.add(made)
        return made

    def byte_spill(self) -> ByteSpill:
        """A new, empty spill of bytes, with their digest."""
        return ByteSpill(self)

    def close(self) -> None:
        """Give the space back; the sealed bytes are unreadable from here on."""
        self._spills.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def make_room(self) -> None:
        """Seal waiting rows to disk, the largest spill first, until the budget holds."""
        while sum(spill.held for spill in self._spills) > self._budget:
            largest = max(self._spills, key=lambda spill: spill.held)
            largest.flush()

    def write(self, plain: bytes | memoryview) -> _Block:
        """Seal one block at the end of the nameless file.

        Raises:
            Unavailable: the disk is full or fails.
        """
        number = self._blocks
        sealed = self._key.encrypt(number.to_bytes(12), plain, None)
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._directory, buffering=0)
            written = 0
            while written < len(sealed):
                written += os.pwrite(
                    self._file.fileno(), memoryview(sealed)[written:], self._end + written
                )
        except OSError as fault:
            raise Unavailable(
                "store/no-scratch-room",
                f"The scratch room of the release cannot be written ({fault.strerror}).",
                remedy="Free disk space in the data directory and run the release again.",
            ) from None
        block = _Block(number, self._end, len(sealed))
        self._end += len(sealed)
        self._blocks += 1
        return block

    def read(self, block: _Block) -> bytes:
        """Open one block; a changed byte is an error, never wrong rows."""
        if self._file is None:
            raise Unavailable("store/scratch-closed", "The scratch room is closed.")
        sealed = os.pread(self._file.fileno(), block.size, block.offset)
        try:
            return self._key.decrypt(block.number.to_bytes(12), sealed, None)
        except InvalidTag:
            raise IntegrityError(
                "store/scratch-changed",
                "The scratch room does not hold what was written to it.",
                remedy="Check the disk, then run the release again.",
            ) from None


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
        self.held = 0
        self.rows = 0

    def __len__(self) -> int:
        return len(self._partitions)

    def put(self, partition: int, frame: pl.DataFrame) -> None:
        """Add rows to one partition; they may go to disk, sealed."""
        if not frame.height:
            return
        target = self._partitions[partition]
        target.waiting.append(frame)
        size = room_of(frame)
        target.size += size
        self.held += size
        self.rows += frame.height
        self._scratch.make_room()

    def partition(self, index: int) -> Iterator[pl.DataFrame]:
        """The frames of one partition in the order in which they were put."""
        held = self._partitions[index]
        for block in held.blocks:
            yield pl.read_ipc(self._scratch.read(block))
        yield from held.waiting

    def take(self, index: int) -> Iterator[pl.DataFrame]:
        """The frames of one partition for the last time: it is empty from here on."""
        held = self._partitions[index]
        self._partitions[index] = _Partition()
        self.held -= held.size
        for block in held.blocks:
            yield pl.read_ipc(self._scratch.read(block))
        while held.waiting:
            yield held.waiting.pop(0)

    def flush(self) -> None:
        """Seal all waiting rows to disk, uncompressed: it is read again soon, and once or twice."""
        for partition in self._partitions:
            if partition.waiting:
                frame = pl.concat(partition.waiting)
                partition.waiting.clear()
                buffer = io.BytesIO()
                frame.write_ipc(buffer, compression="uncompressed", record_batch_size=None)
                partition.blocks.append(self._scratch.write(buffer.getbuffer()))
                partition.size = 0
        self.held = 0


class ByteSpill:
    """Bytes of one file to be, sealed while they wait, with size and SHA-256."""

    def __init__(self, scratch: ScratchDirectory) -> None:
        """Empty."""
        self._scratch = scratch
        self._blocks: list[_Block] = []
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, block: bytes | memoryview) -> int:
        """Add bytes at the end."""
        self._digest.update(block)
        self._blocks.append(self._scratch.write(block))
        self.size += len(block)
        return len(block)

    @property
    def sha256(self) -> str:
        """The digest of all bytes so far, lower-case hex."""
        return self._digest.hexdigest()

    def chunks(self) -> Iterator[bytes]:
        """The bytes again, from the first."""
        return (self._scratch.read(block) for block in self._blocks)

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
