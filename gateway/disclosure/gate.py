"""Who leaves for being in a small group, and the rows without them.

Source: docs/explanation/disclosure.md; docs/reference/policy.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from gateway.disclosure.judge import Verdict
from gateway.disclosure.shape import Coarser, Shape
from gateway.disclosure.steadying import people
from gateway.disclosure.summary import Summary, count, group_keys, key_values
from gateway.model.stages import Partitions, Wanted, every_column, narrowed

_ROW = "~row"


def is_counted(name: str) -> bool:
    """Whether groups are told by a column, or people and families by it."""
    return name in {"unit", "slot", "link_id"} or name.startswith("payload.")


_Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Leaving:
    """One partition: bits of the rows that stay (None: all), how many, and who leaves."""

    stays: bytes | None = field(repr=False)
    rows: int
    people: int


@dataclass(frozen=True, slots=True)
class Gate:
    """Partitions without the people of the small groups that were found."""

    source: Partitions = field(repr=False)
    shapes: Mapping[str, Shape]
    coarser: Coarser
    verdicts: Mapping[str, Verdict]

    def counted(self, frame: pl.DataFrame) -> dict[str, Summary]:
        """The groups of each output in the rows of one partition that stay."""
        stays = self.stays(frame)
        one_each = people(frame if stays is None else frame.filter(pl.Series(stays)))
        return {
            name: count(one_each, shape, coarser=self.coarser)
            for name, shape in self.shapes.items()
        }

    def leaving(self, frame: pl.DataFrame) -> Leaving:
        """Who leaves one partition."""
        stays = self.stays(frame)
        if stays is None:
            return Leaving(None, frame.height, 0)
        left = frame.filter(pl.Series(stays))
        gone = people(frame).height - people(left).height
        return Leaving(np.packbits(stays).tobytes(), left.height, gone)

    def stays(self, frame: pl.DataFrame) -> _Flags | None:
        """Which rows of one partition belong to nobody in a small group; None: all of them."""
        one_each = people(frame.with_row_index(_ROW))
        leaving = [
            _in_small(one_each, self.shapes[output], verdict, self.coarser)
            for output, verdict in self.verdicts.items()
            if verdict.small.height
        ]
        gone = pl.concat(leaving).unique() if leaving else pl.Series(_ROW, [], dtype=pl.UInt32)
        if not gone.len():
            return None
        if "slot" in frame.columns:
            theirs = frame[gone].select("link_id")
            gone = frame.with_row_index(_ROW).join(theirs, on="link_id", how="semi")[_ROW]
        stays = np.ones(frame.height, dtype=np.bool_)
        stays[gone.to_numpy()] = False
        return stays


@dataclass(frozen=True, slots=True)
class Kept:
    """Partitions without the people of small groups, coarsened as decided.

    Who stays is found once for each partition, and held as one bit a row.
    """

    source: Partitions = field(repr=False)
    stays: tuple[bytes | None, ...] = field(repr=False)
    gate: Gate
    wanted: Wanted = every_column

    def __iter__(self) -> Iterator[pl.DataFrame]:
        for frame, bits in zip(narrowed(self.source, self.wanted), self.stays, strict=True):
            left = frame
            if bits is not None:
                flags = np.unpackbits(np.frombuffer(bits, np.uint8), count=frame.height)
                left = frame.filter(pl.Series(flags.view(np.bool_)))
            yield left.with_columns(self._coarsened(frame.columns))

    def narrowed(self, wanted: Wanted) -> Kept:
        """The same people, with the wanted columns only."""
        return replace(self, wanted=wanted)

    def _coarsened(self, present: Sequence[str]) -> list[pl.Expr]:
        gate = self.gate
        return [
            shape.value(name, gate.verdicts[output].level, gate.coarser).alias(column)
            for output, shape in gate.shapes.items()
            for name, _treat in shape.steps[: gate.verdicts[output].level]
            if (column := f"payload.{output}.{name}") in present
        ]


def _in_small(frame: pl.DataFrame, shape: Shape, verdict: Verdict, coarser: Coarser) -> pl.Series:
    """The row numbers of people in small groups."""
    keyed = frame.select(_ROW, *key_values(shape, verdict.level, coarser))
    small = verdict.small
    return keyed.join(small, on=group_keys(shape), how="semi", nulls_equal=True)[_ROW]
