"""Cells of an xlsx sheet whose value is lost: errors and formulas without their result.

Source: ECMA-376 part 1, 18.3.1.4 and 18.18.11.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from gateway.adapters.checker_merged import Merged, Place, column_of

UNSAVED: Final = "#N/A"
ERROR: Final = re.compile(r"#[A-Z0-9_/]{2,20}[!?]?")
_PIECE: Final = 1 << 20
# A text that a formula gave may be empty, and one within the cell stands elsewhere.
_TEXTS: Final = frozenset({"str", "inlineStr"})


def lost_in_xlsx(book: zipfile.ZipFile, merged: Merged) -> dict[Place, str]:
    """Find them in the first sheet, and note its merged cells.

    Raises:
        KeyError, StopIteration, ValueError, expat.ExpatError, zipfile.BadZipFile: it is no
            such workbook.
    """
    return _read(book, _first_sheet(book), merged)


def _first_sheet(book: zipfile.ZipFile) -> str:
    sheets = _elements(book.read("xl/workbook.xml"), "sheet")
    wanted = next(value for name, value in next(sheets).items() if name.endswith(" id"))
    for link in _elements(book.read("xl/_rels/workbook.xml.rels"), "Relationship"):
        if link.get("Id") == wanted:
            path = posixpath.join("/xl", link["Target"])
            return posixpath.normpath(path).lstrip("/")
    raise KeyError("sheet")


def _elements(part: bytes, tag: str) -> Iterator[dict[str, str]]:
    """The attributes of each element of this name, in their order."""
    found: list[dict[str, str]] = []

    def start(name: str, said: dict[str, str]) -> None:
        if name.rpartition(" ")[2] == tag:
            found.append(said)

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = start
    parser.Parse(part, True)
    return iter(found)


def _read(book: zipfile.ZipFile, name: str, merged: Merged) -> dict[Place, str]:
    seen = _Seen(merged)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = seen.start
    parser.EndElementHandler = seen.end
    parser.CharacterDataHandler = seen.text
    with book.open(name) as sheet:
        while piece := sheet.read(_PIECE):
            parser.Parse(piece)
    return seen.lost


@dataclass(slots=True)
class _Seen:
    """Where in the sheet the parser is, and what was lost so far."""

    merged: Merged
    lost: dict[Place, str] = field(default_factory=dict, repr=False)
    row: int = -1
    column: int = -1
    kind: str = ""
    formula: bool = False
    inside: bool = False
    value: str = field(default="", repr=False)

    def start(self, name: str, said: dict[str, str]) -> None:
        tag = name.rpartition(" ")[2]
        if tag == "row":
            self.row = int(said["r"]) - 1 if said.get("r", "").isdecimal() else self.row + 1
            self.column = -1
        elif tag == "c":
            self.column = _column(said.get("r", ""), self.column + 1)
            self.kind, self.formula, self.value = said.get("t", "n"), False, ""
        elif tag == "f":
            self.formula = True
        elif tag == "v":
            self.inside = True
        elif tag == "mergeCell":
            self.merged.add_area(said.get("ref", ""))

    def text(self, part: str) -> None:
        if self.inside:
            self.value += part

    def end(self, name: str) -> None:
        tag = name.rpartition(" ")[2]
        if tag == "v":
            self.inside = False
        elif tag == "c" and self.kind == "e":
            shown = self.value.strip()
            self.lost[self.row, self.column] = shown if ERROR.fullmatch(shown) else UNSAVED
        elif tag == "c" and self.formula and self.kind not in _TEXTS and not self.value.strip():
            self.lost[self.row, self.column] = UNSAVED


def _column(reference: str, following: int) -> int:
    """The column of a reference such as AB12, counted from 0; without one, the next."""
    letters = reference.rstrip("0123456789")
    if not (letters.isascii() and letters.isalpha() and len(letters) <= 3):
        return following
    return column_of(letters)
