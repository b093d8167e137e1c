"""Counts as they may be told.

Source: security point 19.
"""

from __future__ import annotations


def rounded(number: int) -> str:
    """A count as it may be told: rounded to ten, "<10" below."""
    return "<10" if number < 10 else str((number + 5) // 10 * 10)
