"""The parts of an entry as a form shows and reads them, made from the published JSON Schema.

What a part takes (a word of a list, a day, a number, several words) comes from the
schema of its kind of document, so that a form never offers what the document refuses.
What is typed becomes a value of TOML here; whether the entry holds together is for
the strict reader to say.

Source: JSON Schema 2020-12; docs/reference/schemas/; GOV.UK Design System.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gateway.web.form_values import day, several

Schema = Mapping[str, Any]
_WHOLE = re.compile(r"-?[0-9]{1,15}")
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")


class Takes(StrEnum):
    """What a part of an entry takes."""

    TEXT = "text"
    DAY = "day"
    WHOLE = "whole number"
    NUMBER = "number"
    YES = "yes"
    CHOICE = "choice"
    EITHER = "either"
    CHOICES = "choices"
    WORDS = "words"
    GROUPS = "groups"
    CODES = "codes"
    WHERE = "conditions"


_OF_LINES = {Takes.CHOICES, Takes.WORDS, Takes.GROUPS, Takes.CODES, Takes.WHERE}
EXPECTED: Mapping[Takes, str] = {
    Takes.DAY: "Enter a day like 2026-04-01",
    Takes.WHOLE: "Enter a whole number",
    Takes.NUMBER: "Enter a number, like 0.02",
    Takes.WHERE: "Enter a column and its values on each line, like programme_arm = PROG, COMP",
}


class NotTaken(ValueError):
    """What was typed is not what the part takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of an entry: its key, what it takes, and what the form says of it."""

    key: str
    takes: Takes
    label: str
    hint: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    required: bool = False
    default: Any = None
    long: bool = False

    @property
    def named(self) -> str:
        """Its label as a fault begins with it."""
        return self.label.removesuffix(" (optional)").removesuffix("?")

    @property
    def of_lines(self) -> bool:
        """Whether the form asks it in several lines, or by boxes to tick."""
        return self.long or self.takes in _OF_LINES

    def shown(self, value: Any) -> str | Sequence[str]:
        """A value of a document as the form shows it."""
        return _shown(self.takes, self.default if value is None else value)

    def read(self, form: Mapping[str, str]) -> Any:
        """What was typed as a value of a document; None where nothing was.

        Raises:
            NotTaken: it is not what the part takes.
        """
        if self.takes is Takes.CHOICES:
            return several(form, self.key) or None
        typed = form.get(self.key, "")
        return _READ[self.takes](typed if self.takes is Takes.CHOICE else typed.strip())

    def untouched(self, form: Mapping[str, str], value: Any) -> bool:
        """Whether the form holds what it showed of a value, or nothing of this part."""
        if self.takes in {Takes.CHOICES, Takes.YES}:
            return False
        return _plain_lines(form.get(self.key, "")) == _plain_lines(str(self.shown(value)))

    def alike(self, typed: Any, value: Any) -> bool:
        """Whether a value that was read is the one that the document has, or means."""
        if self.takes is Takes.CHOICES:
            return set(typed or ()) == set(self.shown(value))
        return ("" if typed is None else self.shown(typed)) == self.shown(value)

    def ordered(self, typed: Any, value: Any) -> Any:
        """Words that were chosen, those that the document has already in its order."""
        if self.takes is not Takes.CHOICES or not typed:
            return typed
        had = [word for word in self.shown(value) if word in typed]
        return [*had, *(word for word in typed if word not in had)]


def takes_of(schema: Schema) -> tuple[Takes, tuple[str, ...]]:
    """What a property of a JSON Schema takes, and the words where it is one of a list."""
    branches = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    words = tuple(word for each in branches for word in _words(each))
    if words:
        return Takes.CHOICE, words
    only = branches[0]
    if only.get("type") == "array":
        return _list(only["items"])
    if only.get("type") == "boolean":
        return (Takes.EITHER if len(schema.get("anyOf", ())) else Takes.YES), ()
    return _plain(only), ()


def _words(schema: Schema) -> tuple[str, ...]:
    found = schema.get("enum", [schema["const"]] if "const" in schema else [])
    return tuple(str(word) for word in found)


def _list(items: Schema) -> tuple[Takes, tuple[str, ...]]:
    if "enum" in items:
        return Takes.CHOICES, _words(items)
    return (Takes.GROUPS if items.get("type") == "array" else Takes.WORDS), ()


def _plain(schema: Schema) -> Takes:
    if schema.get("type") == "object":
        return Takes.CODES
    if schema.get("format") == "date":
        return Takes.DAY
    if schema.get("type") == "number" or "anyOf" in schema:
        return Takes.NUMBER
    return Takes.WHOLE if schema.get("type") == "integer" else Takes.TEXT


def _shown(takes: Takes, value: Any) -> str | Sequence[str]:
    if takes is Takes.CHOICES:
        return [str(each) for each in value] if isinstance(value, (list, tuple)) else []
    if takes in {Takes.YES, Takes.EITHER}:
        return "" if value is None else _either(takes, value)
    if isinstance(value, Mapping):
        return "\n".join(_pair(takes, key, each) for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return "\n".join(
            ", ".join(map(str, each)) if isinstance(each, (list, tuple)) else str(each)
            for each in value
        )
    return "" if value is None else str(value)


def _pair(takes: Takes, key: str, value: Any) -> str:
    """A code with its meaning, or a column with its condition."""
    if takes is Takes.WHERE:
        return f"{key} = {_condition(value)}"
    return key if value == key else f"{key} = {value}"


def _condition(value: Any) -> str:
    """A condition of a cohort as a line of a form says it."""
    if isinstance(value, Mapping):
        return f"{value.get('from', '')}..{value.get('to', '')}"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _either(takes: Takes, value: Any) -> str:
    return "yes" if value is True else "no" if takes is Takes.EITHER else ""


def _plain_lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.strip().splitlines()]


def _text(typed: str) -> str | None:
    return " ".join(typed.split()) or None


def _day(typed: str) -> dt.date | None:
    found = day(typed)
    if typed and found is None:
        raise NotTaken
    return found


def _whole(typed: str) -> int | None:
    if typed and not _WHOLE.fullmatch(typed):
        raise NotTaken
    return int(typed) if typed else None


def _number(typed: str) -> int | float | None:
    if typed and not _NUMBER.fullmatch(typed):
        raise NotTaken
    return None if not typed else float(typed) if "." in typed else int(typed)


def _lines(typed: str) -> list[str]:
    return [line.strip() for line in typed.splitlines() if line.strip()]


def _groups(typed: str) -> list[list[str]] | None:
    groups = [[each.strip() for each in line.split(",") if each.strip()] for line in _lines(typed)]
    return [group for group in groups if group] or None


def _codes(typed: str) -> list[str] | dict[str, str] | None:
    """Codes with their meanings; a list where none has one."""
    pairs = [
        (code.strip(), meaning.strip())
        for code, _, meaning in (line.partition("=") for line in _lines(typed))
    ]
    if any(meaning for _, meaning in pairs):
        return {code: meaning or code for code, meaning in pairs}
    return [code for code, _ in pairs] or None


def _where(typed: str) -> dict[str, Any] | None:
    """The conditions of a cohort: a column is one of some values, or a day between two."""
    found: dict[str, Any] = {}
    for line in _lines(typed):
        column, _, wanted = (part.strip() for part in line.partition("="))
        if not column or not wanted or column in found:
            raise NotTaken
        found[column] = _wanted(wanted)
    return found or None


def _wanted(text: str) -> Any:
    first, dots, last = (part.strip() for part in text.partition(".."))
    if dots:
        days = {"from": _day(first), "to": _day(last)}
        return {key: value for key, value in days.items() if value is not None}
    only = day(text)
    return only if only else [each.strip() for each in text.split(",") if each.strip()]


_READ: Mapping[Takes, Callable[[str], Any]] = {
    Takes.TEXT: _text,
    Takes.CHOICE: lambda typed: typed or None,
    Takes.EITHER: {"yes": True, "no": False}.get,
    Takes.YES: lambda typed: typed == "yes",
    Takes.DAY: _day,
    Takes.WHOLE: _whole,
    Takes.NUMBER: _number,
    Takes.WORDS: lambda typed: _lines(typed) or None,
    Takes.GROUPS: _groups,
    Takes.CODES: _codes,
    Takes.WHERE: _where,
}
