"""Identifiers answered fast: which texts are surely sound in their usual spelling.

The kernel may doubt a good text, never vouch for a bad one. What it doubts the
expressions of `identifiers` decide, so the answer is always theirs, and most
texts never meet their cost. Without the kernel every text is in doubt.

Source: docs/reference/pseudonyms.md; docs/reference/contracts.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

try:
    from gateway.identity import _sound as kernel
except ImportError:  # pragma: no cover - built wherever there is a compiler
    kernel = None  # type: ignore[assignment]

DOUBT, SOUND, MISSING = 0, 1, 2

# In the kernel's order: a text that no spreadsheet takes for a formula, a day from 1800 to 2199.
KINDS: Final = ("nhs_number", "upn", "nino", "postcode", "no-formula", "iso-date")

_NO_DAY: Final = -(2**31)

_ISO: Final = "^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}$"

Answers = NDArray[np.uint8]


def soundness(texts: pl.Series, kind: str, *, synthetic: bool = False) -> Answers:
    """Say of each text whether it is surely sound: `SOUND`, `MISSING`, or in `DOUBT`.

    Args:
        texts: a text column.
        kind: one of `KINDS`.
        synthetic: as in `identifiers`.
    """
    if kernel is None or texts.dtype != pl.String:
        return np.where(texts.is_null().to_numpy(), MISSING, DOUBT).astype(np.uint8)
    stream = texts.rechunk().__arrow_c_stream__()
    return np.frombuffer(kernel.sound(stream, KINDS.index(kind), synthetic), np.uint8)


def doubtful(texts: pl.Series, kind: str, *, synthetic: bool = False) -> pl.Series:
    """Give the rows (0-based) whose text is in doubt."""
    answers = soundness(texts, kind, synthetic=synthetic)
    return pl.Series(np.flatnonzero(answers == DOUBT), dtype=pl.UInt32)


def iso_days(texts: pl.Series) -> pl.Series:
    """Read `YYYY-MM-DD` as dates; null where a text is no real day of the years 1000 to 9999."""
    if kernel is None or texts.dtype != pl.String:
        shaped = texts.to_frame("t").select(pl.when(pl.col("t").str.contains(_ISO)).then("t"))
        return shaped.to_series().str.to_date("%Y-%m-%d", strict=False)
    days = np.frombuffer(kernel.days(texts.rechunk().__arrow_c_stream__()), np.int32)
    return pl.Series(days).set(pl.Series(days == _NO_DAY), None).cast(pl.Date)


def formed(
    texts: pl.Series,
    kind: str,
    *,
    synthetic: bool = False,
    quick: Callable[[pl.Series], pl.Series],
    slow: Callable[[pl.Series], pl.Series],
) -> pl.Series:
    """Give the standard form of each text.

    Args:
        texts: a text column.
        kind: one of `KINDS`.
        synthetic: as in `identifiers`.
        quick: the form of texts that are surely sound.
        slow: the form of any text, null where it has none.
    """
    rows = doubtful(texts, kind, synthetic=synthetic)
    if 2 * rows.len() > texts.len():
        return slow(texts)
    forms = quick(texts)
    return forms.clone().scatter(rows, slow(texts.gather(rows))) if rows.len() else forms
