"""Extracts that newer ones have replaced, read by what their columns meant when they came.

Only who a row is about and what it says against sharing is asked of them. A contract
may have called these columns otherwise then; an extract of which nobody knows what they
meant, or that had none of them, says nothing.

Source: security point 16; docs/adr/0343-a-no-counts-wherever-it-stands.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from gateway.model import Contract, Role
from gateway.model.extracts import AGREED, ExtractRecord
from gateway.selection import StoredColumns
from gateway.selection.sources import column_of_field


@dataclass(frozen=True, slots=True)
class Renamed:
    """A stored extract whose columns are asked by the names of today's contract."""

    stored: StoredColumns = field(repr=False)
    names: Mapping[str, str]

    @property
    def rows(self) -> int:
        """Accepted rows."""
        return self.stored.rows

    def frames(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """The stored blocks; a column that was not there is missing in every row."""
        wanted = list(columns or ())
        then = {self.names.get(name, name): name for name in wanted}
        for block in self.stored.frames(list(then)):
            found = block.rename({name: now for name, now in then.items() if name in block.columns})
            absent = [name for name in wanted if not name.startswith("std.")]
            yield found.with_columns(
                pl.lit(None, dtype=pl.String).alias(name)
                for name in absent
                if name not in found.columns
            )


def names_then(contract: Contract, record: ExtractRecord) -> Mapping[str, str] | None:
    """Today's names of the columns that say who and what, with those of then; None without any."""
    agreed: Mapping[str, str] = record.evidence.get(AGREED) or {}
    person = next((each.name for each in contract.columns if each.role is Role.PERSON_ID), "")
    word = column_of_field(contract, "participation")
    if not word:
        return None
    if not agreed:
        # One from before meanings were kept: its columns are taken by their names.
        return {}
    by_role, by_field = {}, {}
    for name, meaning in agreed.items():
        _, role, its_field, *_ = meaning.split(" ")
        by_role[role], by_field[its_field] = name, name
    if "participation" not in by_field or (person and Role.PERSON_ID.value not in by_role):
        return None
    known = {word: by_field["participation"]}
    return known | ({person: by_role[Role.PERSON_ID.value]} if person else {})
