"""Entries of which the cohort can make no token: they hold every candidate that they could fit.

Someone who objects by telephone may leave only a name. Nothing certain can be
said, so everyone whom the details could mean is held until a human has asked. What one
of the two does not tell speaks against nothing: a candidate of whom the extract has no
name that can be compared fits every entry that tells only a name.

Source: security point 16; docs/adr/0330-names-that-the-standard-form-does-not-keep.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from gateway.objections.likeness import (
    comparable,
    comparable_rows,
    forenames_alike,
    parts_of,
    surnames_alike,
)
from gateway.objections.writing import by_writing

RULE: Final = "could-fit"

# What an entry and a candidate can be compared by, and the element that it is made of.
_TOLD: Final = {"nick": "fn1", "sn_sound": "sn1", "dob": "dob"}
# Where to look, from the most telling: the first that both have is their block.
_BLOCKS: Final = (("nick", "sn_sound"), ("sn_sound",), ("dob",), ("nick",))

_Patterns = dict[frozenset[str], pl.DataFrame]

_NO_PAIRS: Final = pl.DataFrame(schema={"ref": pl.UInt32, "sequence": pl.Int64, "token": pl.String})


def could_fit(
    candidates: pl.DataFrame, identities: pl.DataFrame, *, settled: int = 0
) -> Iterator[pl.DataFrame]:
    """Pairs of candidates and the entries that could mean them.

    Args:
        candidates: `ref`, elements of `std1` and unkept names.
        identities: `sequence` and the same of the entries without comparable tokens.
        settled: how many entries at most are known to be of somebody else than one
            candidate. Where a candidate fits every entry, one more is named than that.

    Yields:
        `ref`, `sequence`, `token`.
    """
    entries = comparable(identities.rename({"sequence": "ref"})).rename({"ref": "sequence"})
    if not entries.height:
        return
    askable = {told for told, element in _TOLD.items() if element in candidates.columns}
    by_pattern = _patterns(entries)
    for named in by_writing(candidates):
        yield _at_postcode(named, by_pattern)
        for known, ours in _patterns(comparable_rows(named)).items():
            for told, theirs in by_pattern.items():
                if told & askable:
                    yield _fitting(ours, theirs, told & known, settled + 1)


def _patterns(rows: pl.DataFrame) -> _Patterns:
    """The rows by what they tell."""
    patterns = rows.select(pl.col(name).is_not_null().alias(f"has.{name}") for name in _TOLD)
    parted = rows.hstack(patterns).partition_by(
        patterns.columns, as_dict=True, include_key=False, maintain_order=True
    )
    return {
        frozenset(name for name, has in zip(_TOLD, key, strict=True) if has): part
        for key, part in parted.items()
    }


def _at_postcode(named: pl.DataFrame, by_pattern: _Patterns) -> pl.DataFrame:
    """Everyone at the postcode of an entry that tells nothing else to compare."""
    theirs = by_pattern.get(frozenset())
    if theirs is None or "pc" not in named.columns:
        return _NO_PAIRS
    return _told(named.select("ref", "pc").join(theirs.select("pc", "sequence"), on="pc"))


def _fitting(
    ours: pl.DataFrame,
    theirs: pl.DataFrame,
    common: frozenset[str],
    enough: int,
) -> pl.DataFrame:
    """Pairs against which nothing speaks that both tell; an address may have changed."""
    if not common:
        first = theirs.select("sequence").unique().sort("sequence").head(enough)
        return _told(ours.join(first, how="cross"))
    block = next(block for block in _BLOCKS if common.issuperset(block))
    keyed = [frame.with_row_index("row").select("row", *block) for frame in (ours, theirs)]
    pairs = keyed[0].join(keyed[1], on=list(block))
    found = []
    for part in parts_of(pairs):
        entries = theirs[part["row_right"]]
        renamed = entries.rename(lambda name: name if name == "sequence" else f"entry.{name}")
        together = ours[part["row"]].hstack(renamed)
        found.append(_told(together.filter(_compatible(together))))
    return pl.concat(found)


def _told(pairs: pl.DataFrame) -> pl.DataFrame:
    return pairs.select("ref", "sequence", pl.lit(RULE).alias("token"))


def _compatible(pairs: pl.DataFrame) -> pl.Series:
    """Nothing that both sides know speaks against it."""
    born = pl.col("dob").is_null() | pl.col("entry.dob").is_null()
    near = pairs.select(born | (pl.col("dob") == pl.col("entry.dob"))).to_series()
    return near & forenames_alike(pairs) & surnames_alike(pairs)
