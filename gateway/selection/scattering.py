"""Partitions: rows that belong together, few enough for memory.

Source: docs/explanation/architecture.md, "Two ideas that carry the rest".
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from gateway.model.reading import read_ahead
from gateway.model.stages import Spill, Wanted, every_column

PARTITION_ROWS = 65_536
SCATTER_ROWS = 65_536
_SEED = 0x5F6A


def partitions_for(rows: int) -> int:
    """How many partitions keep each one small enough for memory."""
    return max(1, -(-rows // PARTITION_ROWS))


def scatter(blocks: Iterable[pl.DataFrame], by: str, spill: Spill) -> Spill:
    """Put rows into partitions by the hash of one column; a null goes by its person."""
    if len(spill) == 1:
        for block in blocks:
            spill.put(0, block)
        return spill
    for block in read_ahead(_gathered(blocks)):
        key = pl.coalesce(by, "person").hash(seed=_SEED) % len(spill)
        part = block.select(key.cast(pl.UInt16)).to_series().to_numpy()
        order = np.argsort(part, kind="stable").astype(np.uint32)
        ends = np.cumsum(np.bincount(part, minlength=len(spill))).tolist()
        for index, (start, end) in enumerate(itertools.pairwise((0, *ends))):
            # Rows of its own: a slice would hold all of them in memory until the last is gone.
            spill.put(index, block[order[start:end]])
    return spill


def _gathered(blocks: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Small blocks together, so that a partition receives more than crumbs."""
    waiting: list[pl.DataFrame] = []
    rows = 0
    for block in blocks:
        waiting.append(block)
        rows += block.height
        if rows >= SCATTER_ROWS:
            yield pl.concat(waiting)
            waiting, rows = [], 0
    if rows:
        yield pl.concat(waiting)


def whole(
    spill: Spill, index: int, *, last: bool = False, wanted: Wanted = every_column
) -> pl.DataFrame:
    """One partition as one frame; read for the last time, its room is free again."""
    held = list(spill.take(index) if last else spill.partition(index, wanted))
    return pl.concat(held or [pl.DataFrame()], how="diagonal")


@dataclass(frozen=True, slots=True)
class Whole:
    """The partitions of a spill, each as one frame."""

    spill: Spill = field(repr=False)
    wanted: Wanted = every_column

    def __iter__(self) -> Iterator[pl.DataFrame]:
        return self._frames(last=False)

    def last(self) -> Iterator[pl.DataFrame]:
        """The same frames for the last time."""
        return self._frames(last=True)

    def narrowed(self, wanted: Wanted) -> Whole:
        """The same partitions, with the wanted columns only."""
        return Whole(self.spill, wanted)

    def _frames(self, *, last: bool) -> Iterator[pl.DataFrame]:
        for index in range(len(self.spill)):
            frame = whole(self.spill, index, last=last, wanted=self.wanted)
            if frame.height:
                yield frame
