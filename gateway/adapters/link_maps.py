"""The map from link id to subject of one release, sealed under a key of its own.

It serves updates and removals of that release only, and ends with its key: after
`link_map_until` the key is destroyed and the file is unreadable, whatever remains.

A file is frames: u32 big-endian length, AES-256-GCM under the release's key with
the frame number as nonce; inside, one Arrow IPC file.

Source: docs/reference/keys.md, "Kinds"; security point 8.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.adapters.durable import written_beside
from gateway.errors import IntegrityError, Unavailable


def write_link_map(path: Path, frames: Iterable[pl.DataFrame], *, key: bytes) -> int:
    """Write `person` and `link_id` of everyone who was forwarded; returns how many.

    Raises:
        Unavailable: the disk is full or fails; nothing is left behind.
    """
    sealed = AESGCM(key)
    people = 0
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with written_beside(path) as file:
            for number, frame in enumerate(frames):
                buffer = io.BytesIO()
                frame.write_ipc(buffer)
                block = sealed.encrypt(number.to_bytes(12), buffer.getvalue(), None)
                file.write(len(block).to_bytes(4) + block)
                people += frame.height
    except OSError as fault:
        raise Unavailable(
            "store/not-written",
            f"The link map could not be stored ({fault.strerror}).",
            remedy="Free disk space in the data directory and run the release again.",
        ) from None
    return people


def read_link_map(path: Path, *, key: bytes) -> Iterator[pl.DataFrame]:
    """Read a link map again.

    Raises:
        IntegrityError: another key made it, or it was changed.
    """
    sealed = AESGCM(key)
    number = 0
    with open(path, "rb") as file:
        while length := int.from_bytes(file.read(4)):
            try:
                yield pl.read_ipc(sealed.decrypt(number.to_bytes(12), file.read(length), None))
            except InvalidTag:
                raise IntegrityError(
                    "store/link-map-changed",
                    "A link map is not what was written.",
                    remedy="Restore it from a backup; nobody can be found by this map meanwhile.",
                ) from None
            number += 1
