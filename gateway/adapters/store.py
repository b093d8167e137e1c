"""Stored extracts: columns sealed to a public key, opened only if the digest is right.

The checker hands over frames it has already made; this module passes them on to
`age` without looking inside, so that taking in an extract needs no secret key. A
file is written beside its final name, synced and renamed: after a kill it is
either whole or not there.

A sealed extract is age v1 over frames: u32 big-endian length, one block
(`extract_blocks`); a length of zero ends it. Rows that were found to be none only at the end of
the file stand in a list of places beside it, and no reader sees them; one digest
covers both.

Source: security points 8 and 23; docs/explanation/architecture.md.
"""

from __future__ import annotations

import atexit
import hashlib
import io
import queue
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any, BinaryIO

import pyrage

from gateway.adapters.durable import partial_of, private, synced, take_name
from gateway.adapters.extract_files import list_beside
from gateway.errors import Unavailable

QUEUE_BLOCKS = 4


class Pipe(io.RawIOBase):
    """What is put at one end is read at the other, a few blocks ahead at most."""

    def __init__(self) -> None:
        super().__init__()
        self._blocks: queue.Queue[bytes] = queue.Queue(QUEUE_BLOCKS)
        self._rest = memoryview(b"")
        self._ended = False
        self._unread = threading.Event()

    def put(self, block: bytes) -> None:
        """Add a block, or forget it if nobody reads any more."""
        while not self._unread.is_set():
            try:
                self._blocks.put(block, timeout=0.2)
            except queue.Full:
                continue
            return

    def close_reader(self) -> None:
        """Say that nobody reads any more."""
        self._unread.set()

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is there into a buffer."""
        while not self._rest and not self._ended:
            block = self._blocks.get()
            self._ended = not block
            self._rest = memoryview(block)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


class Hashing(io.RawIOBase):
    """A file being written or read, with the SHA-256 of its bytes."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        """It can be written."""
        return True

    def readable(self) -> bool:
        """It can be read."""
        return True

    def write(self, block: Any) -> int:
        """Write a block, digested."""
        self.digest.update(block)
        return self._file.write(block)

    def read(self, size: int = -1) -> bytes:
        """Read a block, digested."""
        block = self._file.read(size)
        self.digest.update(block)
        return block

    def readinto(self, buffer: Any) -> int:
        """Read what is there into a buffer."""
        block = self.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


class SealedWriter:
    """One extract on its way to disk; `write` frames, then `finish` or `discard`."""

    def __init__(self, path: Path, recipient: str) -> None:
        """Start sealing to the storage key of the month.

        Args:
            path: the final name; nothing is there until `finish`.
            recipient: the public storage key, `age1...`.
        """
        self._path = path
        self._partial = partial_of(path)
        self._left_out = b""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._pipe = Pipe()
        self._sealing: Future[Any] = Future()
        self._sealing.add_done_callback(lambda _done: self._pipe.close_reader())
        # A stop may come before anybody holds this writer: it neither waits for it nor leaves it.
        self._thread = threading.Thread(target=self._run, args=(recipient,), daemon=True)
        atexit.register(self.discard)
        self._thread.start()

    def write(self, block: bytes) -> None:
        """Pass on bytes of frames, as the checker made them."""
        self._pipe.put(block)

    def leave_out(self, places: bytes) -> None:
        """Leave rows out for every reader: places from 0, u32 little-endian, ascending."""
        self._left_out = places

    def finish(self) -> str:
        """End the file and make it durable; returns the SHA-256 of the sealed bytes, hex.

        Where rows are left out, the bytes of their list follow in the digest.

        Raises:
            Unavailable: the disk is full or does not answer; nothing is left behind.
        """
        self._pipe.put(b"")
        try:
            digest = self._sealing.result()
            self._keep_left_out(digest)
            take_name(self._partial, self._path)
        except (OSError, pyrage.EncryptError) as fault:
            self.discard()
            raise Unavailable(
                "store/not-written",
                f"The extract could not be stored ({type(fault).__name__}).",
                remedy="Free disk space in the data directory, then send the file again.",
            ) from None
        self._thread.join()
        atexit.unregister(self.discard)
        return str(digest.hexdigest())

    def discard(self) -> None:
        """Leave nothing of this extract, whatever has become of it."""
        if self._thread.is_alive():
            self._pipe.put(b"")
            self._thread.join()
        atexit.unregister(self.discard)
        if self._partial.is_file():
            self._partial.unlink()
            list_beside(self._path).unlink(missing_ok=True)

    def _keep_left_out(self, digest: Any) -> None:
        if self._left_out:
            digest.update(self._left_out)
            with open(list_beside(self._path), "xb", opener=private) as file:
                file.write(self._left_out)
                synced(file)

    def _run(self, recipient: str) -> None:
        try:
            self._sealing.set_result(self._seal(recipient))
        except BaseException as fault:  # noqa: BLE001 - told to whoever finishes it
            self._sealing.set_exception(fault)

    def _seal(self, recipient: str) -> Any:
        with open(self._partial, "xb", opener=private) as file:
            hashing = Hashing(file)
            pyrage.encrypt_io(self._pipe, hashing, [pyrage.x25519.Recipient.from_str(recipient)])
            synced(file)
            return hashing.digest
