"""Values that must be unique in the whole file, found in bounded memory.

Each value becomes a 64-bit hash under a random key of this run; equal values
have equal hashes, so no repetition is missed. Two different values share a hash
with a chance of at most n * n / 2**65 for a whole file: 3e-8 for a million rows,
3e-6 for ten. What is spilled are such hashes and row numbers, in an unlinked
file, useless without the key that dies with the process.

Source: docs/reference/contracts.md, "Unique".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gateway.intake.rule import Rule

Pairs = NDArray[np.uint64]

PARTITIONS: Final = 64
HELD_ROWS: Final = 1_000_000
_LOW_BITS: Final = 20
_LOW: Final = np.uint64((1 << _LOW_BITS) - 1)


def keyed_hashes(raw: pl.DataFrame, rule: Rule, seed: int, first_row: int) -> Pairs:
    """Hash the rows of a block that a uniqueness rule looks at.

    Returns:
        n x 2: hash and 0-based row of the file. Rows with a missing value are left out.
    """
    block = raw.select(rule.together)
    one = len(rule.together) == 1
    hashes = block.to_series().hash(seed) if one else block.hash_rows(seed)
    rows = np.arange(first_row, first_row + raw.height, dtype=np.uint64)
    whole = block.select(pl.all_horizontal(pl.all().is_not_null())).to_series()
    pairs = np.column_stack((hashes.to_numpy(), rows))
    return pairs if whole.all() else pairs[whole.to_numpy()]


class Repetitions:
    """All hashes of one rule, held in memory and spilled in partitions when many."""

    def __init__(self, spill: BinaryIO | None = None, *, held: int = HELD_ROWS) -> None:
        """Begin with nothing seen.

        Args:
            spill: an unlinked file; without one everything stays in memory.
            held: rows in memory before they are spilled.
        """
        self._spill = spill
        self._limit = held
        self._held: list[Pairs] = []
        self._count = 0
        self._runs: list[tuple[int, list[int]]] = []

    def add(self, pairs: Pairs) -> None:
        """Take in the hashes of one block."""
        self._held.append(pairs)
        self._count += len(pairs)
        if self._spill is not None and self._count >= self._limit:
            self._write_run(self._spill)

    def rows(self) -> NDArray[np.uint64]:
        """Give every row whose value stands more than once, in order."""
        found = [_repeated(pairs) for pairs in self._partitions()]
        return np.sort(np.concatenate(found)) if found else np.empty(0, np.uint64)

    def _partitions(self) -> Iterator[Pairs]:
        if self._spill is None or not self._runs:
            if self._held:
                yield np.concatenate(self._held)
            return
        self._write_run(self._spill)
        for partition in range(PARTITIONS):
            parts = [self._read(start, ends, partition) for start, ends in self._runs]
            yield np.concatenate(parts)

    def _write_run(self, spill: BinaryIO) -> None:
        pairs = np.concatenate(self._held) if self._held else np.empty((0, 2), np.uint64)
        number = (pairs[:, 0] >> np.uint64(58)).astype(np.uint8)
        order = np.argsort(number, kind="stable")
        ends = [0, *np.cumsum(np.bincount(number, minlength=PARTITIONS)).tolist()]
        start = spill.seek(0, 2)
        spill.write(pairs[order].tobytes())
        self._runs.append((start, ends))
        self._held, self._count = [], 0

    def _read(self, start: int, ends: list[int], partition: int) -> Pairs:
        if self._spill is None:
            return np.empty((0, 2), np.uint64)
        low, high = ends[partition], ends[partition + 1]
        self._spill.seek(start + low * 16)
        return np.frombuffer(self._spill.read((high - low) * 16), np.uint64).reshape(-1, 2)


def _repeated(pairs: Pairs) -> NDArray[np.uint64]:
    ordered = np.sort(pairs[:, 0])
    again = ordered[1:][ordered[1:] == ordered[:-1]]
    if not again.size:
        return np.empty(0, np.uint64)
    # Few hashes repeat: their last bits say of most others at once that they do not.
    low = np.zeros(1 << _LOW_BITS, bool)
    low[again & _LOW] = True
    near = pairs[low[pairs[:, 0] & _LOW]]
    rows: NDArray[np.uint64] = near[np.isin(near[:, 0], again), 1]
    return rows
