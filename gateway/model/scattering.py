"""Rows into partitions; in two steps where the partitions are many.

Each frame leaves some of its rows in every partition. Where those are hundreds, they
are crumbs, and a crumb costs as much to seal and to open as a thousand rows. Rows then
go to a heap of neighbouring partitions first, and from there, heap by heap, to their own.

Source: docs/adr/0324-rows-are-scattered-in-two-steps.md.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import numpy as np
import polars as pl

from gateway.model.stages import Scratch, Spill

# More partitions than this are filled by way of heaps.
FAN = 32
# What is scattered at once, so that a partition receives more than crumbs.
TOGETHER_ROWS = 65_536


class Numbering(Protocol):
    """Says to which partition each row goes."""

    def __call__(self, frame: pl.DataFrame, low: int, high: int, /) -> np.ndarray[Any, Any]:
        """For each row a whole number from `low` to `high` - 1.

        Rows of one heap are asked after again, with the partitions of that heap: who goes
        by a value answers as before; who draws lots draws among these.
        """


def scatter(
    frames: Iterable[pl.DataFrame], numbering: Numbering, *, scratch: Scratch, partitions: int
) -> Spill:
    """Put each row into its partition, in the order in which they come.

    Args:
        frames: of one schema.
        numbering: says which partition is a row's.
        scratch: room for the partitions.
        partitions: how many there are.
    """
    made = scratch.spill(partitions)
    if partitions <= FAN:
        _spread(frames, made, numbering, 0, partitions)
        return made
    step = math.isqrt(partitions - 1) + 1
    heaps = scratch.spill(-(-partitions // step))
    _spread(frames, heaps, lambda *asked: numbering(asked[0], 0, partitions) // step, 0, len(heaps))
    for index in range(len(heaps)):
        low = index * step
        heap = gathered(heaps.take(index))
        _spread(heap, made, numbering, low, min(low + step, partitions))
    return made


def _spread(
    frames: Iterable[pl.DataFrame], spill: Spill, numbering: Numbering, low: int, high: int
) -> None:
    """Each row to one of the partitions `low` to `high` - 1."""
    for frame in frames:
        if high - low == 1:
            spill.put(low, frame)
            continue
        part = (numbering(frame, low, high) - low).astype(np.uint16)
        order = np.argsort(part, kind="stable").astype(np.uint32)
        ends = np.cumsum(np.bincount(part, minlength=high - low)).tolist()
        for index, (start, end) in enumerate(itertools.pairwise((0, *ends)), low):
            # Rows of its own: a slice would hold all of them in memory until the last is gone.
            spill.put(index, frame[order[start:end]])


def gathered(frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Small frames together."""
    waiting: list[pl.DataFrame] = []
    rows = 0
    for frame in frames:
        waiting.append(frame)
        rows += frame.height
        if rows >= TOGETHER_ROWS:
            yield pl.concat(waiting)
            waiting, rows = [], 0
    if rows:
        yield pl.concat(waiting)
