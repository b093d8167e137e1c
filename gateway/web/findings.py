"""An extract's findings as rows of a table, and its failing rows as a file: no value in either.

Source: style rule 11; docs/reference/contracts.md, "Findings".
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.adapters.failing_rows import failing_rows
from gateway.model import Contract
from gateway.workflows.ports import ExtractRecord

_ROWS_FIRST = re.compile(r"^(Rows? [\d, ]+|\d+ rows(?: \(first [\d, ]+\))?): ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One finding as people read it: where, what is wrong, what to do."""

    code: str
    where: str
    column: str
    rule: str
    rows: int
    sentence: str
    remedy: str


def shown(record: ExtractRecord) -> list[Shown]:
    """Every finding of an extract, the ones that touch most rows first."""
    found = [_shown(each) for each in record.findings]
    return sorted(found, key=lambda each: -each.rows)


def _shown(told: Mapping[str, Any]) -> Shown:
    column = str(told["column"])
    return Shown(
        code=told["code"],
        where=_where(told["rows"], told["first_rows"]),
        column="" if column.startswith("column ") else column,
        rule=told["rule"],
        rows=told["rows"],
        sentence=_ROWS_FIRST.sub("", told["sentence"]),
        remedy=told["remedy"],
    )


def _where(rows: int, first: list[int]) -> str:
    if not rows:
        return "The whole file"
    named = ", ".join(f"{row:,}" for row in first[:5])
    if not named:
        return f"{rows:,} rows"
    if rows <= len(first[:5]):
        return f"Row{'s' if rows > 1 else ''} {named}"
    return f"{rows:,} rows, first {named}"


def rows_file(directory: Path, record: ExtractRecord, contract: Contract) -> Iterator[str]:
    """The failing rows as CSV text, batch by batch: row, column, rule."""
    yield "row,column,rule\r\n"
    for batch in failing_rows(directory, record.id, contract):
        text = io.StringIO(newline="")
        csv.writer(text).writerows(batch)
        yield text.getvalue()
