"""What an export wrote, so that a proposal from its folder writes nothing over.

The folder holds a list as `sha256sum` writes it, `exported.sha256`: the digest of each
document as the store had it. A text that is proposed is added, since what its editor
writes next is written over that. Where there is no list, nothing is known.

Source: docs/reference/policy.md, "Life of a version".
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from gateway.adapters.durable import written_beside

LIST = "exported.sha256"
_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")


def write_list(folder: Path, documents: Mapping[str, str]) -> None:
    """Write down what every document was when it was exported."""
    _write(folder, ((digest_of(text), path) for path, text in documents.items()))


def bases(folder: Path) -> dict[str, frozenset[str]]:
    """For each document of an exported folder, the texts that it can have begun from."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for digest, path in _lines(folder):
        found[path].add(digest)
    return {path: frozenset(digests) for path, digests in found.items()}


def add(folder: Path, changes: Mapping[str, str]) -> None:
    """Add texts that were proposed, where there is a list that can be written."""
    listed = _lines(folder)
    if listed and os.access(folder, os.W_OK):
        proposed = ((digest_of(text), path) for path, text in changes.items() if text)
        _write(folder, dict.fromkeys((*listed, *proposed)))


def digest_of(text: str) -> str:
    """SHA-256 of a document, lower-case hex."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _lines(folder: Path) -> list[tuple[str, str]]:
    file = folder / LIST
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    return [(found[1], found[2]) for line in text.splitlines() if (found := _LINE.fullmatch(line))]


def _write(folder: Path, lines: Iterable[tuple[str, str]]) -> None:
    text = "".join(f"{digest}  {path}\n" for digest, path in lines)
    with written_beside(folder / LIST, mode=0o666) as file:
        file.write(text.encode("utf-8"))
