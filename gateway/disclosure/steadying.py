"""Holding a release against the earlier ones that its recipients have.

Marks of people and families are kept by the controller alone, sealed; they are compared here and
leave with nothing. Who has to be withheld so that no pair of releases points at
fewer than k families is withheld from every output of the run.

Source: docs/explanation/disclosure.md, "Successive releases"; `disclosure.succession`.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import polars as pl

from gateway.disclosure.shape import payload_columns
from gateway.disclosure.succession import InOrder, Marks, Members, hidden, members
from gateway.disclosure.tripwire import Footprint
from gateway.model import Plan, Withheld
from gateway.model.reading import shared_out
from gateway.model.stages import (
    Assessed,
    AssessedOutput,
    Entropy,
    Partitions,
    Scratch,
    Spill,
    Wanted,
    every_column,
    narrowed,
    wanted_of,
)

FEW_VALUES = 200
PART_ROWS = 262_144


@dataclass(frozen=True, slots=True)
class Earlier:
    """The people of each earlier release that the same recipients hold."""

    releases: Sequence[InOrder] = field(repr=False)
    entropy: Entropy = field(repr=False)
    scratch: Scratch = field(repr=False)

    def apart(self, assessed: Assessed, given: Given) -> Marks:
        """The people to withhold beside those of this release's own small groups.

        An output without limits, as one that says who people are, hides nobody.

        Args:
            assessed: who would leave.
            given: the same with the people of small groups, who hide nobody that has left.
        """
        limits = [output.limits.k for output in assessed.plan.outputs if output.limits]
        if not limits or not self.releases:
            return np.empty(0, dtype=np.uint64)
        now = could = members_in_order(assessed, self.scratch)
        if assessed.counts.get(Withheld.SMALL_GROUP.value):
            could = _ordered(given.partitions, given.received, self.scratch)
        return hidden(now, self.releases, k=max(limits), entropy=self.entropy, could=could)


def members_of(assessed: Assessed) -> Members:
    """The people who would leave, with their families."""
    found = [
        (frame["mark"].to_numpy(), frame["unit"].to_numpy())
        for frame in narrowed(assessed.partitions, {"mark", "unit"}.__contains__)
        if frame.height
    ]
    if not found:
        return Members(np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.uint64))
    return members(*(np.concatenate(each) for each in zip(*found, strict=True)))


@dataclass(frozen=True, slots=True)
class OrderedMembers:
    """The people who would leave with their families, in parts in the order of their marks.

    Never more than one part is in memory.
    """

    spill: Spill = field(repr=False)

    def parts(self) -> Iterator[Members]:
        """The parts, from the lowest marks to the highest; they can be read again."""
        for index in range(len(self.spill)):
            if held := list(self.spill.partition(index)):
                part = pl.concat(held)
                yield members(part["mark"].to_numpy(), part["unit"].to_numpy())


def members_in_order(assessed: Assessed, scratch: Scratch) -> OrderedMembers:
    """The people who would leave, ordered without holding all of them."""
    return _ordered(assessed.partitions, assessed.rows, scratch)


def _ordered(partitions: Partitions, rows: int, scratch: Scratch) -> OrderedMembers:
    bits = max(1, (rows // PART_ROWS).bit_length())
    spill = scratch.spill(2**bits)
    for frame in narrowed(partitions, {"mark", "unit"}.__contains__):
        ordered = frame.sort("mark")
        part = (ordered["mark"].to_numpy() >> np.uint64(64 - bits)).astype(np.uint32)
        ends = np.searchsorted(part, np.arange(2**bits), side="right").tolist()
        for index, (start, end) in enumerate(itertools.pairwise((0, *ends))):
            spill.put(index, ordered[start:end])
    return OrderedMembers(spill)


@dataclass(frozen=True, slots=True)
class Given:
    """What is assessed: the columns of a stage, less those who are withheld beside others."""

    plan: Plan
    partitions: Partitions = field(repr=False)
    received: int
    counts: Mapping[str, int]

    def without(self, marks: Marks) -> Given:
        """The same without some people, counted as withheld between releases."""
        gone = pl.Series("mark", marks, dtype=pl.UInt64)
        leaving = sum(
            people(frame.filter(pl.col("mark").is_in(gone.implode()))).height
            for frame in self.partitions
        )
        counts = Counter(self.counts)
        counts[Withheld.BETWEEN_RELEASES.value] += leaving
        kept = _Without(self.partitions, gone)
        return Given(self.plan, kept, self.received, dict(counts))


def people(frame: pl.DataFrame) -> pl.DataFrame:
    """One row for each person: the first slot, where there are alias rows."""
    if "slot" not in frame.columns:
        return frame
    return frame.unique("link_id", keep="first", maintain_order=True)


@dataclass(frozen=True, slots=True)
class _Without:
    """Partitions without some people; as many of them as before."""

    source: Partitions = field(repr=False)
    gone: pl.Series = field(repr=False)
    wanted: Wanted = every_column

    def __iter__(self) -> Iterator[pl.DataFrame]:
        for frame in narrowed(self.source, lambda name: name == "mark" or self.wanted(name)):
            staying = frame.filter(~pl.col("mark").is_in(self.gone.implode()))
            yield wanted_of(staying, self.wanted)

    def narrowed(self, wanted: Wanted) -> _Without:
        """The same people, with the wanted columns only."""
        return _Without(self.source, self.gone, wanted)


def footprints(assessed: Assessed) -> dict[str, Footprint]:
    """What each output looks like, in counts: for the next release to be compared with."""
    empty: Counter[tuple[str, str]] = Counter()
    values: dict[tuple[str, str], Counter[str] | None] = {}
    held = narrowed(assessed.partitions, _is_seen)
    for counted in shared_out(held, partial(_counted, outputs=assessed.outputs)):
        for key, (missing, found) in counted.items():
            empty[key] += missing
            values[key] = _together(values.get(key, Counter()), found)
    # Who is hidden between releases is this gateway's own doing, and no sign of a fault.
    ours = Withheld.BETWEEN_RELEASES.value
    withheld = {why: count for why, count in assessed.counts.items() if count and why != ours}
    return {
        entry.output.name: Footprint(
            rows=assessed.rows,
            received=assessed.received,
            columns=dict(entry.treatments),
            empty={name: empty[entry.output.name, name] for name in entry.treatments},
            categories={
                name: dict(found)
                for name in entry.treatments
                if (found := values.get((entry.output.name, name))) is not None
            },
            withheld=withheld,
        )
        for entry in assessed.outputs
    }


def _is_seen(name: str) -> bool:
    """Whether a column leaves with values, or tells who its row is about."""
    return name in {"slot", "link_id"} or name.startswith("payload.")


def _counted(
    frame: pl.DataFrame, outputs: Sequence[AssessedOutput]
) -> dict[tuple[str, str], tuple[int, Counter[str] | None]]:
    """Of each column of each output: how many are empty, and how often each value stands there."""
    one_each = people(frame)
    return {
        (entry.output.name, rule.name): _values(
            one_each[f"payload.{entry.output.name}.{rule.name}"]
        )
        for entry in outputs
        for rule in payload_columns(entry.output)
    }


def _values(column: pl.Series) -> tuple[int, Counter[str] | None]:
    """How many are missing; how often each value stands there, None where they are many."""
    counts = column.drop_nulls().value_counts(name="rows")
    if counts.height > FEW_VALUES:
        return column.null_count(), None
    known: Counter[str] = Counter()
    for value, rows in counts.cast({column.name: pl.String}).iter_rows():
        known[value] += rows
    return column.null_count(), known


def _together(first: Counter[str] | None, second: Counter[str] | None) -> Counter[str] | None:
    """Both counts; a column of many values has no categories to compare."""
    if first is None or second is None:
        return None
    both = first + second
    return both if len(both) <= FEW_VALUES else None
