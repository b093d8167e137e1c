"""Why a text cannot be read as TOML, and on which line, where that can be known.

`tomllib` says one sentence of many faults, and none of a number that is too long. What
is told here names the fault and never quotes the text.

Source: TOML 1.0, "Keys", "Integer"; Unicode TR 36.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MARK = "\ufeff"

_LINE = re.compile(r"line (\d+)")
_TWICE = ("Cannot ", "Duplicate ")
_DIGITS = re.compile(r"\d(?:_?\d){4299}")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """One fault of a text: `line` from 1, 0 where it is not known."""

    code: str
    line: int
    sentence: str
    remedy: str


def why(text: str, fault: ValueError) -> Unreadable:
    """What stops a text from being read.

    Args:
        text: the document.
        fault: what `tomllib` raised; only its kind and its line are used.
    """
    said, lines = str(fault), text.split("\n")
    if text.startswith(MARK):
        return _marked()
    found = _LINE.search(said)
    if found is None and "end of document" not in said:
        return _too_long(lines)
    line = int(found.group(1)) if found else max(1, len(text.rstrip("\n").split("\n")))
    if not _key_of(lines[line - 1]).isascii():
        return _look_alike(line)
    return _twice(line) if said.startswith(_TWICE) else _not_toml(line)


def _key_of(line: str) -> str:
    """What stands before the sign of equality, or in a header; no quotes, no comment."""
    bare = _QUOTED.sub("", line).partition("#")[0]
    header = bare.lstrip().startswith("[")
    return bare if header else bare.partition("=")[0] if "=" in bare else ""


def _marked() -> Unreadable:
    return Unreadable(
        code="policy/unreadable",
        line=1,
        sentence="the document begins with a byte order mark, which nobody sees.",
        remedy='Save it as UTF-8 without it (in some editors "UTF-8 without BOM").',
    )


def _too_long(lines: list[str]) -> Unreadable:
    return Unreadable(
        code="policy/unreadable",
        line=next((n for n, line in enumerate(lines, start=1) if _DIGITS.search(line)), 0),
        sentence="a number has more digits than can be read.",
        remedy="Write a number of at most 18 digits, or text in quotes.",
    )


def _look_alike(line: int) -> Unreadable:
    return Unreadable(
        code="policy/look-alike-key",
        line=line,
        sentence="a key holds a letter outside A-Z, a-z, 0-9, which can look like another.",
        remedy="Type the key again, in ASCII letters, digits, underscore and hyphen.",
    )


def _twice(line: int) -> Unreadable:
    return Unreadable(
        code="policy/unreadable",
        line=line,
        sentence="a key or table stands twice.",
        remedy="Take one of them out; each key and table may stand once.",
    )


def _not_toml(line: int) -> Unreadable:
    return Unreadable(
        code="policy/unreadable",
        line=line,
        sentence="this is not TOML.",
        remedy="Correct the line: a key, a sign of equality, and a value; text stands in quotes.",
    )
