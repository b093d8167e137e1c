"""Broken files of every kind: each gets its code, its sentence and its remedy, and no value."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import pytest

from gateway.intake import Verdict, remedy, sentence
from gateway.model import RowRule
from tests.bad_input.police_extract import NAMES, POLICE, check, row, rows, text


def changed(number: int, **changes: str) -> bytes:
    lines = rows(30)
    lines[number - 1] = row(number - 1, **changes)
    return text(lines)


GOOD = text(rows(30))
LINES = GOOD.splitlines(keepends=True)

REJECTED: dict[str, tuple[bytes, str, tuple[int, ...]]] = {
    "empty": (b"", "intake/empty", ()),
    "blank": (b"\n\n\n", "intake/empty", ()),
    "header only": (LINES[0], "intake/no-rows", ()),
    "truncated in a row": (GOOD[:-40], "intake/truncated", (30,)),
    "truncated in quotes": (changed(30, surname='"Test')[:-30], "intake/quote-open", (30,)),
    "wrong delimiter": (GOOD.replace(b",", b";"), "intake/delimiter", ()),
    "latin-1 undeclared": (changed(7, surname="Zo\udceb"), "intake/encoding", (7,)),
    "utf-16": (GOOD.decode().encode("utf-16-le"), "intake/utf-16", ()),
    "utf-32": (GOOD.decode().encode("utf-32"), "intake/not-text", ()),
    "nul": (changed(7, surname="a\0b"), "intake/nul", (7,)),
    "nul in the header": (b"\0" + GOOD, "intake/nul", ()),
    "bare return": (changed(7, surname="a\rb"), "intake/bare-return", (7,)),
    "old mac line ends": (GOOD.replace(b"\n", b"\r"), "intake/bare-return", ()),
    "ragged": (changed(7, surname="a,b"), "intake/row-width", (7,)),
    "one field too many": (
        LINES[0] + b"".join(line.replace(b"\n", b",\n") for line in LINES[1:]),
        "intake/row-width",
        tuple(range(1, 11)),
    ),
    "blank lines at the end only": (LINES[0] + b"\n\r\n\n", "intake/no-rows", ()),
    "blank line": (LINES[0] + b"\n" + b"".join(LINES[1:]), "intake/row-width", (1,)),
    "stray quote": (changed(7, surname='a"b'), "intake/quote-stray", (7,)),
    "duplicate header": (GOOD.replace(b"sex", b"Surname", 1), "intake/header-duplicate", ()),
    "look-alike header": (
        GOOD.replace(b"postcode", "p\u043estcode".encode(), 1),
        "intake/header-look-alike",
        (),
    ),
    "headerless": (b"".join(LINES[1:]), "intake/headerless", ()),
    "column missing": (GOOD.replace(b"surname", b"family", 1), "intake/column-missing", ()),
    "10 MB cell": (changed(7, surname="x" * 10_000_000), "intake/cell-too-long", (7,)),
    "30 MB quoted cell": (
        changed(7, surname='"' + "x" * 30_000_000 + '"'),
        "intake/quote-open",
        (7,),
    ),
    "100,000 columns": (
        b",".join(b"c%d" % n for n in range(100_000)) + b"\n",
        "intake/too-many-columns",
        (),
    ),
    "10,000,000 columns": (b"a," * 10_000_000 + b"\n", "intake/too-many-columns", ()),
    "gzip": (b"\x1f\x8b\x08" + b"x" * 80, "intake/not-text", ()),
    "pdf": (b"%PDF-1.7" + b"x" * 80, "intake/not-text", ()),
    "a zip that is no workbook": (b"PK\x03\x04" + b"x" * 80, "intake/not-a-spreadsheet", ()),
}


@pytest.mark.parametrize("case", REJECTED)
def test_a_file_with_broken_structure_is_rejected_with_its_reason(case: str) -> None:
    octets, code, first = REJECTED[case]
    verdict = check(octets)
    assert verdict.state == "rejected"
    found = {each.code: each for each in verdict.findings}
    assert code in found, found
    assert found[code].first_rows == first
    assert (verdict.accepted, verdict.quarantined) == (0, 0)
    for each in verdict.findings:
        assert sentence(each).endswith(".")
        assert remedy(each)


VALUES: dict[str, tuple[dict[str, str], str]] = {
    "dates of another form": ({"dob": "03.02.1990"}, "intake/date-form"),
    "an impossible day": ({"dob": "2001-02-29"}, "intake/date-malformed"),
    "a day number": ({"dob": "45292"}, "intake/spreadsheet-damage"),
    "a birth before 1900": ({"dob": "1899-12-31"}, "intake/date-out-of-range"),
    "an exponent in a date": ({"dob": "4.5E+04"}, "intake/spreadsheet-damage"),
    "a formula": ({"surname": '=HYPERLINK("x")'}, "intake/quote-stray"),
    "a formula in quotes": ({"surname": '"=HYPERLINK(""x"")"'}, "intake/formula-text"),
    "a homoglyph name": ({"surname": "Test\u0441ase"}, "intake/mixed-script"),
    "a code in lower case": ({"class": "da"}, "intake/code-unknown"),
    "a number with a thousands mark": ({"arrears": '"1,000"'}, "intake/number-malformed"),
    "a number out of range": ({"count": "141"}, "intake/out-of-range"),
    "a control character": ({"surname": "a\x07b"}, "intake/text-malformed"),
    "a blank name": ({"surname": "   "}, "intake/value-missing"),
    "a very long name": ({"surname": "x" * 61}, "intake/text-too-long"),
    "a name without letters": ({"surname": "???"}, "intake/not-usable"),
    "a placeholder birth": ({"dob": "1901-01-01"}, "intake/not-usable"),
    "an end before its start": ({"end": "2024-01-01"}, "intake/rule-broken"),
}


@pytest.mark.parametrize("case", VALUES)
def test_a_wrong_value_is_found_by_row_and_rule(case: str) -> None:
    changes, code = VALUES[case]
    verdict = check(changed(7, **changes))
    found = {each.code: each for each in verdict.findings}
    assert code in found, found
    assert found[code].first_rows == (7,)


@pytest.mark.parametrize(
    "damaged", ["1.23457E+12", "9.99E+09", "9990000018.0", "#REF!", "99900018"]
)
def test_what_excel_did_to_numbers_is_its_own_finding(damaged: str) -> None:
    lines = [row(n, nhs="99900000" + pair) for n, pair in enumerate(("18", "26", "34", "42"))]
    verdict = check(text([*lines, row(9, nhs=damaged)]))
    assert [each.code for each in verdict.findings] == ["intake/spreadsheet-damage"]
    assert "CSV" in remedy(verdict.findings[0])


@pytest.mark.parametrize("damaged", ["1.23457E+12", "A00112345678.0"])
def test_what_excel_did_to_a_upn_is_its_own_finding(damaged: str) -> None:
    verdict = check(changed(7, upn=damaged))
    codes = {each.code for each in verdict.findings}
    assert codes & {"intake/spreadsheet-damage", "intake/identifier-invalid"}


def test_no_finding_says_a_value() -> None:
    canary = "Canaryname"
    lines = rows(30)
    lines[6] = row(
        6, surname=canary + "\u0430", nhs="4010232137", postcode="CANARYPC", dob="x-canary"
    )
    verdict: Verdict = check(text(lines, [*NAMES[:-1], canary]))
    said = str(verdict.document()) + "".join(map(sentence, verdict.findings))
    for value in (canary, "4010232137", "CANARYPC", "x-canary", "Testcase"):
        assert value not in said


def test_crlf_bom_and_a_missing_last_line_end_are_no_faults() -> None:
    octets = b"\xef\xbb\xbf" + GOOD.replace(b"\n", b"\r\n")[:-2]
    verdict = check(octets)
    assert (verdict.state, verdict.findings) == ("accepted", ())


def test_a_zip_of_300_mb_of_zeros_is_rejected_and_nothing_is_harmed() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("extract.csv", b"0" * 300_000_000)
    verdict = check(packed.getvalue())
    assert [(each.code, each.hint) for each in verdict.findings] == [
        ("intake/not-text", "a zip archive")
    ]


@pytest.mark.parametrize(
    "change", [{"nhs": "9990000018"}, {"nhs": "999 000 0026"}], ids=["plain", "spaced"]
)
def test_a_test_number_of_a_resident_is_told_as_one(change: dict[str, str]) -> None:
    residents = replace(POLICE, population="residents")
    lines = [row(number, nhs="") for number in range(30)]
    lines[6] = row(6, **change)
    lines[8] = row(8, nhs="9990000019")
    found = {each.code: each.first_rows for each in check(text(lines), residents).findings}
    assert found["intake/test-number"] == (7,)
    assert found["intake/identifier-invalid"] == (9,)


@pytest.mark.parametrize(
    ("above", "line"),
    [
        (b"sep=,\n", "2"),
        (b"Incidents of the police,,\n\n", "3"),
        (b"Extract of,2026-11-01\r\n", "2"),
        (b"\n" * 8, "9"),
        (b"\n" * 9, "10"),
    ],
)
def test_names_of_columns_that_are_not_on_the_first_line_are_pointed_at(
    above: bytes, line: str
) -> None:
    found = [(each.code, each.hint) for each in check(above + GOOD).findings]
    assert found == [("intake/header-not-first", line)]


@pytest.mark.parametrize("above", [b"\n" * 10, b"a title,sex\n"])
def test_names_of_columns_too_far_below_or_below_another_header_are_not_looked_for(
    above: bytes,
) -> None:
    codes = {each.code for each in check(above + GOOD).findings}
    assert "intake/column-missing" in codes
    assert "intake/header-not-first" not in codes


def test_a_tolerated_rule_that_asks_every_row_is_held_by_its_share_of_rows() -> None:
    rule = RowRule(
        name="reachable", form="one-of-present", columns=("nhs", "postcode"), tolerated=0.2
    )
    contract = replace(POLICE, rules=(rule,))
    few, many = (
        text([row(n, postcode="" if n < missing else "ZA1 1AA") for n in range(30)])
        for missing in (6, 7)
    )
    assert check(few, contract).state == "accepted"
    held = check(many, contract)
    assert held.findings[0].code == "intake/tolerance-exceeded"
    assert held.state == "quarantined"
