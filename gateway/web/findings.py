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
from gateway.model.extracts import ExtractRecord
from gateway.web.asking import form_of

_ROWS_FIRST = re.compile(r"^(Rows? [\d, ]+|\d+ rows?(?: \(first [\d, ]+\))?): ")

_COLUMN_FIRST = re.compile(r"^Column [^:]+: ")
# What became of the file as a whole; it is said above the table.
VERDICTS = frozenset({"intake/rows-failing-reject", "intake/rows-failing-hold"})


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
    agreed: str


def shown(record: ExtractRecord, contract: Contract | None) -> list[Shown]:
    """Every finding of an extract, the ones that touch most rows first.

    Args:
        record: the extract's receipt.
        contract: what it was checked against; says how each column is to be written.
    """
    forms = {each.name: form_of(each) for each in contract.columns} if contract else {}
    found = [_shown(each, forms) for each in record.findings if each["code"] not in VERDICTS]
    return sorted(found, key=lambda each: -each.rows)


def failing(record: ExtractRecord) -> int:
    """How many rows have faults, where the whole file was turned away for it."""
    return sum(each["rows"] for each in record.findings if each["code"] in VERDICTS)


def _shown(told: Mapping[str, Any], forms: Mapping[str, str]) -> Shown:
    column, rule = str(told["column"]), str(told["rule"])
    return Shown(
        code=told["code"],
        where=_where(told["rows"], told["first_rows"]),
        column=column,
        # A rule of one column is named after it and says no more than the sentence.
        rule="" if rule.startswith(f"{column}.") else rule,
        rows=told["rows"],
        sentence=said(told["sentence"]),
        remedy=told["remedy"],
        agreed=forms.get(column, ""),
    )


def said(sentence: str) -> str:
    """A finding's sentence without the rows and the column: the table has these beside it."""
    told = _COLUMN_FIRST.sub("", _ROWS_FIRST.sub("", sentence))
    return told[:1].upper() + told[1:]


def _where(rows: int, first: list[int]) -> str:
    if not rows:
        return "The whole file"
    named = ", ".join(f"{row:,}" for row in first[:5])
    if not named:
        return f"{rows:,} row{'s' if rows > 1 else ''}"
    if rows <= len(first[:5]):
        return f"Row{'s' if rows > 1 else ''} {named}"
    return f"{rows:,} rows, first {named}"


def rows_file(directory: Path, record: ExtractRecord) -> Iterator[str]:
    """The failing rows as CSV text, batch by batch: row, column, rule."""
    yield "row,column,rule\r\n"
    for batch in failing_rows(directory, record.id):
        text = io.StringIO(newline="")
        csv.writer(text).writerows(batch)
        yield text.getvalue()
