"""The policies folder, read: text of each governed document by its path.

Nothing outside the folder is read through a symbolic link, nothing huge is read
at all; what is not a TOML file is passed over.

Source: docs/reference/policy.md; security point 14.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from gateway.errors import RefusedError, Unavailable, UsageError
from gateway.policy.reading import LARGEST

MOST_DOCUMENTS = 5_000


def read_policies(folder: Path) -> dict[str, bytes]:
    """Every governed document under a folder, by its path relative to it.

    Args:
        folder: the policies folder, with vocabulary.toml and the folders beside it.

    Returns:
        Relative POSIX path to bytes, as `gateway.policy.parse` takes them.

    Raises:
        UsageError: the folder does not exist.
        RefusedError: a link leads out of it, or a document is too large or they are too many.
        Unavailable: a document cannot be read.
    """
    if not folder.is_dir():
        raise UsageError(
            "policy/no-folder",
            "The policies folder does not exist.",
            remedy="Name it with GATEWAY_POLICIES.",
        )
    root = folder.resolve()
    paths = sorted(path for path in folder.rglob("*.toml"))
    if len(paths) > MOST_DOCUMENTS:
        raise RefusedError(
            "policy/too-many-documents",
            f"The policies folder holds more than {MOST_DOCUMENTS} documents.",
            remedy="Name the folder that holds policies only.",
        )
    return {path.relative_to(folder).as_posix(): _read(path, root) for path in paths}


def _read(path: Path, root: Path) -> bytes:
    if not path.resolve().is_relative_to(root):
        raise RefusedError(
            "policy/outside-folder",
            "A link leads out of the policies folder.",
            remedy="Put the document itself into the folder.",
            document=path.name,
        )
    try:
        if path.stat().st_size > LARGEST:
            raise RefusedError(
                "policy/too-large",
                "A document is larger than 1,000,000 bytes.",
                remedy="Split it, or remove what does not belong in it.",
                document=path.name,
            )
        return path.read_bytes()
    except OSError:
        raise Unavailable(
            "policy/unreadable",
            "A document of the policies folder cannot be read.",
            remedy="Check its permissions.",
            document=path.name,
        ) from None


def read_with(paths: tuple[Path, ...], folder: Path) -> tuple[dict[str, bytes], frozenset[str]]:
    """The documents that `paths` mean, each single file laid over the policies around it.

    Args:
        paths: policies folders, and single documents. A document inside a policies folder
            (one that has a vocabulary.toml) is read with that folder, another with `folder`.
        folder: the policies folder of the settings.

    Returns:
        Relative path to bytes, and which of them `paths` named.

    Raises:
        UsageError: a path does not exist, or a file is of no kind of document.
        RefusedError: a document is too large or lies outside its folder.
    """
    documents: dict[str, bytes] = {}
    named: set[str] = set()
    for path in paths:
        if path.is_dir():
            found = read_policies(path)
            documents |= found
            named |= set(found)
            continue
        text = _single(path)
        place = _place(path, text)
        around = documents or read_policies(_home(path) or folder)
        documents = {**_without(around, place, text), place: text}
        named.add(place)
    return documents, frozenset(named)


def _single(path: Path) -> bytes:
    if not path.is_file():
        raise UsageError(
            "policy/no-document",
            "A path names no document.",
            remedy="Name a policies folder or a TOML document.",
        )
    return _read(path, path.resolve().parent)


def _home(path: Path) -> Path | None:
    parents = path.resolve().parents
    return next((parent for parent in parents[:2] if (parent / "vocabulary.toml").is_file()), None)


# What stands at the top of each kind of document and of no other.
_KINDS = {
    "purposes": "agreements/",
    "controllers": "agreements/",
    "columns": "datasets/",
    "channel": "recipients/",
    "criteria": "outcome-plans/",
    "cases": "cases/",
    "bases": "legal-bases.toml",
    "fields": "vocabulary.toml",
}


def _place(path: Path, text: bytes) -> str:
    keys = _top(text)
    for key, place in _KINDS.items():
        if key in keys:
            return place + path.name if place.endswith("/") else place
    folder = path.resolve().parent.name + "/"
    # A document too broken to be told by its keys is told by its folder; else it is an agreement.
    return (folder if folder in {*_KINDS.values(), "protocols/"} else "agreements/") + path.name


def _top(text: bytes) -> dict[str, object]:
    try:
        return tomllib.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        return {}


def _without(documents: dict[str, bytes], place: str, text: bytes) -> dict[str, bytes]:
    """The documents without those of the same kind and id: the named one takes their place."""
    folder, key = place.rpartition("/")[0], _top(text).get("id")
    return {
        path: each
        for path, each in documents.items()
        if not folder
        or path.rpartition("/")[0] != folder
        or key is None
        or _top(each).get("id") != key
    }
