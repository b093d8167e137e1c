"""Merged cells of a spreadsheet: one value is shown for several cells, and only the first has it.

The others are read as blank. Blank means that nobody said anything, and in a column of
opt-outs that lets people's data leave; whether the value was meant for all of them, a
reader cannot know. So a sheet with merged cells is refused, with where they are.

Source: ECMA-376 part 1, 18.3.1.55; OpenDocument 1.3 part 3, 19.676 and 19.678; ADR 0331.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from gateway.intake import Finding

MOST_PLACES: Final = 10
_LETTERS: Final = 26
_AREA: Final = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})(?::([A-Za-z]{1,3})([0-9]{1,7}))?")

Place = tuple[int, int]


@dataclass(slots=True)
class Merged:
    """The merged areas that cover more than one cell of the table; of many, the ten met first.

    `last` is the row and the column, from 0, of the last cell that holds anything.
    """

    last: Place
    count: int = 0
    first: list[tuple[Place, Place]] = field(default_factory=list)

    def add(self, start: Place, end: Place) -> None:
        """Note the area between two cells, both included, as far as it lies in the table."""
        row, column = min(end[0], self.last[0]), min(end[1], self.last[1])
        if row < start[0] or column < start[1] or (row, column) == start:
            return
        self.count += 1
        if len(self.first) < MOST_PLACES:
            self.first.append((start, (row, column)))

    def add_area(self, written: str) -> None:
        """Note an area that is written as in A2:A5.

        Raises:
            ValueError: it is written otherwise.
        """
        found = _AREA.fullmatch(written)
        if found is None:
            raise ValueError("A merged area is not written as one.")
        left, top, right, bottom = found.groups()
        start = (int(top) - 1, column_of(left))
        self.add(start, (int(bottom) - 1, column_of(right)) if right else start)

    def finding(self) -> Finding | None:
        """Say where they are, if there are any."""
        if not self.count:
            return None
        more = self.count - len(self.first)
        areas = [f"{_cell(start)}:{_cell(end)}" for start, end in sorted(self.first)]
        shown = ", ".join(areas) + (f" and {more} more" if more else "")
        return Finding(code="intake/merged-cells", hint=shown)


def column_of(letters: str) -> int:
    """The column that letters such as AB name, counted from 0."""
    number = 0
    for letter in letters.upper():
        number = number * _LETTERS + ord(letter) - ord("A") + 1
    return number - 1


def _cell(place: Place) -> str:
    row, column = place
    letters = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, _LETTERS)
        letters = chr(ord("A") + letter) + letters
    return f"{letters}{row + 1}"
