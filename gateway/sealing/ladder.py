"""Padding: a package's size says only on which rung of a fixed ladder it stands.

Rungs are 2^n * (1 + i/8) for i = 0 to 7, from 16 KiB up: at most 12.5 % is added
above the lowest rung, and an observer learns about log2(size) * 8 values instead
of the size.

Source: security design point 19; docs/reference/package.md.
"""

from __future__ import annotations

LOWEST = 16 * 1024


def rung(size: int) -> int:
    """The smallest rung that is not below `size`, in bytes."""
    if size <= LOWEST:
        return LOWEST
    step = 1 << ((size - 1).bit_length() - 4)
    return -(-size // step) * step
