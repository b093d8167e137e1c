"""Every finding of intake: its stable code, its sentence and its remedy, in one table.

Programs read codes, people read sentences. A sentence names rows, columns of the
contract and rules, never a value of the file. The reference is made from this
table and a test compares them.

Source: style rule 11; docs/reference/contracts.md.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Final

OR_EMPTY: Final = " or leave the field empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One kind of trouble in one column: how many rows, and the first of them.

    Rows count records after the header from 1; a quoted newline does not end
    one. `hint` is a word of ours (a delimiter's name, a contract column's name,
    a byte offset), never a value of the file.
    """

    code: str
    column: str = ""
    rule: str = ""
    rows: int = 0
    first_rows: tuple[int, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a code says. `{column}`, `{rule}` and `{hint}` are filled in."""

    sentence: str
    remedy: str

    @property
    def remedy_if_required(self) -> str:
        """The remedy without the empty field: that would be a fault of the next file."""
        return self.remedy.replace(OR_EMPTY, "")


def _says(sentence: str, remedy: str) -> Meaning:
    return Meaning(sentence=sentence, remedy=remedy)


CODES: Final[dict[str, Meaning]] = {
    # The file as a whole.
    "intake/empty": _says("The file is empty.", "Export the extract again and send it."),
    "intake/no-rows": _says(
        "The file has a header and no rows.",
        "Send the rows; if there are none this time, tell the council instead.",
    ),
    "intake/utf-16": _says(
        "The file is UTF-16 text, which the contract does not declare.",
        "Save it as CSV UTF-8 and send it again.",
    ),
    "intake/encoding": _says(
        "The file is not in a declared encoding: wrong from byte {hint}.",
        "Save it as CSV UTF-8, or agree the encoding in the contract.",
    ),
    "intake/nul": _says(
        "The file has NUL bytes.", "Export it as plain text again; do not repair it by hand."
    ),
    "intake/not-text": _says(
        "The file is {hint}, not a CSV file or a spreadsheet.",
        "Unpack or convert it and send a CSV file in UTF-8.",
    ),
    "intake/not-a-spreadsheet": _says(
        "The file begins like a spreadsheet and cannot be read as one.",
        "Save it as CSV UTF-8 and send that.",
    ),
    "intake/merged-cells": _says(
        "The sheet has merged cells ({hint}): only the first of each holds the value.",
        "Unmerge them, fill every cell, and send it again.",
    ),
    "intake/reader-disagrees": _says(
        "Two readers count the rows of this file differently.",
        "Export the file again with every text in double quotes.",
    ),
    # The header.
    "intake/header-malformed": _says(
        "The header row is not one line of names.",
        "Put the column names of the contract in the first line.",
    ),
    "intake/headerless": _says(
        "The first row looks like data about a person, not like a header.",
        "Put the column names of the contract in the first line.",
    ),
    "intake/header-not-first": _says(
        "The column names seem to stand on line {hint}.",
        "Delete the lines above them, so that they are the first, and send the file again.",
    ),
    "intake/header-duplicate": _says(
        "The header names {column} more than once, as columns {hint}: case, space, accents "
        "and look-alike letters make no other name.",
        "Leave one column of that name and send the file again.",
    ),
    "intake/header-look-alike": _says(
        "The name of {column} reads like one of a contract and is another: it has accents, "
        "hidden characters or letters that only look like Latin ones.",
        "Type the name as the contract has it.",
    ),
    "intake/column-missing": _says(
        "Column {column} is missing.", "Add the column and send the file again."
    ),
    "intake/another-dataset": _says(
        "The columns are those of another dataset: {hint}.",
        "If that is what the file is, choose that dataset and send it as it is.",
    ),
    "intake/no-known-column": _says(
        "The header has no column of the contract.",
        "Check that this file belongs to this dataset.",
    ),
    "intake/delimiter": _says(
        "The columns are separated by a {hint}, which the contract does not declare.",
        "Export the file with the separator of the contract.",
    ),
    "intake/too-many-columns": _says(
        "The file has more than {hint} columns.", "Send the columns of the contract only."
    ),
    # The structure of rows.
    "intake/row-width": _says(
        "Rows have more or fewer fields than the header.",
        "Put texts that hold the separator in double quotes and export again.",
    ),
    "intake/truncated": _says(
        "The file ends in the middle of a row.", "Send the whole file again."
    ),
    "intake/quote-open": _says(
        "A double quote is opened and its text does not end.",
        "Write a quote inside a text twice, and send the whole file.",
    ),
    "intake/quote-stray": _says(
        "A double quote stands where RFC 4180 allows none.",
        "Put the whole text in double quotes and write a quote inside it twice.",
    ),
    "intake/bare-return": _says(
        "A line ends with a carriage return alone.",
        "Export the file with LF or CR LF line ends.",
    ),
    "intake/cell-too-long": _says(
        "A cell is longer than {hint} bytes.", "Leave long texts out; check for an open quote."
    ),
    "intake/too-many-rows": _says(
        "The file has more than {hint} rows.", "Send it in parts agreed with the council."
    ),
    # Values.
    "intake/value-missing": _says(
        "Column {column}: a value is required.", "Fill in the rows or leave them out."
    ),
    "intake/text-malformed": _says(
        "Column {column}: not in the agreed form, or with control characters.",
        "Correct the rows or leave the field empty.",
    ),
    "intake/hidden-character": _says(
        "Column {column}: characters that nobody sees, such as direction marks.",
        "Type the text again; copying from a web page or a PDF brings them in.",
    ),
    "intake/text-too-long": _says(
        "Column {column}: longer than agreed.", "Shorten the text or leave the field empty."
    ),
    "intake/code-unknown": _says(
        "Column {column}: not in the agreed code list.",
        "Map the values to the codes of the contract.",
    ),
    "intake/number-malformed": _says(
        "Column {column}: not a number in plain notation.",
        "Write digits with a point, without signs, spaces or units.",
    ),
    "intake/out-of-range": _says(
        "Column {column}: outside the agreed range.", "Correct the rows or leave the field empty."
    ),
    "intake/date-malformed": _says(
        "Column {column}: not a real date.", "Correct the rows or leave the field empty."
    ),
    "intake/date-form": _says(
        "Column {column}: dates in a form that the contract does not declare.",
        "Write dates as the contract says, or agree the form.",
    ),
    "intake/date-out-of-range": _says(
        "Column {column}: a date outside the agreed period.",
        "Correct the rows or leave the field empty.",
    ),
    "intake/identifier-invalid": _says(
        "Column {column}: not a valid identifier (form or check digit).",
        "Correct the rows from the source system or leave the field empty; never guess.",
    ),
    "intake/test-number": _says(
        "Column {column}: a number of the range that is kept for tests (NHS 999…, NINO QQ…).",
        "Send the numbers of real people, or leave the field empty.",
    ),
    "intake/spreadsheet-damage": _says(
        "Column {column}: rewritten by a spreadsheet (exponent, .0, lost zeros, day number).",
        "Export from the source system straight to CSV, or format the column as text first.",
    ),
    "intake/mixed-script": _says(
        "Column {column}: Latin letters mixed with Greek or Cyrillic look-alikes.",
        "Type the name again in one script.",
    ),
    "intake/not-usable": _says(
        "Column {column}: given, but of no use to say who the row is about (placeholder, no "
        "letter A to Z, or a birth after the extract).",
        "Check the rows; they are kept and make no match-key.",
    ),
    "intake/formula-text": _says(
        "Column {column}: text that a spreadsheet would run as a formula.",
        "Check the rows; they are kept as text.",
    ),
    "intake/value-repeated": _says(
        "Column {column}: a value that must be unique stands more than once.",
        "Send each record once.",
    ),
    "intake/rows-repeated": _says(
        'Rows that must be unique together are repeated (rule "{rule}").', "Send each record once."
    ),
    "intake/rule-broken": _says(
        'Rows break the rule "{rule}" between columns.', "Correct the rows."
    ),
    # The decision.
    "intake/rows-failing-reject": _says(
        "So many rows fail that the extract is rejected.",
        "Correct the file and send it again.",
    ),
    "intake/rows-failing-hold": _says(
        "So many rows fail that the whole extract waits for a person.",
        "Correct the file and send it again, or ask the council to look.",
    ),
    "intake/tolerance-exceeded": _says(
        'More rows break the rule "{rule}" than the contract tolerates.',
        "Correct the file and send it again, or ask the council to look.",
    ),
    "intake/judgement-differs": _says(
        "Great Expectations judged the extract otherwise than the compiled checks.",
        "Tell the council's system owner; the extract waits.",
    ),
    # The checker.
    "intake/checker-limit": _says(
        "The checker was stopped at its limit of {hint}.",
        "Send a smaller file or plain CSV; if the file is ordinary, tell the council.",
    ),
    "intake/checker-fault": _says(
        "The checker failed ({hint}) and the file was not taken in.",
        "Tell the council's system owner; the file is not stored.",
    ),
}


def sentence(finding: Finding) -> str:
    """Say a finding in one sentence, with its rows."""
    column = finding.column
    quoted = column if column.startswith("column ") or not column else f'"{column}"'
    text = CODES[finding.code].sentence.format(column=quoted, rule=finding.rule, hint=finding.hint)
    return f"{_where(finding)}{text}"


def remedy(finding: Finding, *, required: Container[str] = frozenset()) -> str:
    """Say what to do about a finding; of the required columns none may be left empty."""
    meaning = CODES[finding.code]
    return meaning.remedy_if_required if finding.column in required else meaning.remedy


def _where(finding: Finding) -> str:
    if not finding.first_rows:
        return f"{finding.rows} row{'s' if finding.rows > 1 else ''}: " if finding.rows else ""
    rows = ", ".join(str(row) for row in finding.first_rows)
    if finding.rows <= len(finding.first_rows):
        return f"Row{'s' if finding.rows > 1 else ''} {rows}: "
    return f"{finding.rows} rows (first {rows}): "
