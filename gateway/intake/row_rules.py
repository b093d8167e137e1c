"""Rules across columns of a row, and columns that are unique together.

Numbers and dates are compared as what they are. Where both columns are ISO dates,
the text order is the order of days, and the stock expectation compares them;
otherwise the published plug-in does.

Source: UK GDPR Art 5(1)(d); docs/reference/contracts.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import polars as pl

from gateway.errors import UsageError
from gateway.intake.rule import Effect, Rule
from gateway.intake.rules import ISO, column_rules, parsed_date
from gateway.model import Contract, ContractColumn, RowRule

ANY: Final = "*"
NUMBER: Final = r"^-?[0-9]{1,15}(?:\.[0-9]{1,15})?$"

Made = tuple[pl.Expr, pl.Expr, dict[str, Any]]


def rules_of(contract: Contract) -> tuple[Rule, ...]:
    """Give every rule of a contract: columns in their order, then rows, then uniqueness.

    Raises:
        UsageError: the contract asks for a form that does not exist.
    """
    by_name = {column.name: column for column in contract.columns}
    return (
        *(rule for column in contract.columns for rule in column_rules(column, contract)),
        *(_row_rule(rule, by_name) for rule in contract.rules),
        *_together(contract),
    )


def numbered(contract: Contract) -> list[tuple[str, str]]:
    """The column and name of each rule; its place is the number by which failing rows name it."""
    return [(rule.column, rule.name) for rule in rules_of(contract)]


def _row_rule(rule: RowRule, columns: dict[str, ContractColumn]) -> Rule:
    make = FORMS.get(rule.form)
    if make is None or any(name not in columns for name in rule.columns):
        raise UsageError(
            "intake/contract-rule",
            f'Rule "{rule.name}" has a form or column that is not known.',
            remedy="Mend the contract.",
            rule=rule.name,
        )
    applies, failing, expectation = make(rule, columns)
    if rule.tolerated:
        expectation["kwargs"]["mostly"] = 1 - rule.tolerated
    return Rule(
        name=rule.name,
        column="",
        code="intake/rule-broken",
        expectation=expectation,
        failing=applies & failing,
        applies=applies,
        tolerated=rule.tolerated,
        effect=Effect.KEEP if rule.tolerated else Effect.QUARANTINE,
    )


def _not_before(rule: RowRule, columns: dict[str, ContractColumn]) -> Made:
    """The first is not before the second."""
    later, earlier = (columns[name] for name in rule.columns)
    return _ordered(later, earlier)


def _at_most(rule: RowRule, columns: dict[str, ContractColumn]) -> Made:
    """The first is at most the second."""
    least, most = (columns[name] for name in rule.columns)
    return _ordered(most, least)


def _ordered(most: ContractColumn, least: ContractColumn) -> Made:
    pair = {"column_A": most.name, "column_B": least.name}
    kwargs: dict[str, Any] = {**pair, "ignore_row_if": "either_value_is_missing"}
    if most.type == "date" and most.date_forms == least.date_forms == ISO:
        kind = "expect_column_pair_values_a_to_be_greater_than_b"
        kwargs["or_equal"] = True
        upper, lower = pl.col(most.name), pl.col(least.name)
        applies = upper.is_not_null() & lower.is_not_null()
        return applies, upper < lower, {"type": kind, "kwargs": kwargs}
    kind = "expect_column_pair_values_a_to_be_at_least_b"
    kwargs["date_forms_A"] = list(most.date_forms) if most.type == "date" else []
    kwargs["date_forms_B"] = list(least.date_forms) if least.type == "date" else []
    applies = pl.col(most.name).is_not_null() & pl.col(least.name).is_not_null()
    failing = (_measure(most) < _measure(least)).fill_null(value=False)
    return applies, failing, {"type": kind, "kwargs": kwargs}


def _sum_at_most(rule: RowRule, columns: dict[str, ContractColumn]) -> Made:
    """All but the last add up to at most the last."""
    *parts, limit = (columns[name] for name in rule.columns)
    present = pl.all_horizontal(pl.col(name).is_not_null() for name in rule.columns)
    total = pl.sum_horizontal([_measure(part) for part in parts], ignore_nulls=False)
    kwargs = {"column_list": list(rule.columns), "ignore_row_if": "any_value_is_missing"}
    failing = (total > _measure(limit) + 1e-9).fill_null(value=False)
    return present, failing, {"type": "expect_multicolumn_sum_to_be_at_most_last", "kwargs": kwargs}


def _required_if(rule: RowRule, _columns: dict[str, ContractColumn]) -> Made:
    """The first is present where the second has the value (`*`: any)."""
    name, other = rule.columns
    kwargs = {"column": name, **_where(other, rule.value)}
    expectation = {"type": "expect_column_values_to_not_be_null", "kwargs": kwargs}
    return _holds(other, rule.value), pl.col(name).is_null(), expectation


def _absent_if(rule: RowRule, _columns: dict[str, ContractColumn]) -> Made:
    """The first is missing where the second has the value (`*`: any)."""
    name, other = rule.columns
    kwargs = {"column": name, **_where(other, rule.value)}
    expectation = {"type": "expect_column_values_to_be_null", "kwargs": kwargs}
    return _holds(other, rule.value), pl.col(name).is_not_null(), expectation


def _one_of_present(rule: RowRule, _columns: dict[str, ContractColumn]) -> Made:
    """At least one of the columns is present."""
    kwargs = {"column_list": list(rule.columns), "ignore_row_if": "never"}
    missing = pl.all_horizontal(pl.col(name).is_null() for name in rule.columns)
    expectation = {"type": "expect_multicolumn_one_to_be_present", "kwargs": kwargs}
    # As long as the block: a lone literal would count as one row.
    return pl.repeat(value=True, n=pl.len(), dtype=pl.Boolean), missing, expectation


FORMS: Final[dict[str, Callable[[RowRule, dict[str, ContractColumn]], Made]]] = {
    "not-before": _not_before,
    "at-most": _at_most,
    "sum-at-most": _sum_at_most,
    "required-if": _required_if,
    "absent-if": _absent_if,
    "one-of-present": _one_of_present,
}


def _together(contract: Contract) -> Iterator[Rule]:
    for group in contract.unique_together:
        kwargs = {"column_list": list(group), "ignore_row_if": "any_value_is_missing"}
        yield Rule(
            name="unique:" + "+".join(group),
            column="",
            code="intake/rows-repeated",
            expectation={"type": "expect_compound_columns_to_be_unique", "kwargs": kwargs},
            together=group,
        )


def _holds(column: str, value: str) -> pl.Expr:
    if value == ANY:
        return pl.col(column).is_not_null()
    return (pl.col(column) == value).fill_null(value=False)


def _where(column: str, value: str) -> dict[str, Any]:
    held = "notNull()" if value == ANY else f'== "{value}"'
    condition = f'col("{column}").{held}' if value == ANY else f'col("{column}") {held}'
    return {"row_condition": condition, "condition_parser": "great_expectations"}


def _measure(column: ContractColumn) -> pl.Expr:
    if column.type == "date":
        return parsed_date(column).cast(pl.Int32).cast(pl.Float64)
    text = pl.col(column.name)
    return pl.when(text.str.contains(NUMBER)).then(text.cast(pl.Float64, strict=False))
