"""Values as forms of the workshop send them: days, several choices, a fault at a field.

Source: GOV.UK Design System, "Error summary".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

Fault = Mapping[str, str]


def fault(text: str, at: str) -> Fault:
    """One fault, said in the summary and at its field."""
    return {"text": text, "href": f"#{at}"}


def several(form: Mapping[str, str], name: str) -> list[str]:
    """Every choice that was made of a list."""
    take = getattr(form, "getlist", None)
    return [str(each) for each in take(name)] if take else [form[name]] if name in form else []


def day(text: str) -> dt.date | None:
    """A day as 2028-03-31; nothing for anything else."""
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError:
        return None


def is_k(text: str) -> bool:
    """Whether it is a group size that an output may have."""
    text = text.strip()
    return text.isascii() and text.isdigit() and 2 <= int(text[:6]) <= 1000
