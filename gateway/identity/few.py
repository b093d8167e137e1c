"""Columns of which few texts are distinct: what is asked of a text is asked once for each.

Codes, forenames, streets and small numbers repeat; references and national numbers
do not. Which of the two a column is, is seen within its first few hundred rows.

Source: docs/explanation/architecture.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

try:
    from gateway.identity import _few as kernel

    fast = True
except ImportError:  # pragma: no cover - built wherever there is a compiler
    fast = False

MOST: Final = 256

Numbers = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Few:
    """The distinct texts of a column, missing among them, and the number of each row's."""

    table: pl.Series = field(repr=False)
    numbers: Numbers = field(repr=False)

    def spread(self, answers: pl.Series) -> pl.Series:
        """Give each row the answer to its text.

        Args:
            answers: one for each text of the table.
        """
        return answers.gather(pl.Series(self.numbers.astype(np.uint32)))

    def counts(self) -> list[int]:
        """How many rows have each text of the table."""
        return [int(n) for n in np.bincount(self.numbers, minlength=self.table.len())]


def few_texts(texts: pl.Series) -> Few | None:
    """Find the distinct texts of a column, or None where they are more than `MOST`.

    Args:
        texts: a text column.
    """
    if texts.dtype != pl.String:
        return None
    if not fast:
        return _plainly(texts)
    found = kernel.few(texts.rechunk().__arrow_c_stream__(), MOST)
    if found is None:
        return None
    numbers, first = found
    return Few(texts.gather(first), np.frombuffer(numbers, np.uint8))


def _plainly(texts: pl.Series) -> Few | None:
    table = texts.unique(maintain_order=True)
    if table.len() > MOST:
        return None
    keys = table.alias("text").to_frame().with_row_index("number")
    joined = (
        texts.alias("text")
        .to_frame()
        .join(keys, on="text", how="left", nulls_equal=True, maintain_order="left")
    )
    return Few(table, joined["number"].cast(pl.UInt8).to_numpy())
