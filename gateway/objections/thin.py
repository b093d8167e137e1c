"""Entries of which the cohort can make no token: they hold every candidate that they could fit.

Someone who objects by telephone may leave only a name. Nothing certain can be
said, so everyone whom the details could mean is held until a human has asked.

Source: security point 16.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from gateway.objections.likeness import (
    comparable,
    comparable_rows,
    forenames_alike,
    surnames_alike,
)
from gateway.objections.tombstones import by_name

RULE: Final = "could-fit"

# Where to look, from the most telling: the first that an entry has is its block.
_BLOCKS: Final = (("nick", "sn_sound"), ("sn_sound",), ("dob",), ("pc",), ("nick",))


def could_fit(candidates: pl.DataFrame, identities: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Pairs of candidates and the entries that could mean them.

    Args:
        candidates: `ref` and elements of `std1`.
        identities: `sequence` and elements of the entries without comparable tokens.

    Yields:
        `ref`, `sequence`, `token`.
    """
    entries = comparable(identities.rename({"sequence": "ref"})).rename({"ref": "sequence"})
    if not entries.height:
        return
    for named in by_name(candidates):
        ours, left = comparable_rows(named), entries
        for block in _BLOCKS:
            has = pl.all_horizontal(pl.col(block).is_not_null())
            yield _fitting(ours, left.filter(has), block)
            left = left.filter(~has)


def _fitting(
    candidates: pl.DataFrame, entries: pl.DataFrame, block: tuple[str, ...]
) -> pl.DataFrame:
    theirs = entries.rename(lambda name: name if name == "sequence" else f"entry.{name}")
    keys = [f"entry.{name}" for name in block]
    pairs = candidates.join(theirs, left_on=block, right_on=keys, coalesce=False)
    fits = pairs.filter(_compatible(pairs)) if pairs.height else pairs
    return fits.select("ref", "sequence", pl.lit(RULE).alias("token"))


def _compatible(pairs: pl.DataFrame) -> pl.Series:
    """Nothing that both sides know speaks against it; an address may have changed."""
    born = pl.col("dob").is_null() | pl.col("entry.dob").is_null()
    near = pairs.select(born | (pl.col("dob") == pl.col("entry.dob"))).to_series()
    return near & forenames_alike(pairs) & surnames_alike(pairs)
