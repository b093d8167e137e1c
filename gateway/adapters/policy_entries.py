"""Edits of one entry of any governed document by form: the words change, comments and order stay.

An entry is a table of a document (a field of the vocabulary, a column of a contract, a
legal basis), or the document's own first part. A new entry comes after the last of its
kind, before whatever comment introduces the part that follows.

Source: docs/reference/policy.md; TOML 1.0.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import tomlkit
from tomlkit.container import Container
from tomlkit.items import AbstractTable, Table

from gateway.adapters.policy_editing import parsed

Place = tuple[str, ...]
Parts = Mapping[str, Any]

_OPENER = re.compile(r"^[ \t]*\[", re.MULTILINE)


def set_entry(text: str, place: Place, parts: Parts) -> str:
    """Set parts of an entry; a part that is None is taken out, and an entry left empty by it.

    Args:
        text: the document.
        place: the keys that lead to the entry; none for the document's own first part.
        parts: values by key.

    Raises:
        InputRejected: `policy/unreadable`: the text is not TOML.
    """
    parsed(text)
    if not place:
        first = _first_part(text)
        head = parsed(text[:first])
        with _without_tail(head):
            _set(head, parts)
        gap = "\n" if first < len(text) and not head.as_string().endswith("\n\n") else ""
        return head.as_string() + gap + text[first:]
    document = parsed(text)
    section: Any = document
    for key in place[:-1]:
        section = section.setdefault(key, tomlkit.table(is_super_table=True))
    _set_in(section, place[-1], parts)
    return tomlkit.dumps(document)


def _set_in(section: Any, name: str, parts: Parts) -> None:
    if name not in section:
        table = tomlkit.table()
        _set(table, parts)
        _append(section, name, table)
        return
    entry = section[name]
    with _without_tail(entry.value if isinstance(entry, AbstractTable) else None):
        _set(entry, parts)
    if not entry:
        del section[name]


def _append(section: Any, name: str, table: Table) -> None:
    """Put a table after the last of its section, and what introduced the next part after it."""
    last = list(section.values())[-1] if section else None
    tail: list[Any] = []
    if isinstance(last, Table):
        tail = _cut_tail(last.value)
        last.value.body.append((None, tomlkit.ws("\n")))
        table.value.body.extend(tail)
    section[name] = table


def _set(entry: Any, parts: Parts) -> None:
    for key, value in parts.items():
        if value is not None:
            entry[key] = _written(value)
        elif key in entry:
            del entry[key]


def _written(value: Any) -> Any:
    """A value as these documents write it: a table of codes in one line."""
    if not isinstance(value, Mapping):
        return value
    inline = tomlkit.inline_table()
    inline.update(value)
    return inline


@contextmanager
def _without_tail(container: Container | None) -> Iterator[None]:
    """Set aside the comments at the end of a table, which introduce what comes next."""
    tail = _cut_tail(container) if container is not None else []
    yield
    if container is not None:
        container.body.extend(tail)


def _cut_tail(container: Container) -> list[Any]:
    tail: list[Any] = []
    while container.body and container.body[-1][0] is None:
        tail.insert(0, container.body.pop())
    return tail


def _first_part(text: str) -> int:
    """Where the first table begins: a bracket inside of a value leaves the rest unreadable."""
    for found in _OPENER.finditer(text):
        try:
            tomllib.loads(text[: found.start()])
        except ValueError:
            continue
        return found.start()
    return len(text)
