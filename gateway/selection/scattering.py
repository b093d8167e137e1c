"""Partitions: rows that belong together, few enough for memory.

Source: docs/explanation/architecture.md, "Two ideas that carry the rest".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from gateway.model import scattering
from gateway.model.reading import read_ahead
from gateway.model.scattering import gathered
from gateway.model.stages import Scratch, Spill, Wanted, every_column, wanted_of

PARTITION_ROWS = 65_536
_SEED = 0x5F6A


def partitions_for(rows: int) -> int:
    """How many partitions keep each one small enough for memory."""
    return max(1, -(-rows // PARTITION_ROWS))


def scatter(blocks: Iterable[pl.DataFrame], by: str, *, scratch: Scratch, partitions: int) -> Spill:
    """Put rows into partitions by the hash of one column; a null goes by its person."""

    def hashed(block: pl.DataFrame, _low: int, _high: int) -> np.ndarray[Any, Any]:
        key = pl.coalesce(by, "person").hash(seed=_SEED) % partitions
        return block.select(key).to_series().to_numpy()

    ahead = read_ahead(gathered(blocks)) if partitions > 1 else blocks
    return scattering.scatter(ahead, hashed, scratch=scratch, partitions=partitions)


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


@dataclass(frozen=True, slots=True)
class WithRelatives:
    """The partitions of a cohort by family, each with its people's relatives beside the cohort.

    Families of which nobody is of the cohort are left out: what they said holds nobody.
    """

    people: Spill = field(repr=False)
    beside: Spill = field(repr=False)
    wanted: Wanted = every_column

    def __iter__(self) -> Iterator[pl.DataFrame]:
        return self._frames(last=False)

    def last(self) -> Iterator[pl.DataFrame]:
        """The same frames for the last time."""
        return self._frames(last=True)

    def narrowed(self, wanted: Wanted) -> WithRelatives:
        """The same partitions, with the wanted columns only."""
        return WithRelatives(self.people, self.beside, wanted)

    def _frames(self, *, last: bool) -> Iterator[pl.DataFrame]:
        for index in range(len(self.people)):
            frame, others = (
                whole(spill, index, last=last, wanted=self._needed)
                for spill in (self.people, self.beside)
            )
            if not frame.height:
                continue
            if others.height:
                relatives = others.join(frame, on="family", how="semi", maintain_order="left")
                frame = pl.concat([frame, relatives], how="diagonal")
            yield wanted_of(frame, self.wanted)

    def _needed(self, name: str) -> bool:
        return name == "family" or self.wanted(name)
