"""What an export wrote, so that a proposal from its folder writes nothing over.

The folder holds a list as `sha256sum` writes it, `exported.sha256`: the digest of each
document as the store had it. A text that is proposed is added behind it, since what its
editor writes next is written over that. Where there is no list, nothing is known.

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
from gateway.errors import InputRejected
from gateway.policy.places import kind_of

LIST = "exported.sha256"
LARGEST = 4_000_000
_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](\S.*)")


def write_list(folder: Path, documents: Mapping[str, str]) -> None:
    """Write down what every document was when it was exported."""
    _write(folder, ((digest_of(text), path) for path, text in documents.items()))


def place_of(file: Path) -> str:
    """The place of a file in the exported folder that it lies in; "" where it lies in none."""
    folder = next((each for each in file.parents if (each / LIST).is_file()), None)
    return str(file.relative_to(folder)) if folder else ""


def bases(files: Mapping[str, Path]) -> dict[str, tuple[str, ...]]:
    """For each file of an exported folder, the texts that it was written over, in order.

    Args:
        files: by their place in the store.

    Returns:
        Digests by place; "" for a document that was not there. What lies in no exported
        folder is left out.

    Raises:
        InputRejected: a list is damaged.
    """
    found: dict[str, tuple[str, ...]] = {}
    for place, file in files.items():
        if (folder := _folder_of(place, file)) is not None:
            listed = defaultdict(list)
            for digest, path in _lines(folder):
                listed[path].append(digest)
            found[place] = tuple(listed[place]) or ("",)
    return found


def add(files: Mapping[str, Path], changes: Mapping[str, str]) -> None:
    """Add texts that were proposed to the lists of their folders, where these can be written."""
    for place, file in files.items():
        folder = _folder_of(place, file)
        if folder is not None and os.access(folder, os.W_OK):
            proposed = (digest_of(changes[place]), place)
            _write(folder, (*(line for line in _lines(folder) if line != proposed), proposed))


def digest_of(text: str) -> str:
    """SHA-256 of a document, lower-case hex."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _folder_of(place: str, file: Path) -> Path | None:
    """The exported folder in which a file lies at its place."""
    whole = file.resolve()
    folder = whole.parents[len(Path(place).parts) - 1]
    return folder if whole == folder / place and os.path.lexists(folder / LIST) else None


def _lines(folder: Path) -> list[tuple[str, str]]:
    file = folder / LIST
    if not file.is_file() or file.stat().st_size > LARGEST:
        raise _damaged()
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise _damaged() from None
    found = [_LINE.fullmatch(line) for line in lines]
    if not all(found):
        raise _damaged()
    return [(each[1].lower(), each[2]) for each in found if each]


def _write(folder: Path, lines: Iterable[tuple[str, str]]) -> None:
    text = "".join(f"{digest}  {path}\n" for digest, path in lines if kind_of(path) is not None)
    with written_beside(folder / LIST, mode=0o666) as file:
        file.write(text.encode("utf-8"))


def _damaged() -> InputRejected:
    return InputRejected(
        "policy/list-damaged",
        f"{LIST} beside the documents is not as `gateway policy export` wrote it, so that nobody "
        "knows what they were written over.",
        remedy="Export into another folder, and make the change there.",
    )
