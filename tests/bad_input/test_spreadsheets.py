"""Spreadsheets: their values come in, their bombs do not."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable, Sequence

import openpyxl
import pytest

from gateway.adapters.checker import Limits
from tests.bad_input.police_extract import NAMES, check, rows

DATES = ("dob", "extract_date", "start", "end")


def book(lines: Sequence[Sequence[object]]) -> bytes:
    made = openpyxl.Workbook()
    sheet = made.active
    for line in (NAMES, *lines):
        sheet.append(list(line))
    extra = made.create_sheet("hidden")
    extra.append(["never", "read"])
    octets = io.BytesIO()
    made.save(octets)
    return octets.getvalue()


def typed_rows(count: int) -> list[list[object]]:
    lines: list[list[object]] = []
    for line in rows(count):
        cells: dict[str, object] = dict(zip(NAMES, line, strict=True))
        for name in DATES:
            cells[name] = dt.datetime.fromisoformat(str(cells[name]))
        cells["count"], cells["arrears"] = 3, 10.5
        cells["nhs"], cells["upn"] = None, None
        lines.append(list(cells.values()))
    return lines


def with_sheet(octets: bytes, change: Callable[[bytes], bytes]) -> bytes:
    source, packed = zipfile.ZipFile(io.BytesIO(octets)), io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            part = source.read(name)
            archive.writestr(name, change(part) if name.endswith("sheet1.xml") else part)
    return packed.getvalue()


def with_rows(more: bytes) -> Callable[[bytes], bytes]:
    return lambda part: part.replace(b"</sheetData>", more + b"</sheetData>")


def cell(place: str, content: bytes) -> bytes:
    row = place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ").encode()
    return b'<row r="' + row + b'"><c r="' + place.encode() + b'" ' + content + b"</c></row>"


def laughs(part: bytes) -> bytes:
    entities = b'<!ENTITY a "ha">' + b"".join(
        b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
    )
    part = part.replace(b"<worksheet", b"<!DOCTYPE x [" + entities + b"]><worksheet", 1)
    return with_rows(cell("A99", b't="inlineStr"><is><t>&j;</t></is>'))(part)


def test_dates_and_numbers_of_a_workbook_come_in_as_the_contract_has_them() -> None:
    verdict = check(book(typed_rows(20)))
    assert (verdict.state, verdict.accepted, verdict.findings) == ("accepted", 20, ())


def test_blank_rows_at_the_end_are_not_rows() -> None:
    blank: list[list[object]] = [[None] * len(NAMES)] * 5
    octets = with_sheet(
        book([*typed_rows(20), *blank]), with_rows(cell("A40", b's="0"/><c r="B40">'))
    )
    assert check(octets).rows == 20


def test_a_number_that_excel_has_rounded_is_a_finding_of_its_own() -> None:
    lines = typed_rows(20)
    lines[4][1] = "9.99E+09"
    lines[5][5] = 45292
    verdict = check(book(lines))
    assert {(found.code, found.column) for found in verdict.findings} >= {
        ("intake/spreadsheet-damage", "nhs"),
        ("intake/spreadsheet-damage", "dob"),
    }


def test_a_formula_is_read_as_its_saved_value_and_text_like_one_is_reported() -> None:
    formula = cell("A30", b"><f>SUM(1,2)</f><v>3</v>")
    verdict = check(with_sheet(book(typed_rows(20)), with_rows(formula)))
    assert verdict.rows > 20
    lines = typed_rows(20)
    lines[3][4] = "+cmd|' /C calc'!A0"
    verdict = check(book(lines))
    assert [found.code for found in verdict.findings] == ["intake/formula-text"]


LOST = {
    "an error": (b't="e"><v>#REF!</v>', ("rejected", "spreadsheet-damage")),
    "an error of a prefix": (b't="e"><v>#N/A</v>', ("rejected", "spreadsheet-damage")),
    "a formula without its result": (
        b"><f>VLOOKUP(A2,B:B,1)</f>",
        ("rejected", "spreadsheet-damage"),
    ),
    "a formula whose result is no text": (b't="str"><f>IF(1,"","")</f><v></v>', ("accepted", "")),
}


@pytest.mark.parametrize("kind", LOST)
def test_a_cell_that_has_lost_its_value_is_never_taken_for_a_blank_one(kind: str) -> None:
    """A look-up of opt-outs that failed is not the silence of the people it was about."""
    content, (state, code) = LOST[kind]
    places = [f"{chr(ord('A') + NAMES.index('sex'))}{row}" for row in range(2, 22)]
    pattern = {place: b'<c r="' + place.encode() + b'"' for place in places}

    def spoil(part: bytes) -> bytes:
        for begin in pattern.values():
            before, _, rest = part.partition(begin)
            after = rest.partition(b"</c>")[2]
            part = before + begin + b" " + content + b"</c>" + after
        if kind.endswith("prefix"):
            part = re.sub(rb"<(/?)(\w)", rb"<\1x:\2", part).replace(b"xmlns=", b"xmlns:x=")
        return part

    verdict = check(with_sheet(book(typed_rows(20)), spoil))
    found = {finding.code.partition("/")[2] for finding in verdict.findings}
    assert (verdict.state, code in found or not code) == (state, True)


def rewritten(octets: bytes, change: Callable[[str, bytes], tuple[str, bytes]]) -> bytes:
    source, packed = zipfile.ZipFile(io.BytesIO(octets)), io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            archive.writestr(*change(name, source.read(name)))
    return packed.getvalue()


def failed_look_up(part: bytes) -> bytes:
    place = f"{chr(ord('A') + NAMES.index('sex'))}2".encode()
    before, begin, rest = part.partition(b'<c r="' + place + b'"')
    return before + begin + b' t="e"><v>#N/A</v></c>' + rest.partition(b"</c>")[2]


def test_the_sheet_of_any_name_is_searched_for_lost_cells() -> None:
    def named(name: str, part: bytes) -> tuple[str, bytes]:
        return name, part.replace(b'name="Sheet"', b'name="over > 18"')

    octets = rewritten(with_sheet(book(typed_rows(20)), failed_look_up), named)
    verdict = check(octets)
    assert "intake/spreadsheet-damage" in {found.code for found in verdict.findings}


def test_a_workbook_that_cannot_be_searched_for_lost_cells_is_not_believed() -> None:
    """What one reader opens and the other does not may hide a look-up that failed."""

    def other_case(name: str, part: bytes) -> tuple[str, bytes]:
        return name.replace("workbook.xml", "Workbook.xml"), part

    octets = rewritten(with_sheet(book(typed_rows(20)), failed_look_up), other_case)
    verdict = check(octets)
    assert verdict.state == "rejected"
    assert [found.code for found in verdict.findings] == ["intake/not-a-spreadsheet"]


BOMBS: dict[str, Callable[[bytes], bytes]] = {
    "a cell of 300 MB": with_rows(
        cell("A99", b't="inlineStr"><is><t>' + b"A" * 300_000_000 + b"</t></is>")
    ),
    "a cell at the last place": with_rows(cell("XFD1048576", b"><v>1</v>")),
    "a billion laughs": laughs,
    "a width of 16,384 columns": with_rows(cell("XFD99", b"><v>1</v>")),
    "rubbish": lambda part: part[: len(part) // 2],
}
ANSWERS = {
    "a cell of 300 MB": {"intake/checker-limit", "intake/cell-too-long"},
    "a cell at the last place": {"intake/checker-limit", "intake/too-many-columns"},
    "a billion laughs": {"intake/not-a-spreadsheet", "intake/checker-limit"},
    "a width of 16,384 columns": {"intake/too-many-columns"},
    "rubbish": {"intake/not-a-spreadsheet"},
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_spreadsheet_bomb_is_rejected_within_its_limits(bomb: str) -> None:
    octets = with_sheet(book(typed_rows(3)), BOMBS[bomb])
    assert len(octets) < 1_000_000
    verdict = check(octets, limits=Limits(memory=700 << 20, wall_seconds=60))
    assert verdict.state == "rejected"
    assert {found.code for found in verdict.findings} <= ANSWERS[bomb]
    assert verdict.findings


def test_a_workbook_of_two_gigabytes_unpacked_stops_at_the_limit() -> None:
    packed = io.BytesIO()
    part = with_rows(cell("A9", b't="inlineStr"><is><t>@</t></is>'))
    octets = with_sheet(book(typed_rows(1)), part)
    source = zipfile.ZipFile(io.BytesIO(octets))
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            before, mark, after = source.read(name).partition(b"@")
            with archive.open(name, "w", force_zip64=True) as out:
                out.write(before)
                for _ in range(2_000 if mark and name.endswith("sheet1.xml") else 0):
                    out.write(b"A" * 1_000_000)
                out.write(after if name.endswith("sheet1.xml") else mark + after)
    verdict = check(packed.getvalue())
    assert verdict.state == "rejected"
    assert [found.code for found in verdict.findings] == ["intake/checker-limit"]
