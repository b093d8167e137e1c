"""Edits of a book of cases by form: a case is written, or taken out; comments and order stay.

Source: docs/reference/policy.md, "Cases".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.items import InlineTable

from gateway.adapters.policy_entries import remove_entry, set_row
from gateway.policy.bundle import Bundle
from gateway.policy.casebook import Case

_ROWS = "cases"
_OPENING = "# What {} may and may not share: decided again at every change of the policies.\n"


def book_of(bundle: Bundle, agreement: str) -> str:
    """The document that holds the cases of an agreement; where none does, the one it would be."""
    held = {
        document: sum(case.agreement == agreement for case in book.cases)
        for document, book in bundle.casebooks.items()
    }
    most = max(held.values(), default=0)
    return next((d for d, n in sorted(held.items()) if n == most > 0), f"cases/{agreement}.toml")


def with_case(text: str, case: Case) -> str:
    """The book with one more case, or with another of the same name in its place.

    Args:
        text: the book; "" begins a new one.
        case: as a form made it.

    Raises:
        InputRejected: `policy/unreadable`: the text is not TOML.
    """
    parts: dict[str, Any] = {
        "agreement": case.agreement,
        "purpose": case.purpose,
        "on": case.on,
        "expect": case.expect,
        "reasons": list(case.reasons) if case.reasons else None,
        "sends": _inline(case.sends) if case.sends else None,
        "change": _inline(case.change) if case.change else None,
        "remove": list(case.remove) if case.remove else None,
    }
    return set_row(text or _OPENING.format(case.agreement), _ROWS, case.name, parts)


def without_case(text: str, name: str) -> str:
    """The book without a case; "" where none would be left.

    Raises:
        InputRejected: `policy/unreadable`: the text is not TOML.
    """
    left = remove_entry(text, (_ROWS,), row=name)
    return left if _ROWS in tomlkit.parse(left) else ""


def _inline(values: Mapping[str, Any]) -> InlineTable:
    table = tomlkit.inline_table()
    for key, value in values.items():
        if isinstance(value, Mapping):
            table[key] = _inline(value)
        else:
            table[key] = list(value) if isinstance(value, tuple) else value
    return table
