"""What a recipient remembers of each sender: packages opened, and the ledger's roots seen.

Without this memory a package could be played again, and a sender's ledger could be
rolled back between two packages without anyone noticing.

Source: docs/reference/package.md, "What `gateway open` does"; RFC 9162 section 8.1.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.errors import Unavailable

FILE = "gateway-opened.json"
FORMAT = "gateway-opened-1"
_ROOT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """Of one sender: ids of packages opened, and the ledger's roots by size."""

    packages: frozenset[str] = frozenset()
    roots: Mapping[int, bytes]


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Only one opening at a time remembers in this folder; nothing is written for it.

    Raises:
        Unavailable: `open/state`: the folder is not there or cannot be locked.
    """
    try:
        folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        raise _fault("is not there") from None
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def recall(directory: Path, sender: str) -> Remembered:
    """What is remembered of a sender.

    Raises:
        Unavailable: `open/state`: the file cannot be read or is malformed.
    """
    known = _read(directory).get(sender, {"packages": [], "roots": {}})
    try:
        return Remembered(
            packages=frozenset(str(package) for package in known["packages"]),
            roots={int(size): _root(text) for size, text in known["roots"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _fault("is malformed") from None


def prepare(directory: Path, sender: str, *, package: str, roots: Mapping[int, bytes]) -> Path:
    """Write the new memory beside the old one, durably; `adopt` puts it in place."""
    senders = _read(directory)
    before = recall(directory, sender)
    senders[sender] = {
        "packages": sorted({*before.packages, package}),
        "roots": {str(size): roots[size].hex() for size in sorted(roots)},
    }
    document = {"format": FORMAT, "senders": senders}
    written = directory / f"{FILE}.new"
    try:
        with open(written, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        raise _fault("cannot be written") from None
    return written


def adopt(written: Path) -> None:
    """Put the new memory in the place of the old one."""
    os.replace(written, written.with_name(FILE))
    folder = os.open(written.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(directory: Path) -> dict[str, Any]:
    path = directory / FILE
    try:
        if not path.exists():
            return {}
        document = json.loads(path.read_bytes())
        senders = document["senders"]
        if document["format"] != FORMAT or not isinstance(senders, dict):
            raise _fault("is malformed")
    except OSError:
        raise _fault("cannot be read") from None
    except (ValueError, TypeError, KeyError):
        raise _fault("is malformed") from None
    return senders


def _root(text: str) -> bytes:
    if not _ROOT.fullmatch(text):
        raise ValueError
    return bytes.fromhex(text)


def _fault(what: str) -> Unavailable:
    return Unavailable(
        "open/state",
        f"The record of packages opened before {what}.",
        remedy="Name its folder with --state. Restore it from a backup; never simply delete it.",
    )
