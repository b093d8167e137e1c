"""Which people of a cohort meet which entries of the register: a small, mergeable summary.

Whether a token is unique is known only when the whole cohort has been seen. So
each block gives its hits, few as they are, and `resolve` decides over all of them.

Source: security point 16; docs/reference/pseudonyms.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import polars as pl

from gateway import identity
from gateway.objections.likeness import likely_pairs
from gateway.objections.register import Register
from gateway.objections.thin import could_fit
from gateway.objections.tombstones import tokens_by_name

PREFIX: Final = "std."
NATIONAL: Final = ("nhs", "upn", "nino")


def elements_of(frame: pl.DataFrame) -> pl.DataFrame:
    """The people of a block as `ref` and their elements of `std1`, without prefix."""
    names = [name for name in frame.columns if name.startswith(PREFIX)]
    return frame.select(
        pl.col("person").alias("ref"),
        *(pl.col(name).alias(name.removeprefix(PREFIX)) for name in names),
    )


def compare(frame: pl.DataFrame, register: Register) -> pl.DataFrame:
    """The hits of one block.

    Args:
        frame: n rows with `person` and `std.ELEMENT`.
        register: the entries in force; only the tokens that it holds are made.

    Returns:
        `person`, `sequence`, `token` (a token name or a rule of likeness), `value`
        (the token, null for likeness), `clash` (both have a national number, and
        it is not the same). Grows with the matches, not with the rows.
    """
    people = elements_of(frame)
    if not register.entries.height:
        return _hits([], people, register)
    return _hits(
        [*_token_hits(people, register), *_likeness_hits(people, register)], people, register
    )


def merge_hits(hits: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """All blocks' hits together; the order does not matter."""
    return pl.concat(hits)


def incomparable(elements: Iterable[str], register: Register) -> pl.DataFrame:
    """The identities of entries of which a cohort with these elements can make no token."""
    tokens = identity.token_names(elements)
    known = register.tombstones.filter(pl.col("token").is_in(tokens)).select("sequence").unique()
    return register.identities.join(known, on="sequence", how="anti")


def _token_hits(people: pl.DataFrame, register: Register) -> Iterator[pl.DataFrame]:
    by_token = register.tombstones.partition_by("token", as_dict=True, include_key=False)
    wanted = [name for name in identity.token_names(people.columns) if (name,) in by_token]
    for ours in tokens_by_name(people, wanted, register.key):
        if ours.height:
            theirs = by_token[(ours["token"][0],)]
            yield ours.join(theirs, on="value").select("ref", "sequence", "token", "value")


def _likeness_hits(people: pl.DataFrame, register: Register) -> Iterator[pl.DataFrame]:
    thin = incomparable(people.columns, register)
    told = register.identities.join(thin.select("sequence"), on="sequence", how="anti")
    for pairs in (*likely_pairs(people, told), *could_fit(people, thin)):
        yield pairs.with_columns(pl.lit(None, dtype=pl.Binary).alias("value"))


def _hits(found: list[pl.DataFrame], people: pl.DataFrame, register: Register) -> pl.DataFrame:
    nothing = pl.DataFrame(
        schema={
            "ref": people.schema["ref"],
            "sequence": pl.Int64,
            "token": pl.String,
            "value": pl.Binary,
        }
    )
    hits = pl.concat([nothing, *found]).unique()
    return hits.with_columns(_clashes(hits, people, register)).rename({"ref": "person"})


def _clashes(hits: pl.DataFrame, people: pl.DataFrame, register: Register) -> pl.Series:
    shared = [
        name for name in NATIONAL if name in people.columns and name in register.identities.columns
    ]
    if not shared or not hits.height:
        return pl.Series("clash", [False], dtype=pl.Boolean).new_from_index(0, hits.height)
    few = people.join(hits.select("ref").unique(), on="ref", how="semi").unique("ref")
    theirs = register.identities.select(
        "sequence", *(pl.col(name).alias(f"entry.{name}") for name in shared)
    )
    pairs = hits.join(few.select("ref", *shared), on="ref", how="left", maintain_order="left").join(
        theirs, on="sequence", how="left", maintain_order="left"
    )
    differs = [(pl.col(n) != pl.col(f"entry.{n}")).fill_null(value=False) for n in shared]
    return pairs.select(pl.any_horizontal(differs).alias("clash")).to_series()
