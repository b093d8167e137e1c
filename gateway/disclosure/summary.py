"""How many families and people share each group: a mergeable summary of any stream.

Partitions hold whole families, so the families of a group add up over
partitions. Memory grows with the number of groups, not of rows: the rows that
are alone on all columns are estimated from a sample of the space of hash values,
which is exact as long as everything fits.

Source: Sweeney, k-anonymity (2002); Machanavajjhala et al., l-diversity (2007);
Gibbons, "Distinct sampling" (VLDB 2001).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from gateway.disclosure.shape import Coarser, Shape

SAMPLE_ROWS = 200_000
_SEED = 20_150_401
_EVERYONE = "group.everyone"
_HASH = "row.hash"
_ROWS = "row.count"
_FIELD, _VALUE = "sensitive.field", "sensitive.value"


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows by all of their columns, for one in `2 ** thinned` hash values."""

    rows: pl.DataFrame = field(repr=False)
    thinned: int = 0


@dataclass(frozen=True, slots=True)
class LevelSummary:
    """One level of coarsening: groups, their sensitive values, and the row sample."""

    groups: pl.DataFrame = field(repr=False)
    sensitive: pl.DataFrame = field(repr=False)
    sample: Sample


@dataclass(frozen=True, slots=True)
class Summary:
    """All levels of one output; `people` is the number of people counted."""

    shape: Shape
    people: int
    levels: tuple[LevelSummary, ...]


def group_keys(shape: Shape) -> list[str]:
    """The columns of `groups` that name a group; one for everyone if no column forms groups."""
    return [f"key.{name}" for name in shape.keys] or [_EVERYONE]


def key_values(shape: Shape, level: int, coarser: Coarser) -> list[pl.Expr]:
    """The expressions that give a row's group, named as `group_keys`.

    Only where there are keys: a single group of everyone is never suppressed, but refused.
    """
    return [shape.value(name, level, coarser).alias(f"key.{name}") for name in shape.keys]


def count(frame: pl.DataFrame, shape: Shape, *, coarser: Coarser) -> Summary:
    """Count one partition.

    Args:
        frame: n rows, one per person, with `unit` and `payload.OUTPUT.NAME`;
            a unit (family, or a person without one) is in no other partition.
        shape: the output's columns, keys and coarsening steps.
        coarser: gives an already treated column in a coarser treatment.
    """
    levels = tuple(_count_level(frame, shape, level, coarser) for level in shape.levels)
    return Summary(shape, frame.height, levels)


def merge(first: Summary, second: Summary) -> Summary:
    """The summary of both partitions; the order does not matter."""
    levels = tuple(
        _merge_level(first.shape, one, other)
        for one, other in zip(first.levels, second.levels, strict=True)
    )
    return Summary(first.shape, first.people + second.people, levels)


def _count_level(frame: pl.DataFrame, shape: Shape, level: int, coarser: Coarser) -> LevelSummary:
    keys = group_keys(shape)
    keyed = frame.select(
        "unit",
        *(value.alias(f"value.{name}") for name, value in _named(shape, level, coarser)),
    ).with_columns(_keys_of(shape))
    groups = (
        keyed.select(*keys, "unit")
        .group_by(*keys, "unit")
        .agg(pl.len().alias("people"))
        .group_by(keys)
        .agg(pl.len().cast(pl.Int64).alias("families"), pl.col("people").cast(pl.Int64).sum())
    )
    sensitive = [_sensitive(keyed, keys, name) for name, _required in shape.sensitive]
    columns = [f"value.{name}" for name in shape.columns] or list(keys)
    rows = keyed.select(*keys).with_columns(keyed.select(columns).hash_rows(_SEED).alias(_HASH))
    return LevelSummary(groups, _concat(sensitive, groups, keys), _sample(rows, keys))


def _named(shape: Shape, level: int, coarser: Coarser) -> list[tuple[str, pl.Expr]]:
    return list(zip(shape.columns, shape.values(level, coarser), strict=True))


def _keys_of(shape: Shape) -> list[pl.Expr]:
    if not shape.keys:
        return [pl.lit(0, dtype=pl.Int8).alias(_EVERYONE)]
    return [pl.col(f"value.{name}").alias(f"key.{name}") for name in shape.keys]


def _sensitive(keyed: pl.DataFrame, keys: Sequence[str], name: str) -> pl.DataFrame:
    """People of each group by each value of a sensitive column, each code of a set apart."""
    return (
        keyed.select(*keys, pl.col(f"value.{name}").cast(pl.String).alias(_VALUE))
        .group_by(*keys, _VALUE)
        .agg(pl.len().cast(pl.Int64).alias("people"))
        .with_columns(pl.col(_VALUE).str.split(";").list.unique())
        .explode(_VALUE, keep_nulls=True, empty_as_null=True)
        .group_by(*keys, _VALUE)
        .agg(pl.col("people").sum())
        .with_columns(pl.lit(name).alias(_FIELD))
    )


def _concat(
    sensitive: Sequence[pl.DataFrame], groups: pl.DataFrame, keys: Sequence[str]
) -> pl.DataFrame:
    if sensitive:
        return pl.concat(sensitive)
    return groups.select(*keys, "people").clear()


def _sample(rows: pl.DataFrame, keys: Sequence[str]) -> Sample:
    grouped = rows.group_by(_HASH).agg(
        pl.len().cast(pl.Int64).alias(_ROWS), *(pl.col(key).first() for key in keys)
    )
    return _thin(Sample(grouped))


def _thin(sample: Sample) -> Sample:
    rows, thinned = sample.rows, sample.thinned
    while rows.height > SAMPLE_ROWS:
        thinned += 1
        rows = rows.filter(pl.col(_HASH) % 2**thinned == 0)
    return Sample(rows, thinned)


def _merge_level(shape: Shape, one: LevelSummary, other: LevelSummary) -> LevelSummary:
    keys = group_keys(shape)
    groups = (
        pl.concat([one.groups, other.groups]).group_by(keys).agg(pl.col("families", "people").sum())
    )
    sensitive = pl.concat([one.sensitive, other.sensitive])
    by = [name for name in sensitive.columns if name != "people"]
    summed = sensitive.group_by(by).agg(pl.col("people").sum())
    return LevelSummary(
        groups, summed.select(sensitive.columns), _merge_samples(one.sample, other.sample, keys)
    )


def _merge_samples(one: Sample, other: Sample, keys: Sequence[str]) -> Sample:
    thinned = max(one.thinned, other.thinned)
    rows = pl.concat([one.rows, other.rows]).filter(pl.col(_HASH) % 2**thinned == 0)
    summed = rows.group_by(_HASH).agg(pl.col(_ROWS).sum(), *(pl.col(key).first() for key in keys))
    return _thin(Sample(summed, thinned))
