"""On which line of a TOML text a key stands, so that an editor can show a finding there.

`tomllib` gives no positions. This reads only the skeleton: table headers and the
first key of each line. A key inside an inline table is at the line of that table.

Source: TOML 1.0, "Table", "Array of Tables", "Keys".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.policy.findings import Finding

Path = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(#.*)?$")
_PART = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*(\.|$|(?==))""")
_LINE = re.compile(r"line (\d+)")
_DELIMITERS = ('"""', "'''")


def line_of(text: str, path: Path) -> int:
    """The line, from 1, of the longest part of a path that is written; 1 if none is."""
    best, line = 0, 1
    for number, key in _keys(text):
        shared = _shared(key, path)
        # A header of a parent names the place until the key itself is met.
        if shared > best and shared == len(key):
            best, line = shared, number
    return line


def finding_line(text: str, finding: Finding) -> int:
    """The line of a finding: its own, where the text cannot be read, or that of its key."""
    named = _LINE.fullmatch(finding.where)
    return int(named.group(1)) if named else line_of(text, finding.path)


def _shared(key: Path, path: Path) -> int:
    count = 0
    for one, other in zip(key, path, strict=False):
        if one != other:
            break
        count += 1
    return count


def _keys(text: str) -> Iterator[tuple[int, Path]]:
    """Every header and every key at the start of a line, as a whole path."""
    table: Path = ()
    seen: dict[Path, int] = {}
    within = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if within:
            within = "" if within in line else within
            continue
        header = _HEADER.match(line)
        if header:
            table = _parts(header.group(2))
            if header.group(1) == "[[":
                seen[table] = seen.get(table, -1) + 1
                table = (*table, seen[table])
            yield number, table
        elif "=" in line and not line.lstrip().startswith("#"):
            key = _parts(line.partition("=")[0])
            if key:
                yield number, (*table, *key)
        within = _opened(line)


def _opened(line: str) -> str:
    """The delimiter of a text of several lines that begins in this line and does not end."""
    return next((mark for mark in _DELIMITERS if line.count(mark) % 2), "")


def _parts(written: str) -> Path:
    parts: list[str] = []
    at = 0
    while match := _PART.match(written, at):
        parts.append(next(group for group in match.groups()[:3] if group is not None))
        at = match.end()
        if match.group(4) != ".":
            break
    return tuple(parts)
