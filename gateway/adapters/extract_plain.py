"""Texts of a stored column read without the kernel: slower, the same answer.

Source: decision 0220.
"""

from __future__ import annotations

import datetime as dt
import itertools
import struct
from collections.abc import Iterator

import polars as pl

MISSING8, MISSING32, MISSING_DAY = 255, 2**32 - 1, -(2**31)
EPOCH = dt.date(1970, 1, 1).toordinal()


def unpacked_plainly(body: bytes, rows: int) -> pl.Series:
    """Read the texts of a column.

    Args:
        body: kind and texts, as `_packed.c` says.
        rows: how many there are.

    Raises:
        ValueError: they are not so many, or not texts.
    """
    texts = list({b"D": _days, b"F": _even, b"V": _short, b"W": _long}[body[:1]](body, rows))
    if len(texts) != rows:
        raise ValueError
    return pl.Series(texts, dtype=pl.String)


def _days(body: bytes, rows: int) -> Iterator[str | None]:
    for day in struct.unpack(f"<{rows}i", body[1:]):
        yield None if day == MISSING_DAY else dt.date.fromordinal(EPOCH + day).isoformat()


def _even(body: bytes, rows: int) -> Iterator[str | None]:
    (width,) = struct.unpack_from("<H", body, 1)
    return _cut(body[3:], (width,) * rows)


def _short(body: bytes, rows: int) -> Iterator[str | None]:
    lengths = body[1 : 1 + rows]
    return _cut(body[1 + rows :], [None if n == MISSING8 else n for n in lengths])


def _long(body: bytes, rows: int) -> Iterator[str | None]:
    lengths = struct.unpack_from(f"<{rows}I", body, 1)
    return _cut(body[1 + 4 * rows :], [None if n == MISSING32 else n for n in lengths])


def _cut(octets: bytes, lengths: list[int | None] | tuple[int, ...]) -> Iterator[str | None]:
    ends = list(itertools.accumulate((n or 0 for n in lengths), initial=0))
    if ends[-1] != len(octets):
        raise ValueError
    for start, length in zip(ends, lengths, strict=False):
        yield None if length is None else octets[start : start + length].decode()
