"""A number with its word, as people say it."""

from __future__ import annotations


def counted(number: int, one: str, several: str = "") -> str:
    """A number with its word, in the plural where it is not one: "1 row", "2 rows"."""
    return f"{number} {one if number == 1 else several or one + 's'}"
