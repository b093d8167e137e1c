"""Cells of an ods sheet whose value is lost: errors and formulas without their result.

LibreOffice saves an error as an empty text or as nought, with the error as it is shown
beside it; other programs save a formula with nothing at all.

Source: OpenDocument 1.3 part 3, 9.1 and 19.385.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from gateway.adapters.checker_lost_xlsx import ERROR, UNSAVED
from gateway.adapters.checker_merged import Merged, Place

MOST: Final = 1 << 20
_PIECE: Final = 1 << 20
_TABLE: Final = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
_OFFICE: Final = "urn:oasis:names:tc:opendocument:xmlns:office:1.0 "
_NUMBERED: Final = re.compile(r"Err:[0-9]{3}")
_CELLS: Final = frozenset({_TABLE + "table-cell", _TABLE + "covered-table-cell"})
_VALUES: Final = tuple(
    _OFFICE + name
    for name in ("value", "string-value", "date-value", "time-value", "boolean-value")
)


def lost_in_ods(book: zipfile.ZipFile, merged: Merged) -> dict[Place, str]:
    """Find them in the first sheet, and note its merged cells.

    Raises:
        KeyError, ValueError, expat.ExpatError, zipfile.BadZipFile: it is no such workbook,
            or more than `MOST` cells are lost.
    """
    seen = _Seen(merged)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = seen.start
    parser.EndElementHandler = seen.end
    parser.CharacterDataHandler = seen.text
    with book.open("content.xml") as sheet:
        while piece := sheet.read(_PIECE):
            parser.Parse(piece)
    return seen.lost


@dataclass(slots=True)
class _Seen:
    """Where in the first sheet the parser is, and what was lost so far."""

    merged: Merged
    lost: dict[Place, str] = field(default_factory=dict, repr=False)
    depth: int = 0
    over: bool = False
    row: int = 0
    rows: int = 1
    column: int = 0
    columns: int = 1
    formula: bool = False
    empty: bool = False
    error: bool = False
    shown: str = field(default="", repr=False)

    def start(self, name: str, said: dict[str, str]) -> None:
        if self.over:
            return
        if name == _TABLE + "table":
            self.depth += 1
        elif self.depth != 1:
            return
        elif name == _TABLE + "table-row":
            self.rows = _number(said, "rows-repeated")
            self.column = 0
        elif name in _CELLS:
            self.columns = _number(said, "columns-repeated")
            self._merge(said)
            self.formula = _TABLE + "formula" in said
            self.empty = not any(value in said for value in _VALUES)
            self.error = any(
                key.endswith(" value-type") and kind == "error" for key, kind in said.items()
            )
            self.shown = ""

    def text(self, part: str) -> None:
        self.shown += part if self.formula or self.error else ""

    def end(self, name: str) -> None:
        if name == _TABLE + "table":
            self.depth -= 1
            self.over = self.over or self.depth == 0
        elif self.over or self.depth != 1:
            return
        elif name == _TABLE + "table-row":
            self.row += self.rows
        elif name in _CELLS:
            shown = self.shown.strip()
            named = ERROR.fullmatch(shown) is not None
            unsaved = self.empty and not shown
            if self.error or (self.formula and (unsaved or named or _NUMBERED.fullmatch(shown))):
                self._lose(shown if named else UNSAVED)
            self.column += self.columns
            self.formula = self.error = False

    def _merge(self, said: dict[str, str]) -> None:
        """Note the area of a cell; one that is repeated tells of the first, which lies highest."""
        rows, columns = _number(said, "rows-spanned"), _number(said, "columns-spanned")
        if rows > 1 or columns > 1:
            start = (self.row, self.column)
            self.merged.add(start, (self.row + rows - 1, self.column + columns - 1))

    def _lose(self, text: str) -> None:
        if len(self.lost) + self.rows * self.columns > MOST:
            raise ValueError("More cells are lost than a sheet of people has.")
        for row in range(self.row, self.row + self.rows):
            for column in range(self.column, self.column + self.columns):
                self.lost[row, column] = text


def _number(said: dict[str, str], what: str) -> int:
    return max(1, int(said.get(f"{_TABLE}number-{what}", "1")))
