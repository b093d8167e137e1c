"""Uploads as the worker has them: opened piece after piece, then told what became of them.

Nothing lies on a disk in clear: pieces are opened a few blocks ahead of who reads.
The upload's state is written before its pieces go, and both may be done again.

Source: docs/explanation/service.md, "An upload, exactly once"; security points 8 and 23.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import pyrage

from gateway.adapters import upload_records as records
from gateway.adapters.database import Database
from gateway.adapters.keyring import KeyRing
from gateway.adapters.settings import Settings
from gateway.adapters.upload_records import WHOLE, Segment, UploadState, find
from gateway.adapters.upload_segments import BLOCK, HEAD, remove_pieces
from gateway.errors import HeldForPerson, IntegrityError, Unavailable


class Checked(Protocol):
    """The receipt of a check, as far as an upload keeps it."""

    @property
    def id(self) -> str:
        """The extract's id."""


@contextlib.contextmanager
def opened(settings: Settings, ring: KeyRing, upload_id: str) -> Iterator[BinaryIO]:
    """The bytes of a whole upload, for the worker; on no disk in clear.

    Args:
        settings: where everything lives.
        ring: with the private halves of the storage pairs.
        upload_id: which.

    Raises:
        HeldForPerson: `upload/not-whole`.
        IntegrityError: a piece is not the one that was received.
        Unavailable: a piece is gone.
        UsageError: `upload/unknown-upload`.
    """
    database = Database(settings.database_url)
    try:
        with database.begin() as connection:
            upload = find(connection, upload_id)
            segments = records.segments_of(connection, upload_id)
            if upload.state not in WHOLE:
                raise HeldForPerson("upload/not-whole", "There is nothing to check of this upload.")
            records.turn(connection, upload_id, from_=WHOLE, state=UploadState.CHECKING)
    finally:
        database.close()

    def identity(key: str) -> Any:
        return pyrage.x25519.Identity.from_str(ring.storage_identity(key))

    with opened_pieces(directory_of(settings) / upload_id, segments, identity) as source:
        yield source


def checked(settings: Settings, database: Database, upload_id: str, receipt: Checked) -> None:
    """Note the extract that an upload became, then remove its pieces; may be done again."""
    with database.begin() as connection:
        records.turn(
            connection,
            upload_id,
            from_=WHOLE | {UploadState.DONE},
            state=UploadState.DONE,
            extract=receipt.id,
        )
    remove_pieces(directory_of(settings) / upload_id)


def failed(settings: Settings, database: Database, upload_id: str, *, code: str) -> None:
    """Note that the check gave an upload up, then remove its pieces; may be done again."""
    with database.begin() as connection:
        turned = records.turn(
            connection, upload_id, from_=WHOLE, state=UploadState.FAILED, code=code
        )
    if turned:
        remove_pieces(directory_of(settings) / upload_id)


def directory_of(settings: Settings) -> Path:
    """Where pieces of uploads lie."""
    return settings.data / "uploads"


@contextlib.contextmanager
def opened_pieces(
    directory: Path, segments: Sequence[Segment], identity: Callable[[str], Any]
) -> Iterator[BinaryIO]:
    """The bytes of an upload as one stream, a few blocks ahead, never on a disk in clear.

    Args:
        directory: of the upload.
        segments: in order.
        identity: gives the private half of a storage pair, by key id.

    Raises:
        IntegrityError: a piece is not the one that was received.
        Unavailable: a piece is gone or cannot be read.
    """
    blocks: queue.Queue[bytes | Exception] = queue.Queue(4)
    stopped = threading.Event()
    opener = threading.Thread(
        target=_open_all, args=(directory, segments, identity, _Outlet(blocks, stopped))
    )
    opener.start()
    try:
        yield io.BufferedReader(_Opened(blocks), BLOCK)
    finally:
        stopped.set()
        opener.join()


class _Outlet(io.RawIOBase):
    """Where opened blocks go; raises once nobody reads any more."""

    def __init__(self, blocks: queue.Queue[bytes | Exception], stopped: threading.Event) -> None:
        super().__init__()
        self._blocks = blocks
        self._stopped = stopped
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, block: Any) -> int:
        self.size += len(block)
        if block:
            self.put(bytes(block))
        return len(block)

    def put(self, block: bytes | Exception) -> None:
        while not self._stopped.is_set():
            with contextlib.suppress(queue.Full):
                self._blocks.put(block, timeout=0.2)
                return
        raise BrokenPipeError


class _Opened(io.RawIOBase):
    """The reading end; a fault of the opener is raised here."""

    def __init__(self, blocks: queue.Queue[bytes | Exception]) -> None:
        super().__init__()
        self._blocks = blocks
        self._rest = memoryview(b"")
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest and not self._ended:
            block = self._blocks.get()
            if isinstance(block, Exception):
                self._ended = True
                raise block
            self._ended = not block
            self._rest = memoryview(block)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def _open_all(
    directory: Path,
    segments: Sequence[Segment],
    identity: Callable[[str], Any],
    outlet: _Outlet,
) -> None:
    with contextlib.suppress(BrokenPipeError):
        try:
            for segment in segments:
                _open_one(directory / segment.name, segment, identity, outlet)
        except (IntegrityError, Unavailable) as fault:
            outlet.put(fault)
        else:
            outlet.put(b"")


def _open_one(
    path: Path, segment: Segment, identity: Callable[[str], Any], outlet: _Outlet
) -> None:
    secret = identity(segment.storage_key)
    before = outlet.size
    try:
        with path.open("rb", buffering=BLOCK) as file:
            if hashlib.sha256(file.read(HEAD)).hexdigest() != segment.head_digest:
                raise _not_as_received()
            file.seek(0)
            opened = io.BufferedWriter(outlet, BLOCK)
            pyrage.decrypt_io(file, opened, [secret])
            opened.detach()  # flushes; the outlet serves the next piece too
    except BrokenPipeError:
        raise
    except OSError as fault:
        if fault.errno is None:  # said by the sealing library, and not by the disk
            raise _not_as_received() from None
        raise Unavailable(
            "upload/segment-gone",
            "A piece of an upload cannot be read.",
            remedy="Ask the partner to send the file again.",
        ) from None
    except (pyrage.DecryptError, ValueError):
        raise _not_as_received() from None
    if outlet.size - before != segment.size:
        raise _not_as_received()


def _not_as_received() -> IntegrityError:
    return IntegrityError(
        "upload/not-as-received",
        "A piece of an upload is not the one that was received.",
        remedy="Do not use it: find out who can write to the data directory, then have the file "
        "sent again.",
    )
