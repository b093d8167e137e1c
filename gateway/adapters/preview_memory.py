"""The exact result of a preview, sealed: who would leave by either version, as marks.

It answers one question, an auditor's, after the change was made: was the difference that
the approvers were shown the difference that came? A digest of the sealed file stands in
the ledger from the moment of the preview, so that nobody can make one afterwards.

A file begins with the day until which it is kept, in clear; the rest is AES-256-GCM
under a key made of the subject index's key, with that day and the preview's id as
associated data; inside, a JSON head and, for each purpose and version, the marks of
people and of their families, u64 little-endian.

Source: docs/explanation/disclosure.md, "Preview"; docs/adr/0292-a-preview-is-bounded.md.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.adapters.durable import written_beside
from gateway.adapters.release_memory import Remembered
from gateway.adapters.release_world import World
from gateway.disclosure import Members
from gateway.disclosure.impact import Picture
from gateway.errors import IntegrityError, Unavailable
from gateway.model import Plan
from gateway.workflows.previewing import Seen

PREVIEWS = "previews"
UNDATED_KEPT = dt.timedelta(days=365)
_NONCE, _DAY = 12, 10
_PERSON = b"gateway/preview."


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Who and which columns would leave by one version of the documents."""

    members: Members = field(repr=False)
    columns: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """One purpose of a preview, exactly."""

    purpose: str
    before: Side
    after: Side

    def equals(self, before: Remembered, after: Remembered) -> bool:
        """Whether two releases differ as the preview said: the same people and columns.

        Args:
            before: the last release under the old version.
            after: the first under the new one.
        """
        return _same(self.before, before) and _same(self.after, after)


def keep(
    world: World,
    preview: str,
    seen: Sequence[Seen],
    *,
    secret: bytes,
    about: Mapping[str, str],
) -> None:
    """Seal what was seen, and write the digest of the sealed file into the ledger.

    Args:
        world: whose data directory keeps it.
        preview: its id.
        seen: every purpose that was run with both versions.
        secret: the subject index's key.
        about: the facts of the ledger's entry: agreement, policy digest, who, why.

    Raises:
        Unavailable: the disk is full or fails.
    """
    folder, nonce = world.data / PREVIEWS, os.urandom(_NONCE)
    until = _until(seen).isoformat().encode()
    inside = _cipher(secret).encrypt(nonce, _inside(seen), until + preview.encode())
    sealed = until + nonce + inside
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _forget(folder, on=world.now().date())
        with written_beside(folder / f"{preview}.pre") as file:
            file.write(sealed)
    except OSError as fault:
        raise Unavailable(
            "store/not-written",
            f"The exact result of the preview could not be stored ({fault.strerror}).",
            remedy="Free disk space in the data directory and preview again.",
        ) from None
    facts = {**about, "preview": preview, "sealed_digest": hashlib.sha256(sealed).hexdigest()}
    with world.database.begin() as connection:
        world.append(connection, "policy-previewed", facts)


def read_preview(path: Path, secret: bytes) -> tuple[Sealed, ...]:
    """Open the exact result of a preview.

    Raises:
        IntegrityError: it is not what was written.
    """
    head, marks = _opened(path, secret)
    sides = _sides(head, marks)
    return tuple(
        Sealed(purpose=name, before=next(sides), after=next(sides)) for name in head["purposes"]
    )


def _inside(seen: Sequence[Seen]) -> bytes:
    pictures = [picture for each in seen for picture in (each.before, each.after)]
    head = {
        "purposes": [each.decided.purpose for each in seen],
        "sizes": [picture.members.size for picture in pictures],
        "columns": [_columns(picture) for picture in pictures],
    }
    told = json.dumps(head).encode()
    marks = [
        each.astype("<u8").tobytes()
        for picture in pictures
        for each in (picture.members.people, picture.members.families)
    ]
    return len(told).to_bytes(4) + told + b"".join(marks)


def _columns(picture: Picture) -> dict[str, dict[str, str]]:
    if picture.reasons:
        return {}
    return {name: dict(output.columns) for name, output in picture.outputs.items()}


def _until(seen: Sequence[Seen]) -> dt.date:
    plans = [plan for each in seen for plan in (each.decided.before, each.decided.after)]
    return max(plan.retain_until for plan in plans if isinstance(plan, Plan))


def _sides(head: Mapping[str, Any], marks: bytes) -> Iterator[Side]:
    every, at = np.frombuffer(marks, dtype="<u8"), 0
    for size, columns in zip(head["sizes"], head["columns"], strict=True):
        people, families = every[at : at + size], every[at + size : at + 2 * size]
        at += 2 * size
        yield Side(members=Members(people, families), columns=columns)


def _same(side: Side, release: Remembered) -> bool:
    return (
        np.array_equal(side.members.people, release.members.people)
        and np.array_equal(side.members.families, release.members.families)
        and {name: dict(each) for name, each in side.columns.items()}
        == {name: dict(each.columns) for name, each in release.footprints.items()}
    )


def _forget(folder: Path, *, on: dt.date) -> None:
    """Drop what had to be forgotten by today.

    A file that does not begin with its day (of an earlier form, or changed) stops no
    preview: it says that it was changed to whoever asks for it, and is gone a year
    after it was written.
    """
    for path in folder.glob("*.pre"):
        with suppress(FileNotFoundError):  # another preview forgot it first
            if _kept_until(path) < on:
                path.unlink()


def _kept_until(path: Path) -> dt.date:
    with path.open("rb") as file:
        said = file.read(_DAY)
    try:
        return dt.date.fromisoformat(said.decode("ascii"))
    except ValueError:
        written = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
        return written.date() + UNDATED_KEPT


def _opened(path: Path, secret: bytes) -> tuple[dict[str, Any], bytes]:
    sealed = path.read_bytes()
    until, nonce, inside = sealed[:_DAY], sealed[_DAY : _DAY + _NONCE], sealed[_DAY + _NONCE :]
    try:
        opened = _cipher(secret).decrypt(nonce, inside, until + path.stem.encode())
    except (InvalidTag, ValueError):
        raise _changed() from None
    length = int.from_bytes(opened[:4])
    return json.loads(opened[4 : 4 + length]), opened[4 + length :]


def _changed() -> IntegrityError:
    return IntegrityError(
        "store/preview-changed",
        "The exact result of a preview is not what was written.",
        remedy="Restore previews/ from the backup, or remove that file and preview again.",
    )


def _cipher(secret: bytes) -> AESGCM:
    key = hashlib.blake2b(b"", key=secret, person=_PERSON, digest_size=32).digest()
    return AESGCM(key)
