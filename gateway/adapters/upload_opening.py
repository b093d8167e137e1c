"""Uploads as the worker has them: opened piece after piece, then told what became of them.

Nothing lies on a disk in clear: pieces are opened a few blocks ahead of who reads.
The upload's state is written before its pieces go, and both may be done again.

Source: docs/explanation/service.md, "An upload, exactly once"; security points 8 and 23.
"""

from __future__ import annotations

import contextlib
import io
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from gateway.adapters import upload_records as records
from gateway.adapters.database import Database
from gateway.adapters.keyring import KeyRing
from gateway.adapters.settings import Settings
from gateway.adapters.upload_records import WHOLE, Segment, UploadState, find
from gateway.adapters.upload_sealing import CHUNK, Place, secret_key, unsealed
from gateway.adapters.upload_segments import remove_pieces
from gateway.errors import HeldForPerson, InputRejected, Unavailable
from gateway.model.keys import KeyKind

Secret = Callable[[str], bytes]
"""Gives the private half of a pair for uploads, by key id."""


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
        ring: with the private halves of the pairs for uploads.
        upload_id: which.

    Raises:
        HeldForPerson: `upload/not-whole`.
        InputRejected: `upload/older-form`.
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
                raise HeldForPerson(
                    "upload/not-whole",
                    "There is nothing to check of this upload.",
                    remedy="Look at the upload's state first: it is checked already, or "
                    "not all of it has come.",
                )
            records.turn(connection, upload_id, from_=WHOLE, state=UploadState.CHECKING)
    finally:
        database.close()

    if any(ring.record(segment.storage_key).kind is not KeyKind.UPLOAD for segment in segments):
        raise _older_form()
    directory = directory_of(settings) / upload_id
    with opened_pieces(directory, segments, ring.upload_secret) as source:
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
    directory: Path, segments: Sequence[Segment], secret: Secret
) -> Iterator[BinaryIO]:
    """The bytes of an upload as one stream, a few blocks ahead, never on a disk in clear.

    Args:
        directory: of the upload.
        segments: in order.
        secret: gives the private half of a pair for uploads, by key id.

    Raises:
        IntegrityError: a piece is not the one that was received.
        Unavailable: a piece is gone or cannot be read.
    """
    blocks: queue.Queue[bytes | Exception] = queue.Queue(4)
    stopped = threading.Event()
    opener = threading.Thread(
        target=_open_all, args=(directory, segments, secret, _Outlet(blocks, stopped))
    )
    opener.start()
    try:
        yield io.BufferedReader(_Opened(blocks), CHUNK)
    finally:
        stopped.set()
        opener.join()


class _Outlet:
    """Where opened blocks go; raises once nobody reads any more."""

    def __init__(self, blocks: queue.Queue[bytes | Exception], stopped: threading.Event) -> None:
        self._blocks = blocks
        self._stopped = stopped

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


def _open_all(directory: Path, segments: Sequence[Segment], secret: Secret, out: _Outlet) -> None:
    with contextlib.suppress(BrokenPipeError):
        try:
            for segment in segments:
                _open_one(directory / segment.name, segment, secret, out)
        except BrokenPipeError:
            raise
        except Exception as fault:  # noqa: BLE001 - told to the reader, who would wait for ever
            out.put(fault)
        else:
            out.put(b"")


def _open_one(path: Path, segment: Segment, secret: Secret, out: _Outlet) -> None:
    key = secret_key(secret(segment.storage_key))
    try:
        with path.open("rb", buffering=0) as file:
            for chunk in unsealed(
                file.fileno(),
                secret=key,
                place=Place(upload=segment.upload, start=segment.start),
                size=segment.size,
                heads_digest=segment.head_digest,
            ):
                if chunk:
                    out.put(chunk)
    except BrokenPipeError:
        raise
    except OSError:
        raise Unavailable(
            "upload/segment-gone",
            "A piece of an upload cannot be read.",
            remedy="Ask the partner to send the file again.",
        ) from None


def _older_form() -> InputRejected:
    return InputRejected(
        "upload/older-form",
        "A piece of this upload was stored by an earlier version of this gateway.",
        remedy="Send the file again.",
    )
