"""Where two texts differ, line by line: for whoever has to choose between theirs and another's.

The lines that both have at the beginning and the end are passed over first, so that the
work grows with what differs; where that is too much to compare, it is told as one piece.

Source: docs/reference/policy.md, "Life of a version".
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Lines of one text times lines of the other that are still compared one with another.
_MOST_PAIRS = 4_000_000


@dataclass(frozen=True, slots=True)
class Differing:
    """A run of lines that stands otherwise: its first line (from 1) and text in both texts."""

    line_there: int
    there: tuple[str, ...]
    line_here: int
    here: tuple[str, ...]


def differing_lines(there: str, here: str) -> list[Differing]:
    """Each run of lines in which two texts differ, in their order.

    Args:
        there: the text that stands.
        here: the text that was sent.
    """
    before, after = there.splitlines(), here.splitlines()
    first = _alike(before, after)
    last = _alike(before[first:][::-1], after[first:][::-1])
    middle = (before[first : len(before) - last], after[first : len(after) - last])
    return [
        Differing(first + a + 1, tuple(middle[0][a:b]), first + c + 1, tuple(middle[1][c:d]))
        for a, b, c, d in _runs(*middle)
    ]


def _runs(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    if len(before) * len(after) > _MOST_PAIRS:
        yield 0, len(before), 0, len(after)
        return
    matched = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for kind, a, b, c, d in matched.get_opcodes():
        if kind != "equal":
            yield a, b, c, d


def _alike(before: Sequence[str], after: Sequence[str]) -> int:
    """How many lines both begin with."""
    pairs = enumerate(zip(before, after, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(before), len(after)))
