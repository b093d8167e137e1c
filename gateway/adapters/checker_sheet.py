"""Spreadsheets through a stripping reader: the first sheet, its values, nothing else.

Formulas are read as the values that were saved with them; macros, further sheets,
styles and links are never looked at. A cell that the spreadsheet holds as a date
is written in the contract's form; a number is written in plain notation, so that
what Excel has done to an identifier shows as what it is. Runs in the checker only.

Source: security point 13; docs/reference/contracts.md, "Spreadsheets".
"""

from __future__ import annotations

import datetime as dt
import io
import struct
import zipfile
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Final

import polars as pl
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from gateway import intake
from gateway.adapters.checker_blocks import BLANKS, LONGEST_CELL, Block
from gateway.adapters.checker_lost_cells import lost_cells
from gateway.adapters.checker_merged import Merged, Place
from gateway.intake import LINES_BELOW, Fault, Finding, Header
from gateway.model import Contract

ROWS_AT_ONCE: Final = 10_000
LARGEST_WORKBOOK: Final = 64 << 20

Cell = object
Row = Sequence[Cell]


def read_sheet(
    octets: bytes, contract: Contract, *, known: Collection[str]
) -> Finding | tuple[Header, Iterator[Block]]:
    """Open a workbook and give its header and its rows as blocks of text columns.

    Args:
        octets: the whole xlsx, xls or ods file.
        contract: what it must follow.
        known: column names of all published contracts.
    """
    if len(octets) > LARGEST_WORKBOOK:
        return Finding(code="intake/checker-limit", hint="spreadsheet size")
    try:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(octets)).get_sheet_by_index(0)
        merged = _merged_in_xls(sheet, octets)
        lost = lost_cells(octets, merged)
    except (CalamineError, OSError, ValueError, IndexError):
        return _no_spreadsheet(octets)
    if sheet.width > intake.MOST_COLUMNS:
        return Finding(code="intake/too-many-columns", hint=str(intake.MOST_COLUMNS))
    opened = _opened(_rows(sheet, lost), contract, known)
    found = merged.finding()
    if found is None or isinstance(opened, Finding):
        return opened
    header, blocks = opened
    return replace(header, findings=(found, *header.findings)), blocks


def _no_spreadsheet(octets: bytes) -> Finding:
    """Say that it is an archive of other files, where it is a sound one without a workbook."""
    try:
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            held = {name.replace("\\", "/").lower() for name in archive.namelist()}
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, struct.error):
        held = set()
    if held and not any(name == "content.xml" or name.startswith("xl/") for name in held):
        return Finding(code="intake/not-text", hint="a zip archive")
    return Finding(code="intake/not-a-spreadsheet")


def _merged_in_xls(sheet: CalamineSheet, octets: bytes) -> Merged:
    """What the reader knows of merged cells in xls; the other kinds are searched for them."""
    merged = Merged(last=sheet.end or (0, 0))
    if not octets.startswith(b"PK"):
        for start, end in sheet.merged_cell_ranges or ():
            merged.add(start, end)
    return merged


def _rows(sheet: CalamineSheet, lost: dict[Place, str]) -> Iterator[Row]:
    """The rows, with a text where a cell has lost its value: blank would mean silence."""
    left = sheet.start[1] if sheet.start else 0
    rows = {row for row, _ in lost}
    for number, row in enumerate(sheet.iter_rows()):
        if number in rows:
            yield [lost.get((number, left + place), cell) for place, cell in enumerate(row)]
        else:
            yield row


def _opened(
    rows: Iterator[Row], contract: Contract, known: Collection[str]
) -> Finding | tuple[Header, Iterator[Block]]:
    first: Row = next(rows, ())
    ahead = list(islice(rows, LINES_BELOW))
    rows = chain(ahead, rows)
    below = intake.below_first(([str(cell) for cell in row] for row in ahead), contract)
    if not any(cell != "" for cell in first):
        if below is not None:
            return below
        filled = any(cell != "" for row in rows for cell in row)
        return Finding(code="intake/header-malformed" if filled else "intake/empty")
    names = [
        str(cell) if cell != "" else f"unnamed column {place + 1}"
        for place, cell in enumerate(first)
    ]
    header = intake.match_header(names, contract, known=known)
    if below is not None and not header.places:
        return below
    return header, _blocks(_without_last_blanks(rows), header, contract)


def _blocks(rows: Iterator[Row], header: Header, contract: Contract) -> Iterator[Block]:
    while batch := list(islice(rows, ROWS_AT_ONCE)):
        faults = tuple(_faults(batch))
        yield Block(frame=_frame(batch, header, contract), faults=faults)


def _frame(batch: Sequence[Row], header: Header, contract: Contract) -> pl.DataFrame:
    places = dict(header.places)
    columns = {}
    for column in contract.columns:
        write = _writer(column.date_forms[0] if column.type == "date" else "%Y-%m-%d")
        place = places.get(column.name)
        cells = [None] * len(batch) if place is None else [write(row[place]) for row in batch]
        text = pl.Series(column.name, cells, pl.String).str.strip_chars(BLANKS)
        columns[column.name] = text.set(text == "", None)
    return pl.DataFrame(columns)


def _writer(date_form: str) -> Callable[[Cell], str | None]:
    def write(cell: Cell) -> str | None:
        if isinstance(cell, bool):
            return "TRUE" if cell else "FALSE"
        if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        if isinstance(cell, dt.datetime):
            plain = cell.time() == dt.time()
            return cell.strftime(date_form) if plain else cell.isoformat(" ")
        if isinstance(cell, dt.date):
            return cell.strftime(date_form)
        return str(cell) or None

    return write


def _without_last_blanks(rows: Iterator[Row]) -> Iterator[Row]:
    """Leave out blank rows at the end, which spreadsheets keep for their formatting."""
    blank: list[Row] = []
    for row in rows:
        if any(cell != "" for cell in row):
            yield from chain(blank, (row,))
            blank = []
        else:
            blank.append(row)


def _faults(batch: Sequence[Row]) -> Iterator[tuple[Fault, str]]:
    texts = [
        (place, cell) for place, row in enumerate(batch) for cell in row if isinstance(cell, str)
    ]
    long = [place for place, cell in texts if len(cell) > LONGEST_CELL]
    if long:
        yield _fault("intake/cell-too-long", long), str(LONGEST_CELL)
    nul = [place for place, cell in texts if "\0" in cell]
    if nul:
        yield _fault("intake/nul", nul), ""


def _fault(code: str, places: list[int]) -> Fault:
    rows = sorted(set(places))
    return Fault(code=code, count=len(rows), first=tuple(rows[:10]))
