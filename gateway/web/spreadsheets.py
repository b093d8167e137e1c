"""Tables as files for a spreadsheet: text that it would take for a formula is neutralised.

Source: security point 13; OWASP, "CSV Injection".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Comma-separated values with a header row (RFC 4180)."""
    written = io.StringIO()
    out = csv.writer(written, lineterminator="\r\n")
    out.writerow(names)
    out.writerows([inert(cell) for cell in row] for row in rows)
    return written.getvalue()


def inert(text: str) -> str:
    """A cell that no spreadsheet calculates."""
    return f"'{text}" if text.startswith(FORMULA) else text
