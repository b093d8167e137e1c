"""A day as people write it, in every sentence that is made for them: 31 March 2028.

Documents, JSON and the ledger keep 2028-03-31.

Source: GOV.UK style guide, "Dates".
"""

from __future__ import annotations

import datetime as dt


def told_day(day: dt.date) -> str:
    """A day in words."""
    return f"{day.day} {day:%B} {day.year}"


def told(value: dt.date | str | None) -> str:
    """A day in words, however it was kept; any other word as it is."""
    if isinstance(value, dt.date):
        return told_day(value)
    try:
        return told_day(dt.date.fromisoformat(value or ""))
    except ValueError:
        return value or ""
