"""What uploads may be, and what their senders may promise of them.

Source: tus 1.0, "Checksum"; docs/reference/settings.md.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from gateway.adapters.settings import Settings
from gateway.adapters.upload_records import Upload
from gateway.adapters.upload_segments import Piece
from gateway.errors import HeldForPerson, InputRejected, RefusedError, UsageError

Also = Callable[[sa.Connection, Upload], None]
ALGORITHMS: Mapping[str, Callable[[], Any]] = {
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of uploads there may be: bytes each, open ones of a party, time between pieces."""

    longest: int
    open_each: int
    life: dt.timedelta

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """As the settings say."""
        return cls(
            longest=settings.upload_max_mib << 20,
            open_each=settings.uploads_open,
            life=dt.timedelta(hours=settings.upload_hours),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """The checksum that a sender says its body has."""

    algorithm: str
    digest: bytes


def promise(header: str) -> Promise:
    """Read an `Upload-Checksum` header: an algorithm and a digest in base64.

    Raises:
        UsageError: `upload/checksum-form`.
    """
    algorithm, _, encoded = header.partition(" ")
    try:
        digest = base64.b64decode(encoded, validate=True)
    except ValueError:
        digest = b""
    if algorithm not in ALGORITHMS or len(digest) != ALGORITHMS[algorithm]().digest_size:
        raise UsageError(
            "upload/checksum-form",
            "The checksum is not in a form that is known here.",
            remedy="Write `sha256` or `sha1`, a space, and the digest in base64.",
        )
    return Promise(algorithm=algorithm, digest=digest)


def require_as_promised(piece: Piece, digest: bytes, promised: Promise | None) -> None:
    """Refuse a piece that is not what its sender said.

    Raises:
        InputRejected: `upload/checksum`.
    """
    if promised is None:
        return
    if piece.broken or not hmac.compare_digest(digest, promised.digest):
        raise InputRejected(
            "upload/checksum",
            "The bytes that arrived do not have the promised checksum; they were discarded.",
            remedy="Send them again from the same offset.",
        )


def nothing_else(_connection: sa.Connection, _upload: Upload) -> None:
    """Do nothing beside."""


def too_long(limits: Limits) -> InputRejected:
    """More bytes than were said, or than may be."""
    return InputRejected(
        "upload/too-long",
        f"The upload is longer than was said, or than the limit of {limits.longest >> 20} MiB.",
        remedy="Say its true length; send a longer extract in parts agreed with the council.",
    )


def too_many_open(limits: Limits) -> RefusedError:
    """A party has as many unfinished uploads as it may."""
    return RefusedError(
        "upload/too-many-open",
        f"{limits.open_each} files of your organisation are unfinished; there may be no more.",
        remedy="Finish one, or end it: on the page Send data, or with DELETE. Unfinished "
        "ones expire.",
    )


def elsewhere() -> HeldForPerson:
    """The upload stands at another offset than its sender thinks."""
    return HeldForPerson(
        "upload/offset",
        "The upload does not stand at this offset; nothing of this request was counted.",
        remedy="Ask for its offset with HEAD and go on from there.",
    )


def gone() -> UsageError:
    """Its time is over."""
    return UsageError(
        "upload/gone", "This upload has expired or was ended.", remedy="Begin a new one."
    )


def whole() -> HeldForPerson:
    """It was handed to the check."""
    return HeldForPerson(
        "upload/whole",
        "The upload is whole and was handed to the check; it cannot be ended any more.",
        remedy="Wait for its receipt. A newer extract takes its place.",
    )
