"""Who might be a person of the register though no token says so.

A person who objected must not come back by a typing error. Pairs are found by
loose blocks (a shared part of name and birth, or of name and address), then
judged by names in C. Likeness never decides: it holds the person for a human.

Source: security point 16; docs/explanation/objections.md gives leaks and holds, measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl
from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler

from gateway.objections.sounds import sound_of
from gateway.objections.writing import LOST, by_writing

ALIKE: Final = 0.8
PAIRS_TOGETHER: Final = 100_000
_COMPARED: Final = ("fn1", "fnx", "sn1", "snx", "mn", "nick", "dob", "pc", "sn_sound")

# An entry that tells nothing of this (only a number, say) can be like nobody.
_TOLD: Final = pl.any_horizontal(pl.col("fn1", "sn1", "dob", "pc").is_not_null())

_YEAR = pl.col("dob").str.slice(0, 4)
_MONTH = pl.col("dob").str.slice(5, 2)
_DAY = pl.col("dob").str.slice(8, 2)
_INITIAL = pl.col("fn1").str.slice(0, 1)
_FAMILY_INITIAL = pl.col("sn1").str.slice(0, 1)


def _parts(*parts: pl.Expr | str) -> pl.Expr:
    """Parts joined to one block key; null, and so in no block, where a part is missing."""
    return pl.concat_str(
        [pl.col(part) if isinstance(part, str) else part for part in parts], separator="\x1f"
    )


def _earlier(first: pl.Expr, second: pl.Expr) -> pl.Expr:
    return pl.min_horizontal(first, second)


def _later(first: pl.Expr, second: pl.Expr) -> pl.Expr:
    return pl.max_horizontal(first, second)


Judge = Callable[[pl.DataFrame], pl.Series]


@dataclass(frozen=True, slots=True)
class Block:
    """One way to find pairs: a key of the candidate, one of the entry, and what must hold.

    `undated` pairs only where one of the two has no date of birth.
    """

    name: str
    candidate: pl.Expr
    entry: pl.Expr
    judge: Judge
    undated: bool = False


def _any(pairs: pl.DataFrame) -> pl.Series:
    return pl.Series([True], dtype=pl.Boolean).new_from_index(0, pairs.height)


def forenames_alike(pairs: pl.DataFrame) -> pl.Series:
    """Equal, near, an initial or the start of the other, a middle name used first, or missing."""
    return (
        _near(pairs, "fn1", "entry.fn1")
        | _near(pairs, "mn", "entry.fn1", missing=False)
        | _equal(pairs, "nick", "entry.nick")
    )


def _both_names_alike(pairs: pl.DataFrame) -> pl.Series:
    return forenames_alike(pairs) & surnames_alike(pairs)


def surnames_alike(pairs: pl.DataFrame) -> pl.Series:
    """Nearly the same surname, whole or first part, or one of them missing."""
    return _near(pairs, "snx", "entry.snx") | _near(pairs, "sn1", "entry.sn1")


def _names_crossed(pairs: pl.DataFrame) -> pl.Series:
    return _near(pairs, "fn1", "entry.sn1") & _near(pairs, "sn1", "entry.fn1")


def _names_or_birth_alike(pairs: pl.DataFrame) -> pl.Series:
    """At one postcode: both names alike, or one name and most of the date of birth."""
    one = forenames_alike(pairs) | surnames_alike(pairs)
    return _both_names_alike(pairs) | (one & _births_near(pairs))


def _births_near(pairs: pl.DataFrame) -> pl.Series:
    """Two of year, month and day equal, day and month swapped, or one birth unknown."""
    ours, theirs = pl.col("dob"), pl.col("entry.dob")
    same = [ours.str.slice(*at) == theirs.str.slice(*at) for at in ((0, 4), (5, 2), (8, 2))]
    two = pl.sum_horizontal(part.cast(pl.Int8) for part in same) >= 2
    swapped = (ours.str.slice(5, 2) == theirs.str.slice(8, 2)) & (
        ours.str.slice(8, 2) == theirs.str.slice(5, 2)
    )
    return pairs.select((two | swapped).fill_null(value=True)).to_series()


# Of a name that `std1` does not keep nothing speaks against an equal birth date.
_LOST_BIRTH = pl.when(pl.col(LOST) & (pl.col("fn1").is_null() | pl.col("sn1").is_null())).then(
    _parts("dob")
)

# Whoever has no forename here is looked for by the surname alone, where births say nothing.
_LONE_SURNAME = pl.when(pl.col("nick").is_null()).then(_parts("sn_sound"))

_DATED_NAME = (
    _parts("nick", "sn_sound", _YEAR, _MONTH),
    _parts("nick", "sn_sound", _MONTH, _DAY),
    _parts("nick", "sn_sound", _YEAR, _DAY),
    _parts("nick", "sn_sound", _YEAR, _earlier(_DAY, _MONTH), _later(_DAY, _MONTH)),
)


def _same(name: str, key: pl.Expr, judge: Judge, *, undated: bool = False) -> Block:
    return Block(name, key, key, judge, undated)


BLOCKS: Final = (
    _same("birth-and-surname", _parts("dob", "sn_sound"), forenames_alike),
    _same("birth-and-forename", _parts("dob", "nick"), _any),
    _same("birth-and-initials", _parts("dob", _INITIAL, _FAMILY_INITIAL), _both_names_alike),
    Block(
        "birth-and-crossed-names",
        _parts("dob", _INITIAL, _FAMILY_INITIAL),
        _parts("dob", _FAMILY_INITIAL, _INITIAL),
        _names_crossed,
    ),
    _same("birth-and-postcode", _parts("dob", "pc"), _any),
    *(_same("names-and-most-of-birth", key, _any) for key in _DATED_NAME),
    _same("postcode-and-forename-initial", _parts("pc", _INITIAL), _names_or_birth_alike),
    _same("postcode-and-surname", _parts("pc", "sn_sound"), _names_or_birth_alike),
    Block("birth-and-unkept-name", _LOST_BIRTH, _parts("dob"), _both_names_alike),
    Block("birth-and-unkept-name", _parts("dob"), _LOST_BIRTH, _both_names_alike),
    Block("surname-without-birth", _LONE_SURNAME, _parts("sn_sound"), surnames_alike, undated=True),
    Block("surname-without-birth", _parts("sn_sound"), _LONE_SURNAME, surnames_alike, undated=True),
    _same("names-without-birth", _parts("nick", "sn_sound"), _any, undated=True),
)


def likely_pairs(
    candidates: pl.DataFrame,
    identities: pl.DataFrame,
    *,
    unsettled: Callable[[pl.DataFrame], pl.DataFrame] = lambda pairs: pairs,
) -> Iterator[pl.DataFrame]:
    """Pairs of candidates and entries that are alike.

    Whoever is paired once is not looked for again: one doubt is enough to hold them.

    Args:
        candidates: `ref` and elements of `std1` as far as they are there.
        identities: `sequence` and elements, one row per entry.
        unsettled: leaves out pairs that are known to be two people; they hold nobody, so
            that other entries are looked for still.

    Yields:
        `ref`, `sequence`, `token` (the block's name): no pair is certain.
    """
    entries = comparable(identities.rename({"sequence": "ref"}))
    entries = _with_middle_names(entries).rename({"ref": "sequence"})
    if not entries.height or not entries.select(_TOLD).to_series().any():
        return
    for named in by_writing(candidates):
        ours = comparable_rows(named)
        for block in BLOCKS:
            pairs = unsettled(_paired(ours, entries, block))
            yield pairs
            if pairs.height:
                ours = ours.filter(~pl.col("ref").is_in(pairs["ref"].unique().implode()))


def comparable(elements: pl.DataFrame) -> pl.DataFrame:
    """Each row under each of its names: present and former."""
    return pl.concat([comparable_rows(named) for named in by_writing(elements)])


def comparable_rows(elements: pl.DataFrame) -> pl.DataFrame:
    """The elements that likeness compares, missing where they are not there at all."""
    absent = [
        pl.lit(None, dtype=pl.String).alias(name)
        for name in _COMPARED
        if name not in elements.columns
    ]
    frame = elements.with_columns(absent)
    sounds = sound_of(frame["sn1"])
    return frame.select("ref", LOST, *_COMPARED).with_columns(sounds.alias("sn_sound"))


def _with_middle_names(entries: pl.DataFrame) -> pl.DataFrame:
    """An entry also under its middle name: people go by it."""
    middle = entries.filter(pl.col("mn").is_not_null() & (pl.col("mn") != pl.col("fn1")))
    return pl.concat(
        [entries, middle.with_columns(pl.col("mn").alias("fn1"), pl.col("mn").alias("nick"))]
    )


def _paired(candidates: pl.DataFrame, entries: pl.DataFrame, block: Block) -> pl.DataFrame:
    ours, theirs = _keys(candidates, block.candidate), _keys(entries, block.entry)
    if block.undated:
        born = ours.filter("dated").join(theirs.filter(~pl.col("dated")), on="block")
        pairs = pl.concat([born, ours.filter(~pl.col("dated")).join(theirs, on="block")])
    else:
        pairs = ours.join(theirs, on="block")
    alike = [_judged(part, candidates, entries, block) for part in parts_of(pairs)]
    return pl.concat(alike).select("ref", "sequence", pl.lit(block.name).alias("token"))


def _keys(frame: pl.DataFrame, key: pl.Expr) -> pl.DataFrame:
    """The block key of each row and the row's place; rows without a key are left out."""
    keyed = frame.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"),
        key.alias("block"),
        pl.col("dob").is_not_null().alias("dated"),
    )
    return keyed.filter(pl.col("block").is_not_null())


def parts_of(pairs: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Pairs a few at a time, at least once."""
    for at in range(0, max(pairs.height, 1), PAIRS_TOGETHER):
        yield pairs.slice(at, PAIRS_TOGETHER)


def _judged(
    pairs: pl.DataFrame, candidates: pl.DataFrame, entries: pl.DataFrame, block: Block
) -> pl.DataFrame:
    theirs = entries[pairs["row_right"]]
    renamed = theirs.rename(lambda name: name if name == "sequence" else f"entry.{name}")
    together = candidates[pairs["row"]].hstack(renamed)
    return together.filter(block.judge(together)).select("ref", "sequence")


def _equal(pairs: pl.DataFrame, ours: str, theirs: str) -> pl.Series:
    return pairs.select((pl.col(ours) == pl.col(theirs)).fill_null(value=False)).to_series()


def _near(pairs: pl.DataFrame, ours: str, theirs: str, *, missing: bool = True) -> pl.Series:
    """Whether two names are nearly the same; a missing one counts as `missing`."""
    first, second = pairs[ours].fill_null("").to_list(), pairs[theirs].fill_null("").to_list()
    close = process.cpdist(first, second, scorer=JaroWinkler.normalized_similarity) >= ALIKE
    typo = process.cpdist(first, second, scorer=OSA.distance, score_cutoff=1) <= 1
    begins = pl.col(ours).str.starts_with(pl.col(theirs)) | pl.col(theirs).str.starts_with(
        pl.col(ours)
    )
    return pairs.select(
        pl.when(pl.col(ours).is_null() | pl.col(theirs).is_null())
        .then(pl.lit(missing))
        .otherwise(pl.lit(pl.Series(close | typo)) | begins)
    ).to_series()
