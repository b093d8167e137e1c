"""One type for each stage on the way out; each has exactly one maker.

    Cohort -> Willing -> Minimised -> Pseudonymised -> Assessed -> Sealed -> Recorded

A room takes the stage before it and makes its own, so that a skipped step is a
type error. A stage wraps a stream of partitions (polars frames holding whole
families, each small enough for memory), never rows; it can be read several times.
`tests/architecture` refuses a second maker.

Source: docs/explanation/architecture.md; UK GDPR Art 25.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import polars as pl

from gateway.model.packages import Recorded, Sealed
from gateway.model.plan import OutputPlan, Plan

__all__ = [
    "Again",
    "Assessed",
    "AssessedOutput",
    "Cohort",
    "Entropy",
    "Minimised",
    "Partitions",
    "Pseudonymised",
    "Recorded",
    "Scratch",
    "Sealed",
    "Spendable",
    "Spill",
    "TooRisky",
    "Willing",
    "frames",
    "last_reading",
]


class Partitions(Protocol):
    """A stream of frames that can be read again; a family is never split over two."""

    def __iter__(self) -> Iterator[pl.DataFrame]: ...


@runtime_checkable
class Spendable(Protocol):
    """Partitions whose last reader may give their room back while reading."""

    def last(self) -> Iterator[pl.DataFrame]:
        """The same frames for the last time."""


def last_reading(partitions: Partitions) -> Iterator[pl.DataFrame]:
    """Read partitions that nobody reads again: each one's room is free when the next comes."""
    return partitions.last() if isinstance(partitions, Spendable) else iter(partitions)


# Marks relatives of the cohort's people who are not of the cohort themselves: only whether
# one of them has said no is asked, and no later stage has them.
BESIDE = "spine.beside"
# What a replaced extract said of somebody against sharing, and when the newest of these came.
BEFORE, BEFORE_AT = "spine.before", "spine.before_at"

Wanted = Callable[[str], bool]


def every_column(_name: str) -> bool:
    """Wants them all."""
    return True


@runtime_checkable
class Narrowable(Protocol):
    """Partitions of which a reader may open some columns alone."""

    def narrowed(self, wanted: Wanted) -> Partitions:
        """The same rows in the same order, with the wanted columns only."""


@dataclass(frozen=True, slots=True)
class _Narrowed:
    source: Partitions = field(repr=False)
    wanted: Wanted

    def __iter__(self) -> Iterator[pl.DataFrame]:
        for frame in self.source:
            yield wanted_of(frame, self.wanted)


def wanted_of(frame: pl.DataFrame, wanted: Wanted) -> pl.DataFrame:
    """The wanted columns of one frame."""
    return frame[[name for name in frame.columns if wanted(name)]]


def narrowed(partitions: Partitions, wanted: Wanted) -> Partitions:
    """Partitions with the wanted columns only: what nobody asks for is not opened."""
    if isinstance(partitions, Narrowable):
        return partitions.narrowed(wanted)
    return _Narrowed(partitions, wanted)


@dataclass(frozen=True, slots=True)
class Again:
    """Partitions that others read too: nobody's room is given back while one reads."""

    source: Partitions = field(repr=False)

    def __iter__(self) -> Iterator[pl.DataFrame]:
        return iter(self.source)

    def narrowed(self, wanted: Wanted) -> Partitions:
        """The same rows with the wanted columns only."""
        return Again(narrowed(self.source, wanted))


class Spill(Protocol):
    """Scratch room for frames, kept in memory or sealed on disk, gone when closed."""

    def put(self, partition: int, frame: pl.DataFrame) -> None:
        """Add rows to one partition."""

    def partition(self, index: int, wanted: Wanted = ...) -> Iterator[pl.DataFrame]:
        """The frames of one partition, in the order in which they were put."""

    def take(self, index: int) -> Iterator[pl.DataFrame]:
        """The frames of one partition for the last time; its room is free again."""

    @property
    def rows(self) -> int:
        """How many rows were put, in all partitions."""

    def __len__(self) -> int: ...


class Scratch(Protocol):
    """Makes spills; every spill is sealed with a key that only this process holds."""

    def spill(self, partitions: int) -> Spill:
        """A new, empty spill of that many partitions."""


class Entropy(Protocol):
    """A source of unpredictable bytes; an argument, so that tests can know it."""

    def __call__(self, size: int, /) -> bytes:
        """That many unpredictable bytes."""


@dataclass(frozen=True, slots=True)
class Cohort:
    """The people that the purpose is about. Maker: `selection.select`.

    Columns: `person`, `family` (null without a family link), `in.DATASET.COLUMN`
    (`ColumnRule.source`: the Plan's source values, reference dates too),
    `std.ELEMENT`, `std.unkept.NAME` (names that `std1` does not keep, for the register alone),
    `spine.participation`, `spine.protected`. Where one member's "no" holds
    the whole family, relatives beside the cohort too, marked by `spine.beside` (`BESIDE`; else
    null or not there), with what tells who they are; `received` does not count them. Where a
    replaced extract said something against sharing, `BEFORE` and `BEFORE_AT` hold it.
    """

    plan: Plan
    partitions: Partitions = field(repr=False)
    received: int


@dataclass(frozen=True, slots=True)
class Willing:
    """The cohort without everyone who may not be shared. Maker: `objections.honour`.

    `counts` says how many people were withheld for which reason.
    """

    plan: Plan
    partitions: Partitions = field(repr=False)
    received: int
    counts: Mapping[str, int]
    doubtful: int
    register_sequence: int


@dataclass(frozen=True, slots=True)
class Minimised:
    """Only what the Plan permits, as coarse as it says. Maker: `minimise.minimise`.

    Columns: `person` and `family` (references that never leave), `payload.OUTPUT.NAME`
    (treated values) and `std.ELEMENT` (exactly the components of the Plan's tokens).
    """

    plan: Plan
    partitions: Partitions = field(repr=False)
    received: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Pseudonymised:
    """No identifier any more. Maker: `pseudonymise.pseudonymise`.

    Columns: `unit` and `mark` (keyed marks of family and person), `link_id` (16 random
    bytes), `payload.OUTPUT.NAME`, `token.OUTPUT.NAME`, `slot` rows as they leave.
    """

    plan: Plan
    partitions: Partitions = field(repr=False)
    received: int
    counts: Mapping[str, int]
    rows: int


@dataclass(frozen=True, slots=True)
class TooRisky:
    """The expected no of the disclosure check: codes and sentences, counts rounded."""

    reasons: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AssessedOutput:
    """What one output may carry, and by which check."""

    output: OutputPlan
    k_reached: int
    treatments: Mapping[str, str]
    # The values that were assessed, per column, where they are few: what the last scan admits.
    values: Mapping[str, frozenset[str]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Assessed:
    """Safe enough to leave. Maker: `disclosure.assess`; columns as in Pseudonymised."""

    plan: Plan
    partitions: Partitions = field(repr=False)
    received: int
    counts: Mapping[str, int]
    rows: int
    outputs: tuple[AssessedOutput, ...]


def frames(partitions: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The frames that hold at least one row."""
    return (frame for frame in partitions if frame.height)
