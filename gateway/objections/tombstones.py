"""Tokens under the register's own key: of an entry's details, and of a cohort's people.

Source: docs/reference/pseudonyms.md, "Tokens, pseudonyms, tombstones".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import polars as pl

from gateway import identity
from gateway.identity import TombstoneKey
from gateway.objections.register import TOMBSTONE_SCHEMA

# How many tokens of a block are in memory together: they share components.
TOGETHER: Final = 8

_SLOT: Final = re.compile(r"(former[0-9]+)\.sn1")


def tombstones_of(elements: pl.DataFrame, key: TombstoneKey) -> pl.DataFrame:
    """All tokens that details give, under the register's key.

    Args:
        elements: one row per entry: `sequence` and elements of `std1`.
        key: the tombstone key.

    Returns:
        `sequence`, `token`, `value` (16 bytes), one row for each token that can be made.
    """
    told = elements.rename({"sequence": "ref"})
    made = [
        values.drop_nulls("value").select(
            pl.col("ref").alias("sequence"), pl.lit(name).alias("token"), "value"
        )
        for name, values in tokens_by_name(told, identity.token_names(elements.columns), key)
    ]
    if not made:
        return pl.DataFrame(schema=dict(TOMBSTONE_SCHEMA))
    return pl.concat(made).unique(maintain_order=True).select(*TOMBSTONE_SCHEMA)


def tokens_by_name(
    elements: pl.DataFrame, tokens: Sequence[str], key: TombstoneKey
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Tokens of each row under each of its names, present and former.

    Yields:
        The token's name, and `ref`, `value`: null where a component is missing.
    """
    for named in by_name(elements):
        for names in _batches(tokens):
            made = identity.token_columns(named, names, key)
            for name in names:
                yield name, pl.DataFrame({"ref": named["ref"], "value": made[name]})


def by_name(elements: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The rows as they are, then those with a former surname under that surname.

    Yields:
        Frames without alias columns; an alias frame holds only the rows that have it.
    """
    yield elements.select(name for name in elements.columns if "." not in name)
    for slot in _slots(elements.columns):
        having = elements.filter(pl.col(f"{slot}.sn1").is_not_null())
        if having.height:
            yield identity.alias_elements(having, slot)


def _slots(columns: Iterable[str]) -> list[str]:
    return [found[1] for name in columns if (found := _SLOT.fullmatch(name))]


def _batches(tokens: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(tokens), TOGETHER):
        yield tokens[at : at + TOGETHER]
