"""How bytes come and go: Protocols for sources and sinks, and a reader over parts.

A package may hold a gigabyte, so nothing here keeps more than a chunk.

Source: performance, row 5 (sealing in at most 32 MiB).
"""

from __future__ import annotations

import hashlib
import io
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

from gateway.errors import IntegrityError

CHUNK = 1024 * 1024
BEHIND = 4


class Reader(Protocol):
    """Bytes, some at a time."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; none at the end."""


class Writer(Protocol):
    """A place for bytes, in order."""

    def write(self, chunk: bytes, /) -> int:
        """Take the next bytes."""


class ByteSource(Protocol):
    """Serialised data that waits in a sealed spill: it can be read, and read again."""

    @property
    def size(self) -> int:
        """Its length in bytes."""

    @property
    def sha256(self) -> str:
        """Its digest in hexadecimal."""

    def open(self) -> Reader:
        """A new reader from the first byte on."""


class ByteSink(Protocol):
    """A place that can be written from any position, such as a new file."""

    def write(self, chunk: bytes, /) -> int:
        """Write at the present position."""

    def seek(self, position: int, /) -> int:
        """Move the present position."""


class PartsReader:
    """Reads an iterator of byte strings as one stream."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        """Begin before the first part."""
        self._parts = parts
        self._left = memoryview(b"")
        self.fault: Exception | None = None

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes of the present part; everything for a negative size."""
        if size < 0:
            return bytes(self._left) + b"".join(self._parts)
        while not self._left:
            part = self._next()
            if part is None:
                return b""
            self._left = memoryview(part)
        taken, self._left = self._left[:size], self._left[size:]
        return bytes(taken)

    def _next(self) -> bytes | None:
        try:
            return next(self._parts, None)
        except Exception as fault:
            self.fault = fault
            raise


class Buffered(io.RawIOBase):
    """Stands between parts and a reader that asks for little at a time."""

    def __init__(self, parts: PartsReader) -> None:
        """Read from `parts`."""
        super().__init__()
        self._parts = parts

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill from the present part."""
        taken = self._parts.read(len(buffer))
        buffer[: len(taken)] = taken
        return len(taken)


class FaultKeeper:
    """Passes bytes on, and keeps the exception that the encryption library would rewrite."""

    def __init__(self, sink: Writer) -> None:
        """Stand before `sink`."""
        self._sink = sink
        self.fault: Exception | None = None

    def write(self, chunk: bytes) -> int:
        """Write, or keep the fault and raise it."""
        try:
            return self._sink.write(chunk)
        except Exception as fault:
            self.fault = fault
            raise

    def flush(self) -> None:
        """Nothing is held back."""


class SideDigest:
    """SHA-256 on a thread of its own, a few chunks behind: encryption need not wait for it.

    Small writes are handed over a chunk at a time, because each handing over makes both
    threads wait for the interpreter.
    """

    def __init__(self) -> None:
        """Start with nothing hashed."""
        self._hash = hashlib.sha256()
        self._thread = ThreadPoolExecutor(1)
        self._waiting: deque[Future[None]] = deque()
        self._next: list[bytes] = []
        self._size = 0

    def update(self, chunk: bytes) -> None:
        """Add bytes; waits only if the thread is `BEHIND` chunks late."""
        self._next.append(bytes(chunk))
        self._size += len(chunk)
        if self._size >= CHUNK:
            self._hand_over()

    def hexdigest(self) -> str:
        """The digest of everything, in hexadecimal; nothing can be added afterwards."""
        if self._next:
            self._hand_over()
        self._thread.shutdown(wait=True)
        return self._hash.hexdigest()

    def _hand_over(self) -> None:
        parts, self._next, self._size = self._next, [], 0
        self._waiting.append(self._thread.submit(self._add, parts))
        if len(self._waiting) > BEHIND:
            self._waiting.popleft().result()

    def _add(self, parts: list[bytes]) -> None:
        for part in parts:
            self._hash.update(part)


class HashingSink:
    """Passes bytes on, counting and hashing them."""

    def __init__(self, sink: ByteSink) -> None:
        """Start with nothing counted."""
        self._sink = sink
        self._hash = SideDigest()
        self.size = 0

    def write(self, chunk: bytes) -> int:
        """Write, count, hash."""
        self._hash.update(chunk)
        self._sink.write(chunk)
        self.size += len(chunk)
        return len(chunk)

    def flush(self) -> None:
        """Nothing is held back."""

    @property
    def sha256(self) -> str:
        """The digest so far, in hexadecimal."""
        return self._hash.hexdigest()


def chunks(reader: Reader) -> Iterator[bytes]:
    """A reader's bytes, a chunk at a time."""
    while chunk := reader.read(CHUNK):
        yield chunk


def checked_chunks(source: ByteSource) -> Iterator[bytes]:
    """A source's bytes, with its length and digest held to what it says.

    Raises:
        IntegrityError: `package/data-changed`, after the last chunk.
    """
    digest, size = SideDigest(), 0
    for chunk in chunks(source.open()):
        digest.update(chunk)
        size += len(chunk)
        yield chunk
    if size != source.size or digest.hexdigest() != source.sha256:
        raise IntegrityError(
            "package/data-changed",
            "The data is not what it was when it was serialised.",
            remedy="Nothing has left. Run it again; if it happens twice, look at disk and memory.",
        )
