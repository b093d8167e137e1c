"""Where a selection reads: accepted extracts, block by block, only the named columns.

Source: docs/reference/policy.md, "A purpose".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import polars as pl

from gateway.errors import RefusedError
from gateway.model import ColumnRule, Contract, Plan, Role


class StoredColumns(Protocol):
    """One accepted extract: its blocks can be read again and again."""

    @property
    def rows(self) -> int:
        """Accepted rows."""

    def frames(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """The stored blocks, only the named columns that exist."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """An accepted extract that a newer one of its partner has replaced, and when it came.

    `called` are its columns of the person id ("" without one) and of the word, as its
    contract called them then; None if they are called as they are now.
    """

    extract: StoredColumns = field(repr=False)
    at: str
    called: tuple[str, str] | None = None

    def columns(self, contract: Contract) -> tuple[str, str]:
        """The columns of the person id and of the word; "" for one that it has not."""
        if self.called is not None:
            return self.called
        roles = (each.name for each in contract.columns if each.role is Role.PERSON_ID)
        return next(roles, ""), column_of_field(contract, "participation")


@dataclass(frozen=True, slots=True)
class Source:
    """The extracts of one dataset that are in use: newest, accepted, not superseded.

    `replaced` are those before them that are still kept: what they said against sharing holds.
    """

    contract: Contract
    extracts: tuple[StoredColumns, ...] = field(repr=False)
    replaced: tuple[Replaced, ...] = field(default=(), repr=False)

    @property
    def rows(self) -> int:
        """Accepted rows of all its extracts."""
        return sum(extract.rows for extract in self.extracts)

    def column_of(self, role: Role) -> str | None:
        """The contract column with this role, if there is one."""
        return next((column.name for column in self.contract.columns if column.role is role), None)

    def blocks(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """The stored blocks of every extract in turn.

        Raises:
            RefusedError: an extract has not all of the columns: it was taken in under
                another version of the contract.
        """
        agreed = {column.name for column in self.contract.columns}
        wanted = [name for name in columns if name in agreed]
        for extract in self.extracts:
            for block in extract.frames(columns):
                if absent := [name for name in wanted if name not in block.columns]:
                    raise of_another_contract(self.contract, absent)
                yield block

    def read_by(self, plan: Plan) -> tuple[str, ...]:
        """The columns that a release reads here: for what leaves, and for who may not."""
        contract, mine = self.contract, self.contract.id
        rules = [rule for rule in all_rules(plan) if rule.dataset == mine]
        named = [rule.column for rule in rules]
        named += [rule.at for rule in rules if isinstance(rule.at, str)]
        named += [join.take.partition(":")[2] for join in plan.joins if join.dataset == mine]
        if mine == plan.cohort.dataset:
            named += [column for column, _ in plan.cohort.within]
            named += [column for column, _, _ in plan.cohort.between]
        named += [column.name for column in contract.columns if column.role is not None]
        named += [column_of_field(contract, each) for each in ("participation", "extract_date")]
        named += [contract.protected_column, column_of_field(contract, "protected")]
        return tuple(sorted({*named} - {""}))


def of_another_contract(contract: Contract, columns: Sequence[str]) -> RefusedError:
    """The error for an extract in which columns are absent, or meant something else."""
    named = ", ".join(f'"{name}"' for name in sorted(columns))
    return RefusedError(
        "sharing/extract-of-another-contract",
        f'An extract in use of "{contract.id}" was taken in under another version of its '
        f"contract, in which {named} {'was' if len(columns) == 1 else 'were'} not what is agreed "
        "now: nobody knows from it who may be shared.",
        remedy="Take the same file in again, or have its partner send it again: it is then "
        "checked against the contract in force.",
        dataset=contract.id,
    )


def all_rules(plan: Plan) -> list[ColumnRule]:
    """Every column rule of every output."""
    return [rule for output in plan.outputs for rule in output.columns]


def column_of_field(contract: Contract, name: str) -> str:
    """The contract column that holds a vocabulary field; "" if none does."""
    return next((column.name for column in contract.columns if column.field == name), "")
