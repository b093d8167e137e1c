"""On which line of a TOML text a key stands, so that an editor can show a finding there.

`tomllib` gives no positions. This reads only the skeleton: table headers and the
first key of each line. A key inside an inline table is at the line of that table.

Source: TOML 1.0, "Table", "Array of Tables", "Keys".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from gateway.policy.findings import Finding

Path = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(#.*)?$")
_PART = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*(\.|$|(?==))""")
_LINE = re.compile(r"line (\d+)")
_DELIMITERS = ('"""', "'''")


def line_of(text: str, path: Path) -> int:
    """The line, from 1, of the longest part of a path that is written; 1 if none is."""
    return _nearest(_first_lines(text), path)


def finding_lines(text: str, findings: Sequence[Finding]) -> list[int]:
    """The line of each finding: its own, where the text cannot be read, or that of its key."""
    written = _first_lines(text) if any(finding.path for finding in findings) else {}
    return [_line_of_finding(written, finding) for finding in findings]


def _line_of_finding(written: Mapping[Path, int], finding: Finding) -> int:
    named = _LINE.fullmatch(finding.where)
    return int(named.group(1)) if named else _nearest(written, finding.path)


def _nearest(written: Mapping[Path, int], path: Path) -> int:
    parts = (path[:count] for count in range(len(path), 0, -1))
    return next((written[part] for part in parts if part in written), 1)


def _first_lines(text: str) -> Mapping[Path, int]:
    """Where each header and key is first met: the text is read once, however many are asked."""
    written: dict[Path, int] = {}
    for number, key in _keys(text):
        written.setdefault(key, number)
    return written


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
