"""Characters that nobody sees: a street that reads otherwise than it is stored stays behind."""

from __future__ import annotations

import re

import pytest

from gateway.intake import ACCEPTED, scan, suite
from gateway.intake.patterns import HIDDEN_LETTER, TEXT
from tests.bad_input.police_extract import POLICE, check, row, rows, text

HIDDEN = {
    "right-to-left override": "\u202e",
    "left-to-right mark": "\u200e",
    "Arabic letter mark": "\u061c",
    "isolate": "\u2066",
    "zero-width space": "\u200b",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "C1 control": "\u0085",
    "line separator": "\u2028",
    "vowel separator": "\u180e",
    "annotation anchor": "\ufff9",
    "tag": "\U000e0041",
}
HIDDEN_CLASS = re.compile(HIDDEN_LETTER)
SHAPE = {"delimiter": ",", "longest_cell": 100}
SEEN = ("Zoë", "Ångström", "O’Neil", "Łódź–Nowak", "علی\u200cرضا", "क्\u200dष", "王", "Ñandú", "𝒜da")


def letters(number: int) -> str:
    return "".join(chr(ord("a") + number // 26**place % 26) for place in range(3))


def many(surname: str) -> list[list[str]]:
    """Four hundred distinct surnames, so that none is looked up in a table, and one of ours."""
    lines = [row(n, surname=f"Test{letters(n)}") for n in range(400)]
    return [*lines, row(400, surname=surname)]


@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.parametrize("count", ["few", "many"])
def test_a_row_with_a_hidden_character_stays_behind(name: str, count: str) -> None:
    surname = f"Case{HIDDEN[name]}Test"
    lines = many(surname) if count == "many" else [*rows(60), row(60, surname=surname)]
    verdict = check(text(lines))
    found = [(each.code, each.column, each.first_rows) for each in verdict.findings]
    assert ("intake/hidden-character", "surname", (len(lines),)) in found
    assert verdict.state == ACCEPTED
    assert verdict.quarantined == 1


@pytest.mark.parametrize("surname", SEEN)
def test_letters_and_joiners_of_any_script_are_no_hidden_characters(surname: str) -> None:
    verdict = check(text(many(surname)))
    assert verdict.quarantined == 0
    assert "intake/hidden-character" not in [each.code for each in verdict.findings]


def test_the_published_suite_refuses_the_same_characters() -> None:
    rule = next(each for each in suite(POLICE)["expectations"] if "surname.text" in str(each))
    published = re.compile(rule["kwargs"]["regex"])
    assert not [name for name, mark in HIDDEN.items() if published.match(f"a{mark}b")]
    assert all(published.match(each) for each in SEEN)


def test_every_character_is_either_hidden_or_seen_by_both_expressions() -> None:
    seen, hidden = re.compile(TEXT), re.compile(HIDDEN_LETTER)
    printable = [chr(n) for n in (*range(0x80, 0xD800), *range(0xE000, 0x110000, 7))]
    assert all(bool(seen.match(each)) != bool(hidden.match(each)) for each in printable)


def test_no_hidden_character_passes_the_fast_scan_unseen() -> None:
    hidden = [c for n in range(0x80, 0x110000) if HIDDEN_CLASS.match(c := chr(n))]
    assert len(hidden) > 150
    assert [c for c in hidden if not scan(f"a,b{c}\n".encode(), 2, **SHAPE).unusual] == []


def test_ordinary_letters_leave_the_fast_scan_quiet() -> None:
    assert not scan("".join(f"{name},x\n" for name in SEEN[:4]).encode(), 2, **SHAPE).unusual
