"""A contract as JSON, so that the checker gets it through a pipe and reads no file.

Source: security point 11; docs/reference/contracts.md.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import fields
from typing import Any

from gateway.model import Contract, ContractColumn, FieldClass, Role, RowRule


def contract_json(contract: Contract) -> str:
    """Write a contract as one JSON document with sorted keys."""
    return json.dumps(_plain(contract), sort_keys=True, ensure_ascii=True)


def read_contract(text: str) -> Contract:
    """Read what `contract_json` wrote; equal to the contract it was made from."""
    held = json.loads(text)
    held["columns"] = tuple(_column(column) for column in held["columns"])
    held["rules"] = tuple(RowRule(**_tuples(rule)) for rule in held["rules"])
    held["unique_together"] = tuple(tuple(group) for group in held["unique_together"])
    held["placeholder_dates"] = tuple(map(_date, held["placeholder_dates"]))
    return Contract(**_tuples(held))


def _column(held: dict[str, Any]) -> ContractColumn:
    held["role"] = None if held["role"] is None else Role(held["role"])
    held["field_class"] = FieldClass(held["field_class"])
    held["earliest"], held["latest"] = _date(held["earliest"]), _date(held["latest"])
    return ContractColumn(**_tuples(held))


def _tuples(held: dict[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in held.items()
    }


def _date(text: str | None) -> Any:
    return None if text is None else dt.date.fromisoformat(text)


def _plain(value: object) -> object:
    if isinstance(value, Contract | ContractColumn | RowRule):
        return {part.name: _plain(getattr(value, part.name)) for part in fields(value)}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, dt.date):
        return value.isoformat()
    return value
