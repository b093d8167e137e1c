"""Rows of a stored extract that no reader sees: a list of their places beside it.

Source: decision 0143; docs/reference/contracts.md, "Unique".
"""

from __future__ import annotations

import numpy as np
import polars as pl

from gateway.adapters.extract_files import not_as_recorded


class LeftOut:
    """Places of rows that are passed over, while blocks are read in their order."""

    def __init__(self, octets: bytes) -> None:
        """Read the list.

        Raises:
            IntegrityError: it is no list of ascending places.
        """
        self.octets = octets
        if len(octets) % 4:
            raise not_as_recorded()
        self._places = np.frombuffer(octets, "<u4").astype(np.int64)
        if (np.diff(self._places) <= 0).any():
            raise not_as_recorded()
        self._start = 0

    def without(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Give the next block without the rows that are left out."""
        start, self._start = self._start, self._start + frame.height
        low, high = np.searchsorted(self._places, (start, self._start))
        if low == high:
            return frame
        kept = np.ones(frame.height, bool)
        kept[self._places[low:high] - start] = False
        return frame.filter(pl.Series(kept))
