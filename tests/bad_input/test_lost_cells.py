"""A cell of an older or a free spreadsheet that shows an error is no blank one."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest

from tests.bad_input.old_books import Place, ods, ods_of, xls
from tests.bad_input.police_extract import NAMES, check, rows

SEX = NAMES.index("sex")
CELL = "<table:table-cell {}>{}</table:table-cell>"
FORMULA = 'table:formula="of:=VLOOKUP([.A2];[.B1:.C9];2;0)"'
SHOWN = "<text:p>{}</text:p>"

LOST = {
    "an error that LibreOffice saves as text": CELL.format(
        f'{FORMULA} office:value-type="string" office:string-value="" calcext:value-type="error"',
        SHOWN.format("#N/A"),
    ),
    "an error that LibreOffice saves as nought": CELL.format(
        f'{FORMULA} office:value-type="float" office:value="0" calcext:value-type="error"',
        SHOWN.format("Err:502"),
    ),
    "an error that Excel saves": CELL.format(
        f'{FORMULA} office:value-type="string" office:string-value=""', SHOWN.format("#REF!")
    ),
    "a formula without its result": CELL.format(FORMULA, ""),
}


def lines() -> list[list[str]]:
    return [list(NAMES), *(list(line) for line in rows(20))]


def in_sex(cell: str) -> dict[Place, str]:
    return {(row, SEX): cell for row in range(1, 21)}


def codes(octets: bytes) -> tuple[str, set[str]]:
    verdict = check(octets)
    return verdict.state, {found.code.partition("/")[2] for found in verdict.findings}


@pytest.mark.parametrize("write", [ods, xls])
def test_a_workbook_without_errors_comes_in(write: Callable[[list[list[str]]], bytes]) -> None:
    assert codes(write(lines())) == ("accepted", set())


@pytest.mark.parametrize("kind", LOST)
def test_an_ods_cell_that_lost_its_value_is_never_taken_for_a_blank_one(kind: str) -> None:
    state, found = codes(ods(lines(), in_sex(LOST[kind])))
    assert state == "rejected"
    assert "spreadsheet-damage" in found


def test_an_ods_formula_whose_result_is_an_empty_text_is_a_blank_cell() -> None:
    empty = CELL.format(f'{FORMULA} office:value-type="string" office:string-value=""', "")
    assert codes(ods(lines(), in_sex(empty))) == ("accepted", set())


def test_lost_cells_are_found_where_rows_and_columns_are_repeated() -> None:
    """The fault is told of the rows it is in, though the file writes them once."""
    head, first, *_ = lines()
    cells = "".join(CELL.format('office:value-type="string"', SHOWN.format(cell)) for cell in head)
    row = "".join(
        LOST["an error that Excel saves"]
        if place == SEX
        else CELL.format('office:value-type="string"', SHOWN.format(cell) if cell else "")
        for place, cell in enumerate(first)
    )
    table = (
        f'<table:table table:name="S"><table:table-row>{cells}</table:table-row>'
        f'<table:table-row table:number-rows-repeated="3">{row}</table:table-row></table:table>'
    )
    found = {each.code: each for each in check(ods_of(table)).findings}
    assert found["intake/spreadsheet-damage"].first_rows == (1, 2, 3)


def test_more_lost_cells_than_a_sheet_of_people_has_are_refused_at_once() -> None:
    table = (
        '<table:table table:name="S"><table:table-row table:number-rows-repeated="1048576">'
        f'<table:table-cell {FORMULA} table:number-columns-repeated="16384"/>'
        "</table:table-row></table:table>"
    )
    state, found = codes(ods_of(table))
    assert state == "rejected"
    assert found <= {"not-a-spreadsheet", "checker-limit", "too-many-columns", "empty"}


def test_only_the_first_sheet_is_searched() -> None:
    whole = ods(lines())
    error = LOST["an error that Excel saves"]
    other = f"<table:table><table:table-row>{error * 9}</table:table-row></table:table>"
    assert codes(whole)[0] == "accepted"
    content = zipfile.ZipFile(io.BytesIO(whole)).read("content.xml").decode()
    table = content[content.index("<table:table ") : content.index("</office:spreadsheet>")]
    assert codes(ods_of(table + other)) == ("accepted", set())


@pytest.mark.parametrize("formula", [False, True])
def test_an_xls_cell_that_shows_an_error_is_never_taken_for_a_blank_one(formula: bool) -> None:
    errors = {(row, SEX): 0x2A for row in range(1, 21)}
    state, found = codes(xls(lines(), errors, formula=formula))
    assert state == "rejected"
    assert "spreadsheet-damage" in found


def test_an_xls_that_is_cut_short_is_no_spreadsheet() -> None:
    whole = xls(lines())
    for part in (600, 2000, len(whole) // 2):
        assert codes(whole[:part]) == ("rejected", {"not-a-spreadsheet"})


def test_a_sheet_whose_first_row_is_blank_is_told_of_its_header() -> None:
    blank = [""] * len(NAMES)
    assert codes(ods([blank, *lines()])) == ("rejected", {"header-not-first"})
    assert codes(ods([blank] * 11 + lines())) == ("rejected", {"header-malformed"})
    assert codes(ods([blank])) == ("rejected", {"empty"})
