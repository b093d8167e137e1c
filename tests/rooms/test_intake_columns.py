"""One column pass: the fast answer is the rule's own, and values are typed or cleared."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.intake import Compiled, Rule, rules_of
from gateway.model import Contract, ContractColumn, Role
from tests.bad_input.police_extract import NAMES, POLICE, row

NHS = ["9990000018", "999 000 0026", "9990000019", "1111111111", "4010232137", "999000001", ""]
UPN = [
    "A001123456789",
    "H001123456789",
    "h001 1234-56789",
    "ABCDEFGHIJKLM",
    "A00112345678X",
    "é" * 6,
]
POSTCODE = ["ZA1 1AA", "ZA11AA", "za1 1aa", "ZA1  1AA", "ZZ99 3WZ", "N1P 1AA", "Q1 1AA", "GIR 0AA"]
TEXT = ["Ada", " ", "  ", " Ada", "\u00a0", "é", "-", ""]

CELLS = {"nhs": NHS, "upn": UPN, "postcode": POSTCODE, "surname": TEXT, "forename": TEXT}


def frame(*rows: list[str]) -> pl.DataFrame:
    cells = [[cell or None for cell in line] for line in rows]
    return pl.DataFrame(cells, dict.fromkeys(NAMES, pl.String), orient="row")


def as_the_rule_says(raw: pl.DataFrame, rule: Rule) -> list[int]:
    assert rule.failing is not None
    failing = raw.select(rule.failing.fill_null(value=False).alias("failing"))
    return failing["failing"].arg_true().to_list()


@pytest.mark.parametrize("population", ["synthetic", "residents"])
@given(st.lists(st.fixed_dictionaries({k: st.sampled_from(v) for k, v in CELLS.items()})))
def test_the_fast_answer_is_the_answer_of_the_rule(
    population: str, changes: list[dict[str, str]]
) -> None:
    contract = replace(POLICE, population=population)
    raw = frame(*(row(n, **change) for n, change in enumerate(changes)))
    rules = [rule for rule in rules_of(contract) if rule.failing is not None]
    for plain in (False, True):
        checked = Compiled(contract, rules).check(raw, ascii_only=False, plain=plain)
        for rule in rules:
            found = checked.failing.get(rule.name)
            assert ([] if found is None else found.to_list()) == as_the_rule_says(raw, rule)


def checked_one(column: ContractColumn, *cells: str | None) -> tuple[list[object], list[str]]:
    contract = Contract(id="x", title="x", version=1, parties=("x",), columns=(column,))
    raw = pl.DataFrame({column.name: pl.Series(cells, dtype=pl.String)})
    checked = Compiled(contract, rules_of(contract)).check(raw, ascii_only=False)
    return checked.columns[column.name].to_list(), sorted(checked.failing)


def test_dates_of_every_declared_form_become_the_same_day() -> None:
    forms = ("%Y-%m-%d", "%d/%m/%Y", "%Y%m%d", "%d %b %Y")
    column = ContractColumn(name="a", field="a", type="date", date_forms=forms)
    got, failing = checked_one(column, "2001-02-03", "03/02/2001", "20010203", "03 Feb 2001", None)
    assert got == [*[dt.date(2001, 2, 3)] * 4, None]
    assert failing == []


def test_numbers_become_numbers_and_wrong_ones_keep_their_row_back() -> None:
    column = ContractColumn(name="a", field="a", type="integer", minimum=0, maximum=9)
    assert checked_one(column, "7", "10", "x", None) == ([7, None], ["a.number"])


def test_a_tolerated_wrong_value_of_an_optional_column_becomes_missing() -> None:
    column = ContractColumn(
        name="a", field="a", type="integer", maximum=9, minimum=0, tolerated=0.9
    )
    assert checked_one(column, "7", "10") == ([7, None], ["a.number"])


def test_a_wrong_value_of_a_required_column_keeps_its_row_back_even_where_tolerated() -> None:
    column = ContractColumn(name="a", field="a", type="text", required=True, tolerated=0.9)
    assert checked_one(column, "x", " ", None) == (["x"], ["a.required", "a.text"])


def test_postcodes_of_another_country_are_text() -> None:
    column = ContractColumn(name="a", field="postcode", type="text", role=Role.POSTCODE)
    digits = Contract(
        id="x", title="x", version=1, parties=("x",), columns=(column,), postcode_form="digits"
    )
    raw = pl.DataFrame({"a": ["2000"]})
    checked = Compiled(digits, rules_of(digits)).check(raw, ascii_only=True)
    assert checked.failing == {}
