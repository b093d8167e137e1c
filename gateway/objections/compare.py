"""Which people of a cohort meet which entries of the register: a small, mergeable summary.

Whether a token is unique is known only when the whole cohort has been seen. So
each block gives its hits, few as they are, and `resolve` decides over all of them.

Source: security point 16; docs/reference/pseudonyms.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Final

import polars as pl

from gateway import identity
from gateway.model.tokens import TOKEN_NAMES
from gateway.objections.entries import CERTAIN, EntryKind
from gateway.objections.likeness import likely_pairs
from gateway.objections.matching import references
from gateway.objections.register import Register
from gateway.objections.thin import could_fit
from gateway.objections.tombstones import tokens_by_name

PREFIX: Final = "std."
NATIONAL: Final = ("nhs", "upn", "nino")


def compare(frame: pl.DataFrame, register: Register) -> pl.DataFrame:
    """The hits of one block: few, whatever its size.

    Certain tokens are kept in full, because `resolve` counts who shares them. Weaker
    evidence can only hold a person, so one such hit is enough: it is looked for only
    among people whom nothing has met yet, and never for a consent.

    Args:
        frame: n rows with `person` and `std.ELEMENT`.
        register: the entries in force; only the tokens that it holds are made.

    Returns:
        `person`, `sequence`, `token` (a token name or a rule of likeness), `value`
        (the token, null for likeness), `match` (the pair's reference for a person who
        settles it), `clash` (both have a national number, and it is not the same).
    """
    people = elements_of(frame)
    hits = _sought(frame, people, register) if register.entries.height else _NO_HITS
    persons = frame["person"].gather(hits["ref"])
    return hits.select(
        _apart(persons).alias("person"),
        "sequence",
        "token",
        _apart(hits["value"]),
        _matches(hits["ref"], frame, register),
        _clashes(hits, people, register),
    )


def _apart(values: pl.Series) -> pl.Series:
    """The same few values, copied, so that they do not hold the whole block in memory."""
    return pl.Series(values.name, values.to_list(), dtype=values.dtype)


def _matches(refs: pl.Series, frame: pl.DataFrame, register: Register) -> pl.Series:
    """The reference of each hit's person, for the queue."""
    return references(frame[refs], register.matching)


def _without_others(hits: pl.DataFrame, frame: pl.DataFrame, register: Register) -> pl.DataFrame:
    """Hits but those of pairs of whom a person has said that they are two people."""
    others = register.settled.filter(~pl.col("same")).select("sequence", "match")
    if not others.height or not hits.height:
        return hits
    told = hits.with_columns(_matches(hits["ref"], frame, register))
    return told.join(others, on=["sequence", "match"], how="anti").drop("match")


def _sought(frame: pl.DataFrame, people: pl.DataFrame, register: Register) -> pl.DataFrame:
    """Strong tokens with every entry, then weaker evidence of those whom none refuses yet.

    A pair that was settled as two people is no evidence: whatever else that person
    has in common with other entries is still looked for.
    """
    refusing = register.entries.filter(pl.col("kind") != EntryKind.CONSENT.value)["sequence"]
    found = _shared(people, register, (*_NATIONAL_TOKENS, *CERTAIN))
    strong = _without_others(pl.concat([_NO_HITS, *found]), frame, register)
    people = _unmet(people, strong, refusing)
    others = [name for name in TOKEN_NAMES if name not in (*_NATIONAL_TOKENS, *CERTAIN)]
    shared = _shared(people, _only(register, refusing), others)
    weak = _without_others(pl.concat([_NO_HITS, *shared]), frame, register)
    unsettled = partial(_without_others, frame=frame, register=register)
    alike = _alike(_unmet(people, weak, refusing), _only(register, refusing), unsettled)
    likely = _without_others(pl.concat([_NO_HITS, *alike]), frame, register)
    return pl.concat([strong, weak, likely]).unique()


def elements_of(frame: pl.DataFrame) -> pl.DataFrame:
    """The people of a block as `ref`, their row, and their elements of `std1`."""
    names = [name for name in frame.columns if name.startswith(PREFIX)]
    return frame.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("ref"),
        *(pl.col(name).alias(name.removeprefix(PREFIX)) for name in names),
    )


def merge_hits(hits: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """All blocks' hits together; the order does not matter."""
    return pl.concat(hits)


def incomparable(elements: Iterable[str], register: Register) -> pl.DataFrame:
    """The identities of entries of which a cohort with these elements can make no token."""
    tokens = identity.token_names(elements)
    known = register.tombstones.filter(pl.col("token").is_in(tokens)).select("sequence").unique()
    return register.identities.join(known, on="sequence", how="anti")


_NO_HITS: Final = pl.DataFrame(
    schema={"ref": pl.UInt32, "sequence": pl.Int64, "token": pl.String, "value": pl.Binary}
)

_NATIONAL_TOKENS: Final = tuple(f"TN-{name}" for name in NATIONAL)


def _only(register: Register, sequences: pl.Series) -> Register:
    """The register with these entries only."""
    kept = pl.col("sequence").is_in(sequences.implode())
    return replace(
        register,
        entries=register.entries.filter(kept),
        tombstones=register.tombstones.filter(kept),
        identities=register.identities.filter(kept),
    )


def _alike(
    people: pl.DataFrame, register: Register, unsettled: Callable[[pl.DataFrame], pl.DataFrame]
) -> Iterator[pl.DataFrame]:
    """Likeness, and entries of which this cohort can make no token."""
    vague = incomparable(people.columns, register)
    told = register.identities.join(vague.select("sequence"), on="sequence", how="anti")
    for pairs in likely_pairs(people, told, unsettled=unsettled):
        yield pairs.with_columns(_NO_VALUE)
    others = register.settled.filter(~pl.col("same"))["match"].value_counts()["count"]
    for pairs in could_fit(people, vague, settled=max(others, default=0)):
        yield pairs.with_columns(_NO_VALUE)


_NO_VALUE: Final = pl.lit(None, dtype=pl.Binary).alias("value")


def _shared(
    people: pl.DataFrame, register: Register, tokens: Iterable[str]
) -> Iterator[pl.DataFrame]:
    """The people and entries that share a token."""
    by_token = register.tombstones.partition_by("token", as_dict=True, include_key=False)
    formed = set(identity.token_names(people.columns))
    wanted = [name for name in tokens if name in formed and (name,) in by_token]
    for token, ours in tokens_by_name(people, wanted, register.key):
        shared = ours.join(by_token[(token,)], on="value")
        yield shared.select("ref", "sequence", pl.lit(token).alias("token"), "value")


def _unmet(people: pl.DataFrame, found: pl.DataFrame, refusing: pl.Series) -> pl.DataFrame:
    """The people whom no refusing entry has met."""
    met = found.filter(pl.col("sequence").is_in(refusing.implode()))["ref"].unique()
    return people.filter(~pl.col("ref").is_in(met.implode())) if met.len() else people


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
