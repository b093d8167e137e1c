"""A partner's machine sends a file to a gateway in pieces, and waits for its findings.

Whatever breaks on the way, the next try asks how far the file has come and goes on
from there; a whole file that is sent again gets the receipt it had. A file that is
written to meanwhile is not sent: half of one state and half of another is neither.

Source: tus 1.0; docs/how-to/send-by-api.md.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from gateway.adapters.sending_memory import SendingMemory
from gateway.adapters.service_client import Postponed, ServiceClient
from gateway.errors import (
    GatewayError,
    HeldForPerson,
    InputRejected,
    IntegrityError,
    Unavailable,
    UsageError,
)
from gateway.workflows.ports import Progress

PIECE = 8 << 20
POLL_SECONDS = 1.0
TUS = {"Tus-Resumable": "1.0.0"}
_LET_GO = frozenset({"upload/gone", "upload/unknown-upload", "http/404", "http/410"})


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that has arrived: the id of its upload, and the SHA-256 of what was sent."""

    upload: str
    digest: str


@dataclass(frozen=True, slots=True)
class _File:
    """An open file and what it was when it was opened."""

    opened: BinaryIO = field(repr=False)
    was: os.stat_result
    digest: str

    @property
    def length(self) -> int:
        return self.was.st_size

    def piece(self, offset: int) -> bytes:
        """The next piece, of the file as it was.

        Raises:
            InputRejected: it was written to since.
        """
        self.opened.seek(offset)
        piece = self.opened.read(min(PIECE, self.length - offset))
        now = os.fstat(self.opened.fileno())
        if not piece or (now.st_size, now.st_mtime_ns) != (self.was.st_size, self.was.st_mtime_ns):
            raise InputRejected(
                "send/file-changed",
                "The file was written to while it was sent; nothing of it was taken in.",
                remedy="Let whatever writes it come to its end, then send the file again.",
            )
        return piece


def send(
    service: ServiceClient, path: Path, dataset: str, *, memory: SendingMemory, progress: Progress
) -> Sent:
    """Send a file, or what is missing of it.

    Raises:
        InputRejected: the file is written to meanwhile.
        GatewayError: as the service says it, or the service is out of reach for too long.
    """
    with _opened(path) as file:
        mark = memory.mark(service.address, service.client, dataset, file.digest)
        while True:
            recalled = memory.recall(mark)
            upload = recalled or _begin(service, dataset, file.length, mark)
            memory.keep(mark, upload)
            try:
                _rest(service, f"/api/v1/uploads/{upload}", file, progress)
            except InputRejected as fault:
                if fault.code == "send/file-changed":
                    memory.forget(mark)
                    _let_go(service, upload)
                raise
            except UsageError as fault:
                # The council let go of what had arrived: it begins anew, once for each try.
                if not recalled or fault.code not in _LET_GO:
                    raise
                memory.forget(mark)
                continue
            return Sent(upload, file.digest)


def outcome(
    service: ServiceClient, sent: Sent, *, memory: SendingMemory, progress: Progress
) -> Mapping[str, Any]:
    """Wait until an upload is checked; the receipt with its findings.

    Raises:
        Unavailable: its check gave up.
        IntegrityError: the receipt is for other bytes.
    """
    progress("waiting for the findings")
    while True:
        told = service.ask("GET", f"/api/v1/uploads/{sent.upload}").json()
        if told["extract"]:
            address = f"/api/v1/extracts/{told['extract']}"
            receipt: Mapping[str, Any] = service.ask("GET", address).json()
            memory.done(sent.upload)
            _require_same(receipt, sent)
            return receipt
        if told["state"] in ("failed", "expired", "terminated"):
            raise Unavailable(
                told["code"] or "send/not-checked",
                "The council's service could not check the file.",
                remedy="Nothing was stored. Send it again, or ask the council.",
            )
        time.sleep(POLL_SECONDS)


def _require_same(receipt: Mapping[str, Any], sent: Sent) -> None:
    if receipt["content_digest"] != sent.digest:
        raise IntegrityError(
            "send/other-bytes",
            "The council has other bytes than the file had when it was begun: it was changed "
            f"while it was sent. Receipt {receipt['extract']} is for neither of its states.",
            remedy="Send the file again: it takes the place of this one.",
            extract=str(receipt["extract"]),
        )


@contextmanager
def _opened(path: Path) -> Iterator[_File]:
    with open(path, "rb") as opened:
        was = os.fstat(opened.fileno())
        yield _File(opened, was, hashlib.file_digest(opened, "sha256").hexdigest())


def _begin(service: ServiceClient, dataset: str, length: int, mark: str) -> str:
    name = base64.b64encode(dataset.encode()).decode()
    answer = service.ask(
        "POST",
        "/api/v1/uploads",
        headers={
            **TUS,
            "Upload-Length": str(length),
            "Upload-Metadata": f"dataset {name}",
            "Idempotency-Key": f"{mark[:32]}-{secrets.token_hex(8)}",
        },
    )
    return answer.headers["Location"].rpartition("/")[2]


def _let_go(service: ServiceClient, upload: str) -> None:
    """Have what arrived of a file removed; the council lets go of it by itself otherwise."""
    with suppress(GatewayError, Postponed):
        service.once("DELETE", f"/api/v1/uploads/{upload}", headers=TUS)


def _rest(service: ServiceClient, address: str, file: _File, progress: Progress) -> None:
    """Send what has not arrived; a fault is waited out for as long as nothing arrives."""
    waiting = service.waiting()
    offset = _offset(service, address)
    while offset < file.length:
        progress("sent, bytes:", offset, file.length)
        piece = file.piece(offset)
        try:
            arrived = _append(service, address, offset, piece)
            later = Postponed(None, "nothing arrives")
        except Postponed as fault:
            arrived, later = offset, fault
        if arrived <= offset:
            waiting.wait(later)
            arrived = _offset(service, address)
        if arrived > offset:
            waiting = service.waiting()
        offset = arrived
    progress("sent, bytes:", file.length, file.length)


def _offset(service: ServiceClient, address: str) -> int:
    return int(service.ask("HEAD", address, headers=TUS).headers["Upload-Offset"])


def _append(service: ServiceClient, address: str, offset: int, piece: bytes) -> int:
    """Append one piece; how far the file has come. Somebody else may be sending it too."""
    checksum = base64.b64encode(hashlib.sha256(piece).digest()).decode()
    headers = {
        **TUS,
        "Upload-Offset": str(offset),
        "Upload-Checksum": f"sha256 {checksum}",
        "Content-Type": "application/offset+octet-stream",
    }
    try:
        answer = service.once("PATCH", address, headers=headers, content=piece)
    except HeldForPerson:
        return _offset(service, address)
    return int(answer.headers["Upload-Offset"])
