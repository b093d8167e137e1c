"""The file in which the people of one release are remembered, written and read in parts.

A file is AES-256-GCM under a key made of the subject index's key, with the release's id
as associated data; inside, a JSON head and the marks, u64 little-endian: of the people,
sorted, then of their families. Nothing of it counts before its tag was seen to be right.

Source: security points 5, 8; docs/adr/0291-a-sealed-memory-of-each-release.md;
NIST SP 800-38D.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import GCM

from gateway.disclosure import InOrder, Marks, Members
from gateway.errors import IntegrityError
from gateway.model.stages import Scratch, Spill

_NONCE, _TAG, _LENGTH, _MARK = 12, 16, 4, 8
PART_ROWS: Final = 262_144


def sealed_memory(head: bytes, found: InOrder, key: bytes, release: str) -> Iterator[bytes]:
    """The bytes of a memory: nonce, ciphertext, tag.

    Args:
        head: what is remembered beside the people, JSON.
        found: the people; they are read twice.
        key: 32 bytes.
        release: its id.
    """
    nonce = os.urandom(_NONCE)
    sealing = Cipher(AES256(key), GCM(nonce)).encryptor()
    sealing.authenticate_additional_data(release.encode())
    yield nonce
    yield sealing.update(len(head).to_bytes(_LENGTH) + head)
    for part in found.parts():
        yield sealing.update(part.people.astype("<u8").tobytes())
    for part in found.parts():
        yield sealing.update(part.families.astype("<u8").tobytes())
    yield sealing.finalize() + sealing.tag


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberedPeople:
    """The people of one release where they are kept; reading takes a part of them at a time."""

    path: Path
    release: str
    key: bytes = field(repr=False)

    def head(self) -> bytes:
        """What is remembered beside the people.

        Raises:
            IntegrityError: the file is not what was written.
        """
        blocks = self._blocks()
        head = next(blocks)
        for _ in blocks:
            continue
        return head

    def members(self) -> Members:
        """All of them at once, 16 bytes for each.

        Raises:
            IntegrityError: the file is not what was written.
        """
        _, *marks = self._blocks()
        return Members(*np.frombuffer(b"".join(marks), "<u8").reshape(2, -1))

    def in_order(self, scratch: Scratch) -> RememberedInOrder:
        """The same in scratch room, to be compared with others as often as necessary.

        Raises:
            IntegrityError: the file is not what was written.
        """
        most = self.path.stat().st_size // (2 * _MARK * PART_ROWS) + 1 if self.path.exists() else 1
        spill, count = scratch.spill(2 * most), 0
        blocks = self._blocks()
        next(blocks)
        for count, block in enumerate(blocks, start=1):
            spill.put(count - 1, pl.DataFrame({"mark": np.frombuffer(block, "<u8")}))
        return RememberedInOrder(spill, count // 2)

    def _blocks(self) -> Iterator[bytes]:
        """The head, then the people in blocks, then as many blocks of their families."""
        try:
            with open(self.path, "rb") as file:
                opening = Cipher(AES256(self.key), GCM(file.read(_NONCE))).decryptor()
                opening.authenticate_additional_data(self.release.encode())
                length = int.from_bytes(opening.update(file.read(_LENGTH)))
                marks = os.fstat(file.fileno()).st_size - _NONCE - _LENGTH - length - _TAG
                rows, odd = divmod(marks, 2 * _MARK)
                if rows < 0 or odd:
                    raise InvalidTag
                yield opening.update(file.read(length))
                for start in 2 * (*range(0, rows, PART_ROWS),):
                    yield opening.update(file.read(_MARK * min(PART_ROWS, rows - start)))
                opening.finalize_with_tag(file.read(_TAG))
        except (InvalidTag, OSError, ValueError):
            raise IntegrityError(
                "store/memory-changed",
                "The memory of an earlier release is gone, or not what was written.",
                remedy="Restore memories/ from the backup; without it nothing may be compared.",
            ) from None


@dataclass(frozen=True, slots=True)
class RememberedInOrder:
    """See `disclosure.InOrder`: blocks of people, and then as many of their families."""

    spill: Spill = field(repr=False)
    count: int

    def parts(self) -> Iterator[Members]:
        """The parts, from the lowest marks to the highest; they can be read again."""
        for number in range(self.count):
            yield Members(self._marks(number), self._marks(number + self.count))

    def _marks(self, number: int) -> Marks:
        return pl.concat(self.spill.partition(number))["mark"].to_numpy()
