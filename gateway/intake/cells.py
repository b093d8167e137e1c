"""The cells of a well-formed block as columns, cut and trimmed in the pass that counts them.

A block in any doubt is not answered here: the careful scan says what is wrong with
it, and two readers have to agree about the rest.

Source: RFC 4180 section 2; docs/reference/contracts.md, "Structure" and "Values".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from gateway.intake.scan import Scan

try:
    from gateway.intake._csvscan import parse as fast_parse
except ImportError:  # pragma: no cover - built wherever there is a compiler
    fast_parse = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class _Column:
    """What polars takes a column from without a copy."""

    capsules: tuple[object, object]

    def __arrow_c_array__(self, _schema: object = None) -> tuple[object, object]:
        return self.capsules


def cells(
    block: bytes, width: int, places: Sequence[tuple[str, int]], *, delimiter: str, longest: int
) -> tuple[Scan, pl.DataFrame] | None:
    """Check the structure of a block and give its cells, missing where nothing is left of one.

    Args:
        block: whole records in UTF-8.
        width: fields that every record must have.
        places: names of the wanted columns, and which field each is.
        delimiter: one ASCII character.
        longest: bytes that one cell may have, quotes included.

    Returns:
        What the block holds and its columns, or None where the slower way has to decide.
    """
    if fast_parse is None or not places or not block:
        return None
    fields = tuple(place for _, place in places)
    answer = fast_parse(block, delimiter, width, longest, fields)
    if answer is None:
        return None
    records, unusual, signs, padded, columns = answer
    seen = Scan(records=records, unusual=unusual, signs=signs, padded=padded)
    named = zip(places, columns, strict=True)
    return seen, pl.DataFrame([pl.Series(_Column(held)).alias(name) for (name, _), held in named])
