"""The contract as partners read it: a Great Expectations suite, and a Table Schema.

The suite is the JSON form of a stock suite over the raw text columns: read the
CSV with every column as text and empty cells as missing. A few rules (check
digits, sums) need the published plug-in `gateway_expectations.py`, which imports
nothing of the gateway.

Source: requirement R14; Frictionless Table Schema v1; docs/reference/contracts.md.
"""

from __future__ import annotations

from typing import Any, Final

from gateway.intake.header import always_there
from gateway.intake.patterns import NAMED
from gateway.intake.row_rules import rules_of
from gateway.model import Contract, ContractColumn

_TYPES: Final = {"integer": "integer", "decimal": "number", "date": "date"}


def suite(contract: Contract) -> dict[str, Any]:
    """Make the Great Expectations suite of a contract.

    Raises:
        UsageError: the contract asks for a form that does not exist.
    """
    expectations = [
        _exists(column) for column in contract.columns if always_there(column, contract)
    ]
    expectations += [
        {
            "type": rule.expectation["type"],
            "kwargs": dict(rule.expectation["kwargs"]),
            "meta": {"rule": rule.name, "code": rule.code, "effect": rule.effect.value},
        }
        for rule in rules_of(contract)
    ]
    return {
        "name": f"{contract.id}.{contract.version}",
        "expectations": expectations,
        "meta": {
            "contract": contract.id,
            "version": contract.version,
            "quarantine_above": contract.quarantine_above,
            "reject_above": contract.reject_above,
        },
    }


def table_schema(contract: Contract) -> dict[str, Any]:
    """Make the Frictionless Table Schema of a contract."""
    return {
        "$schema": "https://datapackage.org/profiles/1.0/tableschema.json",
        "title": contract.title,
        "fields": [_field(column) for column in contract.columns],
        "missingValues": [""],
    }


def _exists(column: ContractColumn) -> dict[str, Any]:
    return {
        "type": "expect_column_to_exist",
        "kwargs": {"column": column.name},
        "meta": {"rule": f"{column.name}.exists", "code": "intake/column-missing"},
    }


def _field(column: ContractColumn) -> dict[str, Any]:
    field: dict[str, Any] = {"name": column.name, "type": _TYPES.get(column.type, "string")}
    if column.type == "date":
        one = len(column.date_forms) == 1
        field["format"] = column.date_forms[0] if one else "any"
    constraints = _constraints(column)
    return field | ({"constraints": constraints} if constraints else {})


def _constraints(column: ContractColumn) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if column.required:
        found["required"] = True
    if column.unique:
        found["unique"] = True
    if column.type == "boolean" or (column.type == "text" and column.codes):
        found["enum"] = list(column.codes or ("Y", "N"))
    elif column.type == "text":
        found["maxLength"] = column.max_length
    if column.type == "text" and column.form in NAMED:
        found["pattern"] = NAMED[column.form]
    low, high = column.minimum, column.maximum
    if column.type == "date":
        low, high = (day and day.isoformat() for day in (column.earliest, column.latest))  # type: ignore[assignment]
    found |= {"minimum": low} if low is not None else {}
    return found | ({"maximum": high} if high is not None else {})
