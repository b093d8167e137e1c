"""Values as forms of the workshop send them: days, several choices, a fault at a field.

Source: GOV.UK Design System, "Error summary".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping

from gateway.model.unseen import is_blank, is_hidden

UNSEEN = (
    "characters that nobody sees, such as direction marks, are not taken. "
    "Here they are left out: read it, then send it again"
)
SHOWS_NOTHING = "enter something that can be seen"
ONE_LINE = "write it on one line"

Fault = Mapping[str, str]


def fault(text: str, at: str) -> Fault:
    """One fault, said in the summary and at its field."""
    return {"text": text, "href": f"#{at}"}


def several(form: Mapping[str, str], name: str) -> list[str]:
    """Every choice that was made of a list."""
    take = getattr(form, "getlist", None)
    return [str(each) for each in take(name)] if take else [form[name]] if name in form else []


def unfit(
    form: Mapping[str, str], asked: Mapping[str, str], *, lines: Collection[str] = ()
) -> list[Fault]:
    """What was typed that no document may hold, or that one line cannot: a fault at each field.

    Args:
        form: as it was sent, before anything is left out of it.
        asked: each field of text by its name, with what the form calls it.
        lines: those of them that take several lines.
    """
    told = (
        (name, called, _unfit(several(form, name), long=name in lines))
        for name, called in asked.items()
    )
    return [fault(f"{called}: {why}", name) for name, called, why in told if why]


def _unfit(typed: Iterable[str], *, long: bool) -> str:
    text = "\n".join(typed)
    if any(is_hidden(each) for each in set(text) - set("\r\n\t")):
        return UNSEEN
    if text and not text.isspace() and is_blank(text):
        return SHOWS_NOTHING
    return "" if long or not set(text) & set("\r\n") else ONE_LINE


def first_of_each(faults: Iterable[Fault]) -> list[Fault]:
    """One fault for each field: the first that was found there."""
    at: dict[str, Fault] = {}
    for each in faults:
        at.setdefault(each["href"], each)
    return list(at.values())


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
