"""Cells of a spreadsheet whose value is lost: errors, and formulas saved without a result.

The reader gives them as blank cells. Blank means that nobody said anything, and in a
column of opt-outs that lets a person's data leave; a look-up that failed says no such
thing. So each gets the text that a CSV export would show, and the contract judges it.

Source: docs/reference/contracts.md, "Spreadsheets".
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import Final
from xml.parsers import expat

from gateway.adapters.checker_lost_ods import lost_in_ods
from gateway.adapters.checker_lost_xlsx import lost_in_xlsx
from gateway.adapters.checker_merged import Merged, Place

_UNREADABLE: Final = (
    *(zipfile.BadZipFile, zlib.error, expat.ExpatError, struct.error),
    *(KeyError, StopIteration, ValueError, NotImplementedError, RuntimeError, EOFError),
)


def lost_cells(octets: bytes, merged: Merged) -> dict[Place, str]:
    """Say which cells of the first sheet have lost their value, and what to show there.

    Args:
        octets: the whole file, xlsx, ods or xls.
        merged: takes the merged cells of xlsx and ods, which the same pass meets.

    Returns:
        Row and column from 0, and the text; nothing of formulas, only that they are there.

    Raises:
        ValueError: that cannot be told of this file, though another reader may read it.
    """
    try:
        if not octets.startswith(b"PK"):
            return _lost_in_xls(octets)
        with zipfile.ZipFile(io.BytesIO(octets)) as book:
            names = {name.replace("\\", "/").lower() for name in book.namelist()}
            if "xl/workbook.xml" in names:
                return lost_in_xlsx(book, merged)
            return lost_in_ods(book, merged)
    except _UNREADABLE:
        raise ValueError("A sheet cannot be searched for lost cells.") from None


def _lost_in_xls(octets: bytes) -> dict[Place, str]:
    import xlrd

    try:
        # What the library has to say of a file may quote it: nobody reads that.
        book = xlrd.open_workbook(file_contents=octets, on_demand=True, logfile=io.StringIO())
        sheet = book.sheet_by_index(0)
    except (xlrd.XLRDError, xlrd.compdoc.CompDocError, AssertionError, IndexError):
        raise ValueError("It is not a workbook of that kind.") from None
    return {
        (row, column): xlrd.error_text_from_code.get(sheet.cell_value(row, column), "#N/A")
        for row in range(sheet.nrows)
        for column, kind in enumerate(sheet.row_types(row))
        if kind == xlrd.XL_CELL_ERROR
    }
