"""Which columns of an output form groups, which are sensitive, and how groups may be coarsened.

A column forms groups when the Plan says so, when it is a key variable or a date,
or when it turns out to hold more than twenty values: a column of many values
tells people apart whatever it is called. It stays out only by clause. The values
of a set of codes are its codes: each is held to l apart, their combinations to the
limit on unique rows.

Source: docs/explanation/disclosure.md, "Groups"; docs/reference/policy.md, "Disclosure limits".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from gateway.model import ColumnRule, FieldClass, Limits, OutputPlan

MANY_VALUES = 20

# The one treatment that gives a number and can be coarsened.
NUMERIC = frozenset({"age"})

# The value of a treated column, the treatment it has, the treatment wanted.
Coarser = Callable[[pl.Expr, str, str], pl.Expr]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One output as disclosure control sees it.

    `columns` are all payload columns by output name; `keys` those that form
    groups; `steps` the treatments that each level of coarsening adds to the one
    before it (level 0 adds none).
    """

    output: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]
    sensitive: tuple[tuple[str, int], ...]
    treats: Mapping[str, str]
    steps: tuple[tuple[str, str], ...] = ()

    @property
    def levels(self) -> range:
        """Level 0 is the output as planned; each further one adds a coarsening."""
        return range(len(self.steps) + 1)

    def treatments(self, level: int) -> dict[str, str]:
        """The treatment of each column at a level of coarsening."""
        return dict(self.treats) | dict(self.steps[:level])

    def values(self, level: int, coarser: Coarser) -> list[pl.Expr]:
        """The output's columns, named by output name, at a level of coarsening."""
        return [self.value(name, level, coarser) for name in self.columns]

    def value(self, name: str, level: int, coarser: Coarser) -> pl.Expr:
        """One column at a level of coarsening, each step applied in its order."""
        value, present = pl.col(f"payload.{self.output}.{name}"), self.treats[name]
        for field, treat in self.steps[:level]:
            if field == name:
                text = value.cast(pl.String) if present not in NUMERIC else value
                value, present = coarser(text, present, treat), treat
        return value.alias(name)


def shape_of(output: OutputPlan, limits: Limits, *, wide: frozenset[str]) -> Shape:
    """Say how an output is checked.

    Args:
        output: the output; pseudonym columns are identifiers and form no groups.
        limits: its disclosure limits.
        wide: names of columns that hold more than `MANY_VALUES` values.

    Source: docs/reference/policy.md.
    """
    payload = payload_columns(output)
    spared = {name for name, _clause in limits.not_key}
    keys = tuple(
        rule.name
        for rule in payload
        if rule.name not in spared and _forms_groups(rule, limits, wide)
    )
    return Shape(
        output=output.name,
        columns=tuple(rule.name for rule in payload),
        keys=keys,
        sensitive=limits.l_values,
        treats={rule.name: rule.treat for rule in payload},
        steps=limits.coarsen,
    )


def payload_columns(output: OutputPlan) -> tuple[ColumnRule, ...]:
    """The columns that carry values; a pseudonym carries none."""
    return tuple(rule for rule in output.columns if rule.treat != "pseudonym")


def _forms_groups(rule: ColumnRule, limits: Limits, wide: frozenset[str]) -> bool:
    return (
        rule.name in limits.key_variables
        or rule.is_date
        or rule.field_class is FieldClass.KEY_VARIABLE
        or (rule.name in wide and not 0 < len(rule.codes) <= MANY_VALUES)
    )
