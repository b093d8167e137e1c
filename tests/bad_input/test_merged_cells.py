"""Merged cells hold one value for many rows: no sheet comes in with the rest of them blank."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import openpyxl
import pytest

from tests.bad_input.old_books import Place, ods, ods_of, xls
from tests.bad_input.police_extract import NAMES, check, rows
from tests.bad_input.test_spreadsheets import book, with_sheet

SEX = NAMES.index("sex")
LETTER = chr(ord("A") + SEX)
Area = tuple[Place, Place]
FIVE: list[Area] = [((row, SEX), (row + 3, SEX)) for row in (1, 5, 9, 13, 17)]


def lines(merged: Sequence[Area]) -> list[list[str]]:
    """Twenty rows; of merged cells all but the first are blank, as spreadsheets save them."""
    table = [list(NAMES), *(list(line) for line in rows(20))]
    for start, end in merged:
        for row in range(start[0], min(end[0], 20) + 1):
            for column in range(start[1], min(end[1], len(NAMES) - 1) + 1):
                if (row, column) != start:
                    table[row][column] = ""
    return table


def merged_xlsx(merged: Sequence[Area]) -> bytes:
    made = openpyxl.Workbook()
    sheet = made.active
    for line in lines(merged):
        sheet.append(line)
    for (top, left), (bottom, right) in merged:
        sheet.merge_cells(
            start_row=top + 1, end_row=bottom + 1, start_column=left + 1, end_column=right + 1
        )
    octets = io.BytesIO()
    made.save(octets)
    return octets.getvalue()


def merged_ods(merged: Sequence[Area]) -> bytes:
    table = lines(merged)
    instead = {}
    for start, end in merged:
        for row in range(start[0], min(end[0], 20) + 1):
            for column in range(start[1], min(end[1], len(NAMES) - 1) + 1):
                instead[row, column] = "<table:covered-table-cell/>"
        spans = (
            f'table:number-rows-spanned="{end[0] - start[0] + 1}" '
            f'table:number-columns-spanned="{end[1] - start[1] + 1}"'
        )
        text = table[start[0]][start[1]] if start[0] < len(table) else ""
        instead[start] = (
            f'<table:table-cell {spans} office:value-type="string">'
            f"<text:p>{text}</text:p></table:table-cell>"
        )
    return ods(table, instead)


def merged_xls(merged: Sequence[Area]) -> bytes:
    return xls(lines(merged), merged=merged)


KINDS = [merged_xlsx, merged_ods, merged_xls]
Write = Callable[[Sequence[Area]], bytes]


def told(octets: bytes) -> tuple[str, dict[str, str]]:
    verdict = check(octets)
    return verdict.state, {found.code: found.hint for found in verdict.findings}


@pytest.mark.parametrize("write", KINDS)
def test_merged_cells_reject_the_file_and_are_told_by_their_place(write: Write) -> None:
    areas = ", ".join(f"{LETTER}{row}:{LETTER}{row + 3}" for row in (2, 6, 10, 14, 18))
    assert told(write(FIVE)) == ("rejected", {"intake/merged-cells": areas})


@pytest.mark.parametrize("write", KINDS)
def test_cells_merged_across_are_found_too(write: Write) -> None:
    state, found = told(write([((3, 0), (3, 1))]))
    assert (state, found["intake/merged-cells"]) == ("rejected", "A4:B4")


@pytest.mark.parametrize("write", KINDS)
def test_a_merged_name_of_a_column_is_found_too(write: Write) -> None:
    state, found = told(write([((0, 0), (0, 1))]))
    assert (state, found["intake/merged-cells"]) == ("rejected", "A1:B1")


@pytest.mark.parametrize("write", KINDS)
def test_of_many_merged_cells_ten_are_told_and_the_rest_counted(write: Write) -> None:
    many = [((row, SEX), (row, SEX + 1)) for row in range(1, 16)]
    _, found = told(write(many))
    hint = found["intake/merged-cells"]
    assert hint.count(":") == 10
    assert hint.endswith(" and 5 more")


@pytest.mark.parametrize("write", [merged_xlsx, merged_xls])
def test_merged_cells_beside_and_below_the_table_are_let_be(write: Write) -> None:
    beside = ((2, len(NAMES) + 1), (9, len(NAMES) + 3))
    below = ((21, 0), (30, 4))
    # The last row of the table with blank rows below it: nobody's value is lost.
    last = ((20, SEX), (25, SEX))
    assert told(write([beside, below, last])) == ("accepted", {})


def test_merged_ods_cells_below_the_table_are_let_be() -> None:
    assert told(merged_ods([((20, SEX), (25, SEX))])) == ("accepted", {})


def test_merged_cells_of_repeated_rows_are_found() -> None:
    row = "".join(
        f'<table:table-cell {spans} office:value-type="string">'
        "<text:p>x</text:p></table:table-cell>"
        for spans in ('table:number-columns-spanned="2"', "")
    )
    table = (
        '<table:table table:name="S"><table:table-row table:number-rows-repeated="3">'
        f"{row}</table:table-row></table:table>"
    )
    assert told(ods_of(table))[1]["intake/merged-cells"] == "A1:B1"


def merges(*refs: bytes) -> Callable[[bytes], bytes]:
    each = b"".join(b'<mergeCell ref="' + ref + b'"/>' for ref in refs)
    end = b"</sheetData>"
    return lambda part: part.replace(end, end + b"<mergeCells>" + each + b"</mergeCells>")


@pytest.mark.parametrize("ref", [b"B2", b"B2:B2", b"b2:b2"])
def test_a_merged_area_of_one_cell_is_none(ref: bytes) -> None:
    whole = book([list(line) for line in rows(20)])
    assert told(with_sheet(whole, merges(ref))) == ("accepted", {})


@pytest.mark.parametrize("ref", [b"", b"B:B", b"2:5", b"B2:B", b"Jones:B5", b"B2:B99999999"])
def test_a_merged_area_that_is_not_written_as_one_refuses_the_file(ref: bytes) -> None:
    whole = book([list(line) for line in rows(20)])
    state, found = told(with_sheet(whole, merges(ref)))
    assert (state, set(found)) == ("rejected", {"intake/not-a-spreadsheet"})


def test_a_hundred_thousand_merged_cells_are_counted_and_ten_kept() -> None:
    whole = book([list(line) for line in rows(20)])
    state, found = told(with_sheet(whole, merges(*[b"A2:B3"] * 100_000)))
    assert state == "rejected"
    assert found["intake/merged-cells"].endswith(" and 99990 more")
