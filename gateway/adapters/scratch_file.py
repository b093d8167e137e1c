"""The nameless file of a release: pieces of bytes, each sealed under a key of this process alone.

A plaintext temporary file would be a leak that outlives the release. The key is
never written down, and the file has no name: both are gone with the process.

Source: security points 7 and 23.
"""

from __future__ import annotations

import io
import os
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import REPORT, IntegrityError, Unavailable

# What is sealed at once: it stays in the processor's cache, and its room is used again.
PIECE = 256 << 10
_TAG = 16
# Places are multiples of this, so that one that is free fits pieces of about its size.
_PLACE = 16 << 10


@dataclass(frozen=True, slots=True)
class Piece:
    """Where one sealed piece lies: its number is its nonce, used once under this key."""

    number: int
    offset: int
    size: int


class SealedFile:
    """A file without a name that several threads may add to and read."""

    def __init__(self, directory: Path) -> None:
        """Use `directory` once there is something to write."""
        self._directory = directory
        self._key = AESGCM(AESGCM.generate_key(bit_length=256))
        self._file: BinaryIO | None = None
        self._end = 0
        self._free: defaultdict[int, list[int]] = defaultdict(list)
        self._pieces = 0
        self._own = threading.local()
        self._placing = threading.Lock()

    def close(self) -> None:
        """Give the space back; the sealed bytes are unreadable from here on."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def write(self, plain: bytes | memoryview) -> Piece:
        """Seal one piece, at most `PIECE` bytes, at the end of the nameless file.

        Raises:
            Unavailable: the disk is full or fails.
        """
        piece, file = self._placed(len(plain))
        sealed = self._room()[: piece.size + _TAG]
        self._key.encrypt_into(piece.number.to_bytes(12), plain, None, sealed)
        with _writable():
            written = 0
            while written < len(sealed):
                written += os.pwrite(file.fileno(), sealed[written:], piece.offset + written)
        return piece

    def read(self, piece: Piece, into: memoryview) -> None:
        """Open one piece; a changed byte is an error, never wrong rows.

        Args:
            piece: as `write` gave it.
            into: room for exactly its bytes.
        """
        if self._file is None:
            raise Unavailable("store/scratch-closed", "The scratch room is closed.", remedy=REPORT)
        sealed = self._room()[: piece.size + _TAG]
        try:
            held = os.preadv(self._file.fileno(), [sealed], piece.offset)
            self._key.decrypt_into(piece.number.to_bytes(12), sealed[:held], None, into)
        except (InvalidTag, ValueError):
            raise IntegrityError(
                "store/scratch-changed",
                "The scratch room does not hold what was written to it.",
                remedy="Check the disk, then run the release again.",
            ) from None

    def free(self, pieces: Iterable[Piece]) -> None:
        """Let the places of pieces that nobody reads any more be used again."""
        with self._placing:
            for piece in pieces:
                self._free[_place_of(piece.size)].append(piece.offset)

    def _room(self) -> memoryview:
        """Room for one sealed piece, of this thread alone and used again and again."""
        room: memoryview | None = getattr(self._own, "room", None)
        if room is None:
            room = self._own.room = memoryview(bytearray(PIECE + _TAG))
        return room

    def _placed(self, size: int) -> tuple[Piece, BinaryIO]:
        """The next number, and a free place in the file."""
        with self._placing:
            if self._file is None:
                with _writable():
                    self._file = tempfile.TemporaryFile(dir=self._directory, buffering=0)
            place = _place_of(size)
            if self._free[place]:
                offset = self._free[place].pop()
            else:
                offset, self._end = self._end, self._end + place
            self._pieces += 1
            return Piece(self._pieces, offset, size), self._file


def _place_of(size: int) -> int:
    """The bytes of the file that are set aside for a piece of this size."""
    return -(-(size + _TAG) // _PLACE) * _PLACE


@contextmanager
def _writable() -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise Unavailable(
            "store/no-scratch-room",
            f"The scratch room of the release cannot be written ({fault.strerror}).",
            remedy="Free disk space in the data directory and run the release again.",
        ) from None


class Pieces(io.RawIOBase):
    """Bytes on their way into the scratch room, sealed piece by piece."""

    def __init__(self, file: SealedFile) -> None:
        """Nothing is sealed yet."""
        super().__init__()
        self._file = file
        self._waiting = memoryview(bytearray(PIECE))
        self._used = 0
        self.sealed: list[Piece] = []

    def writable(self) -> bool:
        """Bytes only go in here."""
        return True

    def write(self, block: Any) -> int:
        """Add bytes at the end."""
        left = memoryview(block).cast("B")
        size = len(left)
        while left:
            if not self._used and len(left) >= PIECE:
                self.sealed.append(self._file.write(left[:PIECE]))
                left = left[PIECE:]
                continue
            step = min(PIECE - self._used, len(left))
            self._waiting[self._used : self._used + step] = left[:step]
            self._used += step
            left = left[step:]
            if self._used == PIECE:
                self.settle()
        return size

    def settle(self) -> None:
        """Seal what waits."""
        if self._used:
            self.sealed.append(self._file.write(self._waiting[: self._used]))
            self._used = 0

    def finish(self) -> tuple[Piece, ...]:
        """Every piece, the last one too."""
        self.settle()
        return tuple(self.sealed)
