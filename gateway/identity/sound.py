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

# In the kernel's order. The last says of any text that no spreadsheet takes it for a formula.
KINDS: Final = ("nhs_number", "upn", "nino", "postcode", "no-formula")

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
