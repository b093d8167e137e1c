"""Text to a plain tree, strictly: TOML 1.0, bounded, one spelling for each key.

A document that two people could read differently is refused: keys are ASCII (no
look-alike letters), no value hides direction marks or control characters, a
table or key stands once (`tomllib` sees to it), and size, depth and entries are bounded.

Source: docs/reference/policy.md; TOML 1.0; Unicode TR 36.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from dataclasses import replace
from typing import Any

from gateway.model.unseen import is_hidden
from gateway.policy.findings import Finding, bounded, place
from gateway.policy.unreadable import why

LARGEST = 1_000_000
DEEPEST = 12
MOST_DOTS = 200
MOST_ENTRIES = 20_000

Tree = dict[str, Any]

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.:+*-]{0,79}")
_OPENERS = re.compile(r"[\[{]{40}")
_RUN = re.compile(r"[\[{](?:\s*[\[{]){39}")


def read(document: str, text: str | bytes) -> tuple[Tree, list[Finding]]:
    """The tree of one document, lists as tuples, or the findings that forbid it.

    Args:
        document: its path, as findings name it.
        text: at most 1,000,000 bytes of UTF-8.

    Returns:
        The tree and no finding, or an empty tree and one or more.
    """
    tree, finding = _parse(document, text)
    if finding is not None:
        return {}, [finding]
    if _entries_of(tree) > MOST_ENTRIES:
        return {}, [_too_many(document)]
    findings: list[Finding] = []
    frozen = _freeze(document, tree, (), findings)
    # Comments too: an approver reads them, and a direction mark shows them elsewhere.
    findings = findings or _hidden_in_comments(document, text)
    return ({}, bounded(document, findings)) if findings else (frozen, [])


def _parse(document: str, text: str | bytes) -> tuple[Tree, Finding | None]:
    if len(text) > LARGEST or (isinstance(text, str) and len(text.encode()) > LARGEST):
        return {}, _too_large(document, "the document is larger than 1,000,000 bytes.")
    try:
        decoded = text if isinstance(text, str) else text.decode("utf-8")
        # The parser's work grows with the square of a dotted key's length.
        dotted = any(line.count(".") > MOST_DOTS for line in decoded.splitlines())
        if dotted or _OPENERS.search(re.sub(r"\s", "", decoded)):
            raise RecursionError
        # Seen before the parser spends seconds on it: no document of this size has so many signs.
        if sum(map(decoded.count, "=,[")) > 2 * MOST_ENTRIES:
            return {}, _too_many(document)
        return tomllib.loads(decoded), None
    except RecursionError:
        line = f"line {_deepest_line(decoded)}"
        return {}, replace(_too_deep(document, ()), where=line)
    except UnicodeDecodeError:
        return {}, _finding(
            "policy/unreadable", document, "", "the document is not UTF-8.", "Save it as UTF-8."
        )
    except ValueError as fault:
        told = why(decoded, fault)
        line = f"line {told.line}" if told.line else ""
        return {}, _finding(told.code, document, line, told.sentence, told.remedy)


def _deepest_line(text: str) -> int:
    """Where a text nests too deep: a key of too many parts, a run of openers, the most of them."""
    lines = text.splitlines() or [""]
    dotted = (number for number, line in enumerate(lines, 1) if line.count(".") > MOST_DOTS)
    found = next(dotted, 0)
    run = None if found else _RUN.search(text)
    if run is not None:
        found = text.count("\n", 0, run.start()) + 1
    openers = [line.count("[") + line.count("{") for line in lines]
    return found or openers.index(max(openers)) + 1


def _entries_of(value: Any) -> int:
    """How many keys and items of lists stand in a tree."""
    count, below = 0, [value]
    while below and count <= MOST_ENTRIES:
        item = below.pop()
        if isinstance(item, (dict, list)):
            count += len(item)
            below += item.values() if isinstance(item, dict) else item
    return count


def _freeze(document: str, value: Any, path: tuple[str | int, ...], out: list[Finding]) -> Any:
    if len(path) > DEEPEST:
        # Named by where it begins; an editor follows the whole path to its line.
        out.append(replace(_too_deep(document, path[:2]), path=path))
        return None
    if isinstance(value, dict):
        out += [_bad_key(document, path, key) for key in value if not _KEY.fullmatch(key)]
        return {key: _freeze(document, item, (*path, key), out) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(_freeze(document, item, (*path, n), out) for n, item in enumerate(value))
    if isinstance(value, str) and any(map(_hidden, set(value))):
        out.append(_hidden_text(document, path))
    if isinstance(value, (dt.datetime, dt.time)):
        out.append(_clock(document, path))
    return value


def _hidden(character: str) -> bool:
    return character not in "\n\t" and is_hidden(character)


def _bad_key(document: str, path: tuple[str | int, ...], key: str) -> Finding:
    ascii_only = key.isascii()
    return _finding(
        "policy/key-malformed" if ascii_only else "policy/look-alike-key",
        document,
        path,
        "a key is not a plain name."
        if ascii_only
        else "a key holds a letter outside A-Z, a-z, 0-9, which can look like another.",
        "Write keys with ASCII letters, digits, underscore and hyphen, at most 80 of them.",
    )


def _hidden_text(document: str, path: tuple[str | int, ...]) -> Finding:
    return _finding(
        "policy/hidden-character",
        document,
        path,
        "the text hides a control or direction character, or one that nobody sees.",
        "Remove it, so that everyone reads the same.",
    )


def _hidden_in_comments(document: str, text: str | bytes) -> list[Finding]:
    decoded = text if isinstance(text, str) else text.decode("utf-8")
    marks = [mark for mark in set(decoded) - {"\r"} if _hidden(mark)]
    if not marks:
        return []
    line = decoded.count("\n", 0, min(map(decoded.index, marks))) + 1
    return [replace(_hidden_text(document, ()), where=f"line {line}")]


def _too_many(document: str) -> Finding:
    return _too_large(document, f"the document holds more than {MOST_ENTRIES:,} keys and values.")


def _too_large(document: str, sentence: str) -> Finding:
    remedy = "Split it, or remove what does not belong in it."
    return _finding("policy/too-large", document, "", sentence, remedy)


def _clock(document: str, path: tuple[str | int, ...]) -> Finding:
    return _finding(
        "policy/value-malformed",
        document,
        path,
        "a date may not carry a time of day.",
        "Write a plain date such as 2026-04-01.",
    )


def _too_deep(document: str, path: tuple[str | int, ...]) -> Finding:
    return _finding(
        "policy/too-deep",
        document,
        path,
        f"tables nest deeper than {DEEPEST}.",
        "Follow the structure of docs/reference/policy.md.",
    )


def _finding(
    code: str, document: str, where: str | tuple[str | int, ...], sentence: str, remedy: str
) -> Finding:
    return Finding(
        code=code,
        document=document,
        where=where if isinstance(where, str) else place(where),
        sentence=sentence,
        remedy=remedy,
        path=() if isinstance(where, str) else where,
    )
