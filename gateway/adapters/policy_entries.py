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

from gateway.adapters.policy_editing import parsed, set_list, unreadable

Place = tuple[str, ...]
Parts = Mapping[str, Any]

_HEADER = re.compile(r"^[ \t]*(\[\[?)([^\[\]\n]+)\]\]?[ \t]*(?:#.*)?$", re.MULTILINE)
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


def set_row(text: str, section: str, name: str, parts: Parts) -> str:
    """Set parts of one of a list of tables, known by the name in it; a new one comes last.

    Raises:
        InputRejected: `policy/unreadable`: the text is not TOML.
    """
    document = parsed(text)
    if section not in document:
        gap = "" if text.endswith("\n\n") else "\n"
        return f"{text}{gap}{_new_row(section, name, parts)}"
    rows = document[section]
    for row in rows:
        if row.get("name") == name:
            with _without_tail(row.value):
                _set(row, parts)
            return tomlkit.dumps(document)
    end = _end_of_row(text, section, len(list(rows)) - 1)
    return f"{text[:end]}\n{_new_row(section, name, parts)}{text[end:]}"


def _new_row(section: str, name: str, parts: Parts) -> str:
    table = tomlkit.table()
    _set(table, {"name": name, **parts})
    return f"[[{section}]]\n{table.as_string()}"


def remove_entry(text: str, place: Place, *, row: str = "") -> str:
    """Take an entry out, with all that stands in it; every comment around it stays.

    Args:
        text: the document.
        place: the keys that lead to the entry, or to the list that it is one of.
        row: the name of one of a list.

    Raises:
        InputRejected: `policy/unreadable`: the text is not TOML, or not as forms can change it.
    """
    wanted = _plainly_without(text, place, row)
    cut = text
    for start, end in reversed(_spans(text, place, row)):
        cut = cut[:start] + cut[end:]
    if cut == text:
        document = parsed(text)
        section: Any = document
        for key in place[:-1]:
            section = section[key]
        del section[place[-1]]
        cut = tomlkit.dumps(document)
    if _without_empty(parsed(cut).unwrap(), place) != _without_empty(wanted, place):
        raise unreadable()
    return cut


def _plainly_without(text: str, place: Place, row: str) -> dict[str, Any]:
    """What the document says without the entry, whatever it looks like."""
    tree = parsed(text).unwrap()
    holder: Any = tree
    for key in place[:-1]:
        holder = holder.get(key, {})
    if row:
        holder[place[-1]] = [each for each in holder.get(place[-1], []) if each.get("name") != row]
    if not row or not holder[place[-1]]:
        holder.pop(place[-1], None)
    return dict(tree)


def _without_empty(tree: dict[str, Any], place: Place) -> dict[str, Any]:
    """The tree without what held the entry alone: a header may stand for it, or nothing."""
    for depth in range(len(place) - 1, 0, -1):
        holder: Any = tree
        for key in place[: depth - 1]:
            holder = holder.get(key, {})
        if holder.get(place[depth - 1]) == {}:
            del holder[place[depth - 1]]
    return tree


def _spans(text: str, place: Place, row: str) -> list[tuple[int, int]]:
    """Where the tables of an entry stand, each without the comments that introduce the next."""
    found = list(_HEADER.finditer(text))
    ends = [*(each.start() for each in found[1:]), len(text)]
    spans, count = [], -1
    names = [each.get("name") for each in _rows(text, place)] if row else []
    for header, end in zip(found, ends, strict=True):
        keys = tuple(part.strip().strip("\"'") for part in header[2].split("."))
        if row and header[1] == "[[" and keys == place:
            count += 1
        within = names[count] == row if row and count >= 0 else not row
        if keys[: len(place)] == place and within:
            spans.append((header.start(), _content_end(text, header.start(), end)))
    return spans


def _rows(text: str, place: Place) -> list[Mapping[str, Any]]:
    found: Any = parsed(text).unwrap()
    for key in place:
        found = found.get(key, {})
    return list(found)


def _end_of_row(text: str, section: str, index: int) -> int:
    headers = [h for h in _HEADER.finditer(text) if (h[1], h[2].strip()) == ("[[", section)]
    start = headers[index].start()
    later = [h.start() for h in _HEADER.finditer(text) if h.start() > start]
    return _content_end(text, start, later[0] if later else len(text), blank=False)


def _content_end(text: str, start: int, end: int, *, blank: bool = True) -> int:
    """Where the last line of a table ends that says something, and one empty line after it."""
    at = last = start
    for line in text[start:end].splitlines(keepends=True):
        at += len(line)
        if line.strip() and not line.lstrip().startswith("#"):
            last = at
    return last + 1 if blank and text[last : last + 1] == "\n" else last


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
        if isinstance(value, list) and isinstance(entry.get(key), list):
            set_list(entry, key, value)
        elif value is not None:
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
