"""Pieces of uploads: sealed as they come, durable before they count.

A piece is sealed to the month's public key for uploads. It is written beside its name,
synced and renamed; nothing of it ever lies on a disk in clear. Its writer holds a
lock on the file for as long as nobody knows of it, so that a sweep takes only what a
killed process left.

Source: docs/explanation/service.md, "An upload, exactly once"; security points 8 and 23.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from gateway.adapters.upload_records import Segment
from gateway.adapters.upload_sealing import CHUNK, Place, Sealing
from gateway.errors import Unavailable

SYNC_EVERY = 8 << 20
PART = ".part"


class Source(Protocol):
    """Bytes as they come; none at the end, an exception where the connection breaks."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A sealed piece that is durable and that nobody knows of yet."""

    path: Path
    size: int
    heads_digest: str
    ended: bool
    broken: bool
    _descriptor: int

    def segment(self, place: Place, storage_key: str) -> Segment:
        """What the database is to know of it."""
        return Segment(
            upload=place.upload,
            start=place.start,
            size=self.size,
            name=self.path.name,
            storage_key=storage_key,
            head_digest=self.heads_digest,
        )

    def drop(self) -> None:
        """Leave nothing of it."""
        self.path.unlink(missing_ok=True)

    def release(self) -> None:
        """Let go of its lock: it is known now, or gone."""
        os.close(self._descriptor)


class Arriving:
    """A body being read for one piece: at most `limit` bytes, ending where it breaks."""

    def __init__(self, source: Source, limit: int, digest: Any | None = None) -> None:
        self._source = source
        self._digest = digest
        self._limit = limit
        self.size = 0
        self.ended = False
        self.broken = False

    def chunks(self) -> Iterator[bytes]:
        """The body in full chunks, then one that is not full and may be empty."""
        full = True
        while full:
            chunk = self._chunk()
            full = len(chunk) == CHUNK
            yield chunk

    def digest(self) -> bytes:
        """The digest of what arrived, where one was asked for."""
        return b"" if self._digest is None else bytes(self._digest.digest())

    def _chunk(self) -> bytes:
        blocks: list[bytes] = []
        left = min(CHUNK, self._limit - self.size)
        while left and (block := self._more(left)):
            blocks.append(block)
            left -= len(block)
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    def _more(self, wanted: int) -> bytes:
        """Some bytes; a connection that broke ends the piece and is noted."""
        if self.ended:
            return b""
        try:
            block = self._source.read(wanted)
        except Exception:  # noqa: BLE001 - however a source breaks, what came before is kept
            self.broken, block = True, b""
        self.ended = not block
        self.size += len(block)
        if self._digest is not None:
            self._digest.update(block)
        return block


class _Sink:
    """The file of a piece; keeps the fault that stopped it."""

    def __init__(self, descriptor: int, syncing: ThreadPoolExecutor) -> None:
        self._descriptor = descriptor
        self._syncing = syncing
        self._sync: Future[None] | None = None
        self._unsynced = 0

    def write(self, block: bytes) -> None:
        rest = memoryview(block)
        while rest:  # a disk that fills up takes a part first
            rest = rest[os.write(self._descriptor, rest) :]
        self._unsynced += len(block)
        if self._unsynced >= SYNC_EVERY and (self._sync is None or self._sync.done()):
            self._begin_sync()

    def synced(self) -> None:
        """Wait until all of it is durable."""
        self._begin_sync()
        if self._sync is not None:
            self._sync.result()

    def _begin_sync(self) -> None:
        """Let the disk work while more arrives; what an earlier sync could not do is a fault."""
        if self._sync is not None:
            self._sync.result()
        self._sync = self._syncing.submit(os.fdatasync, self._descriptor)
        self._unsynced = 0


def seal_piece(directory: Path, place: Place, recipient: str, arriving: Arriving) -> Piece:
    """Seal what arrives into a durable piece of its own; the caller releases it.

    Args:
        directory: of the upload.
        place: the upload, and the offset that it begins at.
        recipient: the month's public key for uploads.
        arriving: the bytes.

    Raises:
        Unavailable: the disk is full or fails; nothing is left behind.
    """
    path = directory / f"{place.start:020d}-{secrets.token_hex(8)}.sealed"
    part = path.with_name(path.name + PART)
    try:
        descriptor = _locked_file(part)
    except OSError as fault:
        raise _not_written(fault) from None
    try:
        digest = _sealed(descriptor, Sealing(recipient, place), arriving)
        part.replace(path)
        _sync(directory)
    except BaseException as fault:
        part.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        os.close(descriptor)
        if isinstance(fault, OSError):
            raise _not_written(fault) from None
        raise
    return Piece(
        path=path,
        size=arriving.size,
        heads_digest=digest,
        ended=arriving.ended,
        broken=arriving.broken,
        _descriptor=descriptor,
    )


def _sealed(descriptor: int, sealing: Sealing, arriving: Arriving) -> str:
    """Seal and write one chunk while the next arrives, and sync what was written meanwhile."""
    with ThreadPoolExecutor(1) as writing, ThreadPoolExecutor(1) as syncing:
        sink = _Sink(descriptor, syncing)
        before: Future[None] | None = None
        for chunk in arriving.chunks():
            if before is not None:
                before.result()
            before = writing.submit(lambda block: sink.write(sealing.seal(block)), chunk)
        if before is not None:
            before.result()
        sink.synced()
    return sealing.heads_digest()


def _locked_file(part: Path) -> int:
    """A new file that no sweep will take while this process lives."""
    part.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink == 0:  # a sweep came between the two lines above
            raise FileNotFoundError
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def sweep_pieces(directory: Path, known: Callable[[str, str], bool]) -> int:
    """Remove the pieces that nobody knows of and no living process is writing.

    Args:
        directory: of all uploads.
        known: whether the database needs a file, by upload and name; asked under the
            file's lock, so that what is being counted is not taken.

    Returns:
        How many files were removed.
    """
    removed = 0
    for path in sorted(directory.glob("*/*")):
        with contextlib.suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not known(path.parent.name, path.name):
                path.unlink()
                removed += 1
    for folder in sorted(directory.glob("*/")):
        with contextlib.suppress(OSError):
            folder.rmdir()  # only an empty one goes
    return removed


def remove_pieces(directory: Path) -> None:
    """Remove the pieces of one upload, whatever is there of them."""
    for path in directory.glob("*"):
        path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        directory.rmdir()


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _not_written(fault: BaseException) -> Unavailable:
    return Unavailable(
        "upload/not-written",
        f"The upload could not be stored ({type(fault).__name__}).",
        remedy="What was counted before is kept. Free disk space in the data directory, then "
        "resume the upload.",
    )
