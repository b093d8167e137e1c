"""An extract whose direct identifiers are noted as it is read, for the last scan.

Whatever columns a release asks for, the names, dates of birth, postcodes and numbers
of the batch are read beside them, and go no further than the notes.

Source: security point 18.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from gateway.adapters.store_reading import StoredExtract
from gateway.disclosure import DIRECT_COLUMNS, Directs, directs, merge_directs, no_directs


@dataclass(slots=True)
class Tap:
    """What passes of the batch's direct identifiers."""

    found: Directs = field(default_factory=no_directs, repr=False)

    def seen(self) -> Directs:
        """Everything that was noted so far."""
        return self.found


def untapped() -> Directs:
    """What a run that never serialises has noted: nothing, and nobody may ask.

    Raises:
        RuntimeError: always; the last scan would let everything pass.
    """
    raise RuntimeError("direct identifiers were not noted: a rehearsal is never serialised")


@dataclass(frozen=True, slots=True)
class Tapped:
    """An extract whose direct identifiers are noted as it is read."""

    stored: StoredExtract
    tap: Tap = field(repr=False)

    @property
    def rows(self) -> int:
        """Accepted rows."""
        return self.stored.rows

    def frames(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """The stored blocks, only the named columns that exist."""
        both = None if columns is None else list(dict.fromkeys((*columns, *DIRECT_COLUMNS)))
        for frame in self.stored.frames(both):
            self.tap.found = merge_directs(self.tap.found, directs(frame))
            if columns is None:
                yield frame
            else:
                yield frame.select(name for name in columns if name in frame.columns)
