"""Where a selection reads: accepted extracts, block by block, only the named columns.

Source: docs/reference/policy.md, "A purpose".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import polars as pl

from gateway.model import ColumnRule, Contract, Plan, Role


class StoredColumns(Protocol):
    """One accepted extract: its blocks can be read again and again."""

    @property
    def rows(self) -> int:
        """Accepted rows."""

    def frames(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """The stored blocks, only the named columns that exist."""


@dataclass(frozen=True, slots=True)
class Source:
    """The extracts of one dataset that are in use: newest, accepted, not superseded."""

    contract: Contract
    extracts: tuple[StoredColumns, ...] = field(repr=False)

    @property
    def rows(self) -> int:
        """Accepted rows of all its extracts."""
        return sum(extract.rows for extract in self.extracts)

    def column_of(self, role: Role) -> str | None:
        """The contract column with this role, if there is one."""
        return next((column.name for column in self.contract.columns if column.role is role), None)

    def blocks(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """The stored blocks of every extract in turn."""
        for extract in self.extracts:
            yield from extract.frames(columns)


def all_rules(plan: Plan) -> list[ColumnRule]:
    """Every column rule of every output."""
    return [rule for output in plan.outputs for rule in output.columns]


def column_of_field(contract: Contract, name: str) -> str:
    """The contract column that holds a vocabulary field; "" if none does."""
    return next((column.name for column in contract.columns if column.field == name), "")
