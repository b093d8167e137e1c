"""Numbers, days and codes as people read them.

Source: GOV.UK style guide (dates, numbers); docs/explanation/service.md.
"""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

from jinja2.filters import do_filesizeformat
from markupsafe import Markup, escape

from gateway.model.unseen import seen

LONDON = ZoneInfo("Europe/London")
# Letters of a monospaced part that a page of 375 px holds in one line.
_FITS = 28


def day(value: dt.date | dt.datetime | str | None) -> str:
    """A day: 5 March 2026."""
    found = _read(value)
    return f"{found.day} {found:%B %Y}" if found is not None else ""


def moment(value: dt.datetime | str | None) -> str:
    """A moment, in the council's own time: 5 March 2026 at 2:07pm."""
    found = _read(value)
    if found is None:
        return ""
    hour = found.hour % 12 or 12
    return f"{day(found)} at {hour}:{found:%M}{'am' if found.hour < 12 else 'pm'}"


def number(value: object) -> str:
    """A count with thousands apart, also a rounded one; what is already a word (<10) stays."""
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def size(value: int) -> str:
    """How much room a number of bytes takes: 10 bytes, 1.2 MB."""
    return do_filesizeformat(value).replace("Byte", "byte")


def plain(code: str) -> str:
    """A code as words: national-impact-study becomes National impact study."""
    told = code.replace("-", " ").replace("_", " ").strip()
    return told[:1].upper() + told[1:]


def breakable(name: str) -> Markup:
    """An id that a narrow page breaks after a dot or a hyphen, and nowhere else."""
    parts = re.findall(r"[^.-]*[.-]|[^.-]+", seen(name))
    whole = Markup('<span class="app-nowrap">{}</span>')
    return Markup("<wbr>").join(
        whole.format(part) if len(part) <= _FITS else escape(part) for part in parts
    )


def _read(value: dt.date | dt.datetime | str | None) -> dt.datetime | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value)
    if not isinstance(value, dt.datetime):
        return dt.datetime(value.year, value.month, value.day, tzinfo=LONDON)
    return value.astimezone(LONDON) if value.tzinfo else value
