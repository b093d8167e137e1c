"""Which values an output's columns hold, as far as they are few: a mergeable summary.

Two questions are answered by it: whether a column has so many values that it
forms groups, and, at the last gate, whether a cell holds a value that was never
assessed. A column of many values is remembered as such, not value by value.

Source: docs/reference/policy.md; security point 18.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl

FEW_VALUES = 2000


@dataclass(frozen=True, slots=True)
class Profile:
    """The distinct values of each column; None where they are more than `FEW_VALUES`."""

    values: Mapping[str, frozenset[object] | None] = field(repr=False)

    def wide(self, prefix: str, limit: int) -> frozenset[str]:
        """Columns under a prefix with more than `limit` values, named without it."""
        return frozenset(
            name.removeprefix(prefix)
            for name, values in self.values.items()
            if name.startswith(prefix) and (values is None or len(values - {None}) > limit)
        )


def profile(frame: pl.DataFrame, columns: Iterable[str]) -> Profile:
    """Summarise one block."""
    return Profile({name: _distinct(frame[name]) for name in columns})


def merge_profiles(first: Profile, second: Profile) -> Profile:
    """The summary of both blocks; the order does not matter."""
    names = dict.fromkeys((*first.values, *second.values))
    nothing: frozenset[object] = frozenset()
    return Profile(
        {
            name: _union(first.values.get(name, nothing), second.values.get(name, nothing))
            for name in names
        }
    )


def _distinct(values: pl.Series) -> frozenset[object] | None:
    distinct = values.unique()
    return frozenset(distinct.to_list()) if distinct.len() <= FEW_VALUES else None


def _union(
    first: frozenset[object] | None, second: frozenset[object] | None
) -> frozenset[object] | None:
    if first is None or second is None:
        return None
    both = first | second
    return both if len(both) <= FEW_VALUES else None
