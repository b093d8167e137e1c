"""Tokens under the register's own key: of an entry's details, and of a cohort's people.

Source: docs/reference/pseudonyms.md, "Match-keys and tokens" (tombstone).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from gateway import identity
from gateway.objections.register import SLOTS, TOMBSTONE_SCHEMA, formable


def tombstones_of(elements: pl.DataFrame, key: bytes) -> pl.DataFrame:
    """All tokens that details give, under the register's key.

    Args:
        elements: one row per entry: `sequence` and elements of `std1`.
        key: the tombstone key, 32 bytes.

    Returns:
        `sequence`, `token`, `value` (16 bytes), one row for each token that can be made.
    """
    made = [
        values.rename({"ref": "sequence"})
        for token in formable(elements.columns)
        for values in tokens_by_slot(elements.rename({"sequence": "ref"}), token, key)
    ]
    if not made:
        return pl.DataFrame(schema=dict(TOMBSTONE_SCHEMA))
    return pl.concat(made).unique(maintain_order=True).select(*TOMBSTONE_SCHEMA)


def tokens_by_slot(elements: pl.DataFrame, token: str, key: bytes) -> Iterator[pl.DataFrame]:
    """One token of each row under each of its names, present and former.

    Yields:
        `ref`, `token`, `value`; rows whose components are missing are left out.
    """
    for slot in SLOTS:
        named = with_slot(elements, slot)
        if named is None or not named.height:
            continue
        values = identity.tokens(named, token, key)
        yield (
            pl.DataFrame({"ref": named["ref"], "value": values})
            .filter(pl.col("value").is_not_null())
            .select("ref", pl.lit(token).alias("token"), "value")
        )


def with_slot(elements: pl.DataFrame, slot: str) -> pl.DataFrame | None:
    """The rows that have a name in this slot, under that name; None if nobody has one."""
    if not slot:
        return elements
    former: Sequence[str] = [name for name in elements.columns if name.startswith(slot)]
    if not former:
        return None
    having = elements.filter(pl.any_horizontal(pl.col(former).is_not_null()))
    renamed = {name: name.removeprefix(slot) for name in former}
    return having.drop(renamed.values(), strict=False).rename(renamed)
