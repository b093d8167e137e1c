"""A contract says what a partner may send, and takes its classes from the vocabulary."""

from __future__ import annotations

import datetime as dt

import pytest

from gateway.model import FieldClass, Role
from gateway.policy import PolicyInvalid, load_contract, load_vocabulary
from tests.policies import shelf

SMALL = """
id = "small"
title = "A small extract"
version = 1
parties = ["trafford-schools"]
population = "synthetic"
retention = "30d"
placeholder_dates = [1900-01-01]
sex = "not-collected"
postcode_form = "digits"
protected_column = "safe"
unique_together = [["who", "born"]]
[columns.who]
field = "source_row"
required = true
unique = true
aliases = ["Who"]
[columns.born]
field = "date_of_birth"
type = "date"
role = "date_of_birth"
date_forms = ["%d/%m/%Y"]
earliest = 1900-01-01
tolerated = 0.02
[columns.safe]
field = "protected"
type = "boolean"
[columns.died]
field = "extract_date"
type = "date"
[columns.problems]
field = "criteria_met"
type = "codes"
[columns.arrears]
field = "arrears_gbp"
type = "decimal"
decimals = 2
min = 0
max = 20000
[[rules]]
name = "dies-after-birth"
form = "not-before"
columns = ["died", "born"]
[[rules]]
name = "dead-are-not-safe"
form = "absent-if"
columns = ["safe", "died"]
value = "*"
"""


@pytest.fixture(scope="module")
def vocabulary():  # type: ignore[no-untyped-def]
    return load_vocabulary(shelf.around()["vocabulary.toml"])


def test_a_contract_becomes_the_value_that_the_rooms_read(vocabulary) -> None:  # type: ignore[no-untyped-def]
    contract = load_contract(SMALL, vocabulary)
    columns = {column.name: column for column in contract.columns}
    assert (contract.retention_days, contract.sex, contract.postcode_form) == (
        30,
        "not-collected",
        "digits",
    )
    assert contract.placeholder_dates == (dt.date(1900, 1, 1),)
    assert contract.protected_column == "safe"
    assert columns["born"].role is Role.DATE_OF_BIRTH
    assert columns["born"].field_class is FieldClass.DIRECT
    assert columns["problems"].codes == ("C1", "C2", "C3", "C4", "C5", "C6")
    assert (columns["arrears"].minimum, columns["arrears"].maximum) == (0.0, 20000.0)
    assert [(rule.form, rule.value) for rule in contract.rules] == [
        ("not-before", ""),
        ("absent-if", "*"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('field = "source_row"', 'field = "source_ro"', "policy/unknown-field"),
        ('role = "date_of_birth"', 'role = "birthday"', "policy/unknown-word"),
        ('date_forms = ["%d/%m/%Y"]', 'date_forms = ["%q"]', "policy/unknown-word"),
        ('date_forms = ["%d/%m/%Y"]', "date_forms = []", "policy/empty-list"),
        ('parties = ["trafford-schools"]', "parties = []", "policy/empty-list"),
        ('population = "synthetic"\n', "", "policy/missing-key"),
        ('columns = ["died", "born"]', 'columns = ["died", "bron"]', "policy/unknown-column"),
        ('columns = ["died", "born"]', 'columns = ["died"]', "policy/contract-malformed"),
        ('form = "not-before"', 'form = "required-if"', "policy/contract-malformed"),
        ('form = "not-before"', 'form = "matches"', "policy/unknown-word"),
        ('protected_column = "safe"', 'protected_column = "sfe"', "policy/unknown-column"),
        ('["who", "born"]', '["who", "brn"]', "policy/unknown-column"),
        ('field = "criteria_met"', 'field = "organisation"', "policy/contract-malformed"),
        ('aliases = ["Who"]', 'aliases = ["BORN"]', "policy/contract-malformed"),
        ('field = "source_row"', 'role = "date_of_birth"\nfield = "source_row"',
         "policy/contract-malformed"),
        ("max = 20000", "max = inf", "policy/value-malformed"),
        ("tolerated = 0.02", "tolerated = 2.0", "policy/value-malformed"),
        ('retention = "30d"', 'retention = "1q"', "policy/value-malformed"),
        ("version = 1", "version = 99999999999999999999", "policy/value-malformed"),
        ("[columns.who]", "[columns.who", "policy/unreadable"),
    ],
)  # fmt: skip
def test_a_faulty_contract_does_not_load(vocabulary, old: str, new: str, code: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(PolicyInvalid) as caught:
        load_contract(shelf.changed(SMALL, (old, new)), vocabulary)
    assert code in {finding.code for finding in caught.value.findings}
    assert caught.value.exit_code == 3


def test_a_faulty_vocabulary_does_not_load() -> None:
    with pytest.raises(PolicyInvalid, match="policy/unknown-word"):
        load_vocabulary('[fields.a]\nmeaning = "A."\nclass = "secret"\n')
    with pytest.raises(PolicyInvalid, match="policy/unreadable"):
        load_vocabulary("[fields")


def test_former_surnames_may_stand_more_than_once(vocabulary) -> None:  # type: ignore[no-untyped-def]
    more = "\n".join(
        f'[columns.old{n}]\nfield = "former_surname"\nrole = "former_surname"' for n in (1, 2)
    )
    rules = SMALL.index("[[rules]]")
    contract = load_contract(SMALL[:rules] + more + "\n" + SMALL[rules:], vocabulary)
    assert [c.role for c in contract.columns].count(Role.FORMER_SURNAME) == 2


def test_retention_is_in_days_weeks_months_of_30_or_years_of_365(vocabulary) -> None:  # type: ignore[no-untyped-def]
    found = {
        span: load_contract(SMALL.replace('"30d"', f'"{span}"'), vocabulary).retention_days
        for span in ("1d", "2w", "3m", "8y")
    }
    assert found == {"1d": 1, "2w": 14, "3m": 90, "8y": 2920}


def test_a_code_may_be_any_words_without_a_semicolon(vocabulary) -> None:  # type: ignore[no-untyped-def]
    codes = 'codes = ["Not known", "é+", "-1"]'
    text = shelf.changed(SMALL, ('field = "source_row"', f'field = "source_row"\n{codes}'))
    assert load_contract(text, vocabulary).columns[0].codes == ("Not known", "é+", "-1")
    with pytest.raises(PolicyInvalid, match="policy/value-malformed"):
        load_contract(text.replace("Not known", "Not; known"), vocabulary)


def test_every_dataset_of_the_programme_has_its_contract() -> None:
    assert set(shelf.shipped().contracts) == {
        "school_attendance", "childrens_social_care", "early_help", "neet_ccis",
        "police_incidents", "youth_justice", "probation_custody", "dwp_out_of_work", "housing",
        "health", "domestic_abuse_services", "nominations", "family_register",
        "family_progress", "urgent_disclosure", "febrl4",
    }  # fmt: skip


def test_every_shipped_contract_is_of_made_up_people() -> None:
    """Whoever goes live changes the population and has every agreement approved again."""
    populations = {contract.population for contract in shelf.shipped().contracts.values()}
    assert populations == {"synthetic"}


def test_the_58_progress_items_are_all_there() -> None:
    columns = {c.name for c in shelf.shipped().contracts["family_progress"].columns}
    assert {f"FPD{n:02d}" for n in range(1, 59)} <= columns
