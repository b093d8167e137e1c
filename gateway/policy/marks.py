"""Marks in a sentence about the documents: *words between stars* are as they are written there.

What an approver reads has to be the text that is signed. So a star that stands in a
document is kept, behind a backslash, and neither begins nor ends a mark.

Source: docs/reference/policy.md, "Life of a version".
"""

from __future__ import annotations

import re

_PIECES = re.compile(r"\\([\\*])|(\*)")


def verbatim(text: str) -> str:
    """A text of a document, so that its stars stay stars within a sentence."""
    return text.replace("\\", "\\\\").replace("*", "\\*")


def marked(text: str) -> str:
    """A text of a document, marked as such."""
    return f"*{verbatim(text)}*"


def pieces(sentence: str) -> list[tuple[str, bool]]:
    """A sentence cut at its marks, each piece with whether it is marked."""
    found, inside, at = [""], False, 0
    told: list[tuple[str, bool]] = []
    for hit in _PIECES.finditer(sentence):
        found.append(sentence[at : hit.start()] + (hit[1] or ""))
        at = hit.end()
        if hit[2]:
            told.append(("".join(found), inside))
            found, inside = [], not inside
    return [*told, ("".join([*found, sentence[at:]]), inside)]


def quoted(sentence: str) -> str:
    """A sentence for a terminal: what is marked stands in quotes."""
    return "".join(f'"{text}"' if inside else text for text, inside in pieces(sentence))


def unmarked(sentence: str) -> str:
    """A sentence as plain text, without its marks."""
    return "".join(text for text, _ in pieces(sentence))
