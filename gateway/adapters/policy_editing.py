"""Edits of an agreement's text by form: the words change, comments and order stay.

Each edit takes the text as it is and gives the new one; whether it may be proposed
is for the strict reader to say. The version is set apart (`with_version`): a draft is
one further than what the store holds, however many edits it takes.

Source: docs/reference/policy.md, "Life of a version"; docs/tutorial/governance-lead.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array, InlineTable, Table

from gateway.errors import InputRejected, UsageError

Value = str | int | dt.date | Sequence[str]

# What a form may set of a purpose and of an agreement; anything else is edited as text.
PURPOSE_PARTS = frozenset(
    {
        *("title", "participation", "household", "retain_until", "returns"),
        *("duties", "legal_bases", "take", "clause", "subjects", "spine"),
    }
)
NOTICE_PARTS = frozenset({"version", "state", "identifiers"})
OUTPUT_PARTS = frozenset({"recipient", "identifiers"})
LIMIT_PARTS = frozenset({"k", "on_small_group", "key_variables"})
AGREEMENT_PARTS = frozenset(
    {
        *("title", "review", "ends", "dpia", "contact", "parties", "benefits"),
        *("areas", "method", "under", "processors", "complaints"),
        "data_protection_officer",
    }
)
# Parts that an agreement or a purpose may do without: given as nothing, they are taken out.
OPTIONAL_PARTS = frozenset(
    {
        *("dpia", "under", "processors", "complaints", "data_protection_officer", "take"),
        *("identifiers", "key_variables"),
    }
)
# A list whose order somebody typed.
IN_ORDER = frozenset({"areas"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldEdit:
    """One field of an output as a form gives it; empty parts are left out."""

    name: str
    treat: str
    clause: str
    source: str = ""
    from_field: str = ""
    at: dt.date | str = ""


def set_field(text: str, purpose: str, output: str, field: FieldEdit) -> str:
    """Add a field to an output, or change what a form shows of it; the rest of its rule stays."""
    document = parsed(text)
    fields = _output(document, purpose, output).setdefault("fields", tomlkit.table())
    rule = fields.get(field.name)
    new = not isinstance(rule, (Table, InlineTable))
    rule = tomlkit.inline_table() if new else rule
    for key, value in (
        ("from", field.from_field),
        ("source", field.source),
        ("treat", field.treat),
        ("at", field.at),
        ("clause", field.clause),
    ):
        if value and rule.get(key) != value:
            rule[key] = value
        elif not value and key in rule:
            del rule[key]
    if new:
        fields[field.name] = rule
    return tomlkit.dumps(document)


def remove_field(text: str, purpose: str, output: str, field: str) -> str:
    """Take a field out of an output.

    Raises:
        UsageError: the output has no such field.
    """
    document = parsed(text)
    fields = _output(document, purpose, output).get("fields", {})
    if field not in fields:
        raise absent("field", field)
    del fields[field]
    return tomlkit.dumps(document)


def set_output(text: str, purpose: str, output: str, parts: Mapping[str, Value]) -> str:
    """Set who receives an output, and what tells them who a row is about."""
    document = parsed(text)
    _set(_output(document, purpose, output), parts, OUTPUT_PARTS)
    return tomlkit.dumps(document)


def set_limits(text: str, purpose: str, output: str, parts: Mapping[str, Value]) -> str:
    """Set the group size of an output, what groups are counted by, and what a small one does."""
    document = parsed(text)
    limits = _output(document, purpose, output).setdefault("disclosure", tomlkit.table())
    _set(limits, parts, LIMIT_PARTS)
    return tomlkit.dumps(document)


def set_purpose(text: str, purpose: str, parts: Mapping[str, Value]) -> str:
    """Set parts of a purpose: whom it is about, participation, retention, duties, bases.

    Raises:
        UsageError: a part is not one that a form may set.
    """
    document = parsed(text)
    _set(_purpose(document, purpose), parts, PURPOSE_PARTS)
    return tomlkit.dumps(document)


def set_notice(text: str, purpose: str, parts: Mapping[str, Value]) -> str:
    """Set which notice people were given for a purpose, and what it promised."""
    document = parsed(text)
    notice = _purpose(document, purpose).setdefault("notice", tomlkit.table())
    _set(notice, parts, NOTICE_PARTS)
    return tomlkit.dumps(document)


def set_agreement(text: str, parts: Mapping[str, Value]) -> str:
    """Set parts of the agreement itself; what it may do without goes where nothing is given."""
    document = parsed(text)
    _set(document, parts, AGREEMENT_PARTS)
    return tomlkit.dumps(document)


def prohibit(text: str, field: str, *, clause: str, reason: str) -> str:
    """Say that a field never leaves, whatever permits it."""
    document = parsed(text)
    rule = tomlkit.inline_table()
    rule.update({"clause": clause, "reason": reason})
    document.setdefault("prohibitions", tomlkit.table())[field] = rule
    return tomlkit.dumps(document)


def _set(where: Any, parts: Mapping[str, Value], known: frozenset[str]) -> None:
    for key, value in parts.items():
        if key not in known:
            raise absent("part", key)
        if isinstance(value, (list, tuple)) and value:
            set_list(where, key, value)
        elif value or key not in OPTIONAL_PARTS:
            new = list(value) if isinstance(value, (list, tuple)) else value
            if where.get(key) != new:
                where[key] = new
        elif key in where:
            del where[key]


def set_list(where: Any, key: str, new: Sequence[Any]) -> None:
    """Take out of a list what is no longer in it and put what is new last; comments stay.

    A form of choices sends them in its own order, which says nothing of the document's.
    """
    old = where.get(key)
    if isinstance(old, Array):
        for index in range(len(old) - 1, -1, -1):
            if old[index] not in new:
                del old[index]
        old.extend([each for each in new if each not in old])
    if not isinstance(old, Array) or (key in IN_ORDER and list(old) != list(new)):
        where[key] = list(new)


def parsed(text: str) -> tomlkit.TOMLDocument:
    """A text as a document whose comments and order stay.

    Raises:
        InputRejected: `policy/unreadable`: the text is not TOML.
    """
    try:
        return tomlkit.parse(text)
    except (TOMLKitError, ValueError):
        raise unreadable() from None


def unreadable() -> InputRejected:
    """The refusal of a text that a form cannot change."""
    return InputRejected(
        "policy/unreadable",
        "The document's text is not TOML, so that a form cannot change it.",
        remedy="Correct it as text first.",
    )


def _purpose(document: Any, purpose: str) -> Any:
    found = document.get("purposes", {}).get(purpose)
    if not isinstance(found, (Table, InlineTable, Mapping)):
        raise absent("purpose", purpose)
    return found


def _output(document: Any, purpose: str, output: str) -> Any:
    found = _purpose(document, purpose).get("outputs", {}).get(output)
    if found is None:
        raise absent("output", output)
    return found


def with_version(text: str, version: int) -> str:
    """The text with that version number; a draft is one further than what is in the store."""
    document = parsed(text)
    document["version"] = version
    return tomlkit.dumps(document)


def version_of(text: str) -> int:
    """The version that a text says; 0 where it says none."""
    found = parsed(text).get("version", 0)
    return int(found) if isinstance(found, int) else 0


def absent(kind: str, name: str) -> UsageError:
    """The refusal of a part that the agreement does not have."""
    shown = (
        f' "{name}"' if name.isascii() and name.replace("_", "").replace("-", "").isalnum() else ""
    )
    return UsageError(
        "policy/nothing-to-edit",
        f"The agreement has no {kind}{shown} that a form can change.",
        remedy="Reload the page; somebody may have changed the text.",
    )
