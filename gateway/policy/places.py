"""Where governed documents stand: two files and six folders, and no other place.

A path comes from whoever writes a draft or names a file, and is written again by an
export: one that leads elsewhere, or reads otherwise than it is, is no place.

Source: docs/reference/policy.md; security point 10.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.errors import InputRejected

FILES: Final = ("vocabulary.toml", "legal-bases.toml")
FOLDERS: Final = (
    *("agreements/", "datasets/", "recipients/"),
    *("protocols/", "outcome-plans/", "cases/"),
)
LONGEST: Final = 120
_NAME: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


def kind_of(path: str) -> str | None:
    """The file or the folder that a path belongs to; none where it is no place of a document."""
    if path in FILES:
        return path
    folder = next((each for each in FOLDERS if path.startswith(each)), None)
    if folder is None or len(path) > LONGEST or not path.endswith(".toml"):
        return None
    parts = path.removeprefix(folder).split("/")
    return folder if all(_NAME.fullmatch(part) for part in parts) else None


def misplaced() -> InputRejected:
    """For a document at a path that is no place of one; the path is not repeated."""
    return InputRejected(
        "policy/unknown-document",
        "That is not a place of a governed document.",
        remedy="Name it vocabulary.toml or legal-bases.toml, or put it under agreements, datasets, "
        "recipients, protocols, outcome-plans or cases, as NAME.toml of letters, digits, _ and -.",
    )
