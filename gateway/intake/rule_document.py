"""The contract as a browser reads it: each rule as a question with numbers and lists, no pattern.

Made from the same rules as the column pass and the published suite. The reader in the
page knows each kind of question by name, so that nothing in the document can
backtrack or run. A rule that has no question here makes the whole document say so:
a page that could not ask everything must not give a verdict.

Source: docs/reference/contracts.md, "In the browser"; docs/adr/0274.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from gateway.identity.names import PREFIXES, TITLES
from gateway.identity.places import EARLIEST_BIRTH, PLACEHOLDER_DATES
from gateway.intake.another_dataset import ENOUGH, others_document
from gateway.intake.header import (
    DELIMITERS,
    LINES_BELOW,
    LONGEST_LINE,
    LOOK_ALIKES,
    MOST_COLUMNS,
    always_there,
    names_of,
    unmask,
)
from gateway.intake.patterns import DAY_FORMS, NAMED
from gateway.intake.row_rules import rules_of
from gateway.intake.rule import Rule
from gateway.intake.rules import RESERVED, identifier_of
from gateway.intake.verdict import FIRST_ROWS, LISTED
from gateway.model import Contract, ContractColumn, Role
from gateway.model.shipped import fold_table, sentinels

Question = dict[str, Any]

_EXACT: Final = 10**15
_DATE_PARTS: Final = ("%d", "%m", "%b", "%Y")
_ABOUT: Final = {
    Role.FORENAME: "forename",
    Role.SURNAME: "surname",
    Role.DATE_OF_BIRTH: "birth",
}


def rule_document(contract: Contract, *, contracts: Collection[Contract]) -> dict[str, Any]:
    """Make what a page needs to check a file as the gateway will.

    Args:
        contract: what the file must follow.
        contracts: all that are published; their names of columns are no secret.

    Returns:
        JSON types. `unasked` names what the page cannot ask; where it is not empty
        there is no verdict in the browser.
    """
    columns = {column.name: column for column in contract.columns}
    rules = [_rule(rule, columns, contract) for rule in rules_of(contract)]
    names = names_of(contract)
    published = {name for each in (contract, *contracts) for name in names_of(each)}
    return {
        "dataset": contract.id,
        "version": contract.version,
        "delimiter": contract.delimiter,
        "encodings": list(contract.encodings),
        "quarantine_above": contract.quarantine_above,
        "reject_above": contract.reject_above,
        "first_rows": FIRST_ROWS,
        "listed": LISTED,
        "most_columns": MOST_COLUMNS,
        "header": {
            "names": names,
            "published": sorted(published),
            "unmasked": {unmask(name): names[name] for name in names},
            "all_unmasked": sorted({*map(unmask, published)}),
            "look_alikes": {chr(code): chr(letter) for code, letter in LOOK_ALIKES.items()},
            "delimiters": dict(DELIMITERS),
            "lines_below": LINES_BELOW,
            "longest_line": LONGEST_LINE,
        },
        "others": others_document(contract, contracts),
        "enough": ENOUGH,
        "columns": [_column(column, contract) for column in contract.columns],
        "rules": rules,
        "people": _people(contract),
        "unasked": [
            *(rule["name"] for rule in rules if rule["ask"] is None),
            *_unread(contract),
        ],
    }


def _column(column: ContractColumn, contract: Contract) -> dict[str, Any]:
    return {
        "name": column.name,
        "always": always_there(column, contract),
        "required": column.required,
        "free": column.type == "text" and not column.codes,
    }


def _rule(rule: Rule, columns: Mapping[str, ContractColumn], contract: Contract) -> Question:
    column = columns.get(rule.column)
    ask, looks = (
        (_across(rule, columns, contract), [])
        if column is None
        else _of_column(rule, column, contract)
    )
    return {
        "name": rule.name,
        "column": rule.column,
        "code": rule.code,
        "tolerated": rule.tolerated,
        "effect": rule.effect.value,
        "scripts": rule.scripts,
        "ask": ask,
        "looks": looks,
    }


def _of_column(
    rule: Rule, column: ContractColumn, contract: Contract
) -> tuple[Question | None, list[tuple[str, Question]]]:
    """The question of a column's rule, and what texts that fail it may look like, in order."""
    kind = rule.name.removeprefix(f"{column.name}.")
    damage = ("intake/spreadsheet-damage", {"kind": "damaged"})
    if kind == "number":
        decimals = column.decimals if column.type == "decimal" else 0
        plain = {"kind": "number", "decimals": decimals, "low": None, "high": None}
        return _number(column, plain), [("intake/out-of-range", plain), damage]
    if kind == "date":
        other = {"kind": "date", "forms": list(DAY_FORMS)}
        day_number = ("intake/spreadsheet-damage", {"kind": "day-number"})
        return _date(column), [("intake/date-form", other), day_number, damage]
    if kind == "text":
        hidden = ("intake/hidden-character", {"kind": "hidden"})
        form = column.form if column.form in NAMED else ""
        return {"kind": "text", "form": form}, [hidden, damage]
    if kind == "nhs-number":
        damage = ("intake/spreadsheet-damage", {"kind": "damaged-nhs-number"})
    looks = [*_test_number(kind, column, contract), *([damage] if _damaged(kind) else [])]
    return _plainly(kind, rule, column, contract), looks


def _test_number(
    kind: str, column: ContractColumn, contract: Contract
) -> Iterator[tuple[str, Question]]:
    name = identifier_of(column)
    if name in RESERVED and kind == name.replace("_", "-") and contract.population != "synthetic":
        yield "intake/test-number", {"kind": kind, "synthetic": True}


def _plainly(kind: str, rule: Rule, column: ContractColumn, contract: Contract) -> Question | None:
    """The question of a kind that has no texts of a look of their own; None if it is not known."""
    if kind == identifier_of(column).replace("_", "-"):
        return {"kind": kind, "synthetic": contract.population == "synthetic"}
    codes = list(column.codes)
    listed = all(code and ";" not in code for code in codes)
    known: dict[str, Question | None] = {
        "required": {"kind": kind},
        "one-script": {"kind": kind},
        "unique": {"kind": "together", "columns": list(rule.together)},
        "length": {"kind": kind, "most": column.max_length},
        "date-range": _date_range(column),
        "codes": {"kind": kind, "codes": codes or ["Y", "N"]},
        "code-list": {"kind": kind, "codes": codes} if listed else None,
    }
    return known.get(kind)


def _damaged(kind: str) -> bool:
    return kind not in {"required", "one-script", "unique", "length", "date-range"}


def _number(column: ContractColumn, plain: Question) -> Question | None:
    low, high = column.minimum, column.maximum
    if low is None and high is None:
        return plain
    least = 1 - _EXACT if low is None else int(low)
    most = _EXACT - 1 if high is None else int(high)
    if max(abs(least), abs(most)) >= _EXACT:
        return None
    return {**plain, "low": least, "high": most}


def _date(column: ContractColumn) -> Question | None:
    """None where a form has parts beside day, month and year, or one of them twice."""
    for form in column.date_forms:
        parts = [part for part in _DATE_PARTS if form.count(part)]
        if form.count("%") != 3 or len(parts) != 3 or "%d" not in parts or "%Y" not in parts:
            return None
    return {"kind": "date", "forms": list(column.date_forms)}


def _date_range(column: ContractColumn) -> Question | None:
    low, high = (day.isoformat() if day else None for day in (column.earliest, column.latest))
    dated = _date(column)
    return dated and {**dated, "kind": "date-range", "low": low, "high": high}


def _across(
    rule: Rule, columns: Mapping[str, ContractColumn], contract: Contract
) -> Question | None:
    if rule.together:
        return {"kind": "together", "columns": list(rule.together)}
    agreed = next((each for each in contract.rules if each.name == rule.name), None)
    if agreed is None:
        return None
    measures = [_measure(columns[name]) for name in agreed.columns]
    if None in measures:
        return None
    return {
        "kind": agreed.form,
        "columns": list(agreed.columns),
        "value": agreed.value,
        "measures": measures,
    }


def _measure(column: ContractColumn) -> Question | None:
    return _date(column) if column.type == "date" else {"kind": "number"}


def _people(contract: Contract) -> Question:
    """Which columns say who a row is about, and what makes a name or a birth of no use."""
    return {
        "columns": [
            {"name": column.name, "as": _ABOUT[column.role], "dates": _dates(column)}
            for column in contract.columns
            if column.role in _ABOUT
        ],
        "extracted": [
            {"name": column.name, "dates": _dates(column)}
            for column in contract.columns
            if column.field == "extract_date"
        ][:1],
        "earliest_birth": EARLIEST_BIRTH.isoformat(),
        "no_birth": sorted(
            {day.isoformat() for day in (*PLACEHOLDER_DATES, *contract.placeholder_dates)}
        ),
        "fold": {chr(code): letters for code, letters in fold_table().items()},
        "missing": list(sentinels("any")),
        "missing_forename": list(sentinels("not-surname")),
        "no_name": list(sentinels("name")),
        "titles": list(TITLES),
        "prefixes": list(PREFIXES),
    }


def _dates(column: ContractColumn) -> Question | None:
    return _date(column) if column.type == "date" else None


def _unread(contract: Contract) -> Iterator[str]:
    """Columns about a person that are of another type than the page reads there."""
    about: list[ContractColumn] = []
    for column in contract.columns:
        if column.field == "extract_date" and column.type != "date":
            yield column.name
        if column.role in _ABOUT:
            about.append(column)
            birth = column.role is Role.DATE_OF_BIRTH
            if column.type != ("date" if birth else "text"):
                yield column.name
    if len({column.role for column in about}) < len(about):
        yield "role"
