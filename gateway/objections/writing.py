"""Each person under each of their names, and as they are written where `std1` keeps too little.

Of a name in another script, or of a placeholder, the standard form keeps nothing. Likeness
then takes the name as it is written (`identity.unkept_columns`) beside it, on both sides, so
that who objects with exactly their own strings is always found.

Source: security point 16; docs/adr/0330-names-that-the-standard-form-does-not-keep.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from gateway.identity import UNKEPT, familiar, name_parts
from gateway.objections.tombstones import by_name

# Marks rows with a name that the standard form does not keep.
LOST: Final = "lost"

_OF: Final = f"{UNKEPT}."
_FORMER: Final = f"{_OF}former"


def by_writing(elements: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The rows as `by_name` gives them, then those with unkept names, as they are written.

    Yields:
        Frames of elements and `lost`: whether a name of the row is not kept.
    """
    unkept = [name for name in elements.columns if name.startswith(_OF)]
    lost = pl.any_horizontal(pl.lit(value=False), *(pl.col(name).is_not_null() for name in unkept))
    marked = elements.with_columns(lost.alias(LOST))
    yield from by_name(marked)
    some = marked.filter(LOST)
    if some.height:
        yield from _as_written(some, unkept)


def _as_written(rows: pl.DataFrame, unkept: Sequence[str]) -> Iterator[pl.DataFrame]:
    rows = _forenames(rows)
    present = _surname(rows, f"{_OF}sn")
    yield _plain(present)
    slots = {name.removeprefix(_OF) for name in unkept if name.startswith(_FORMER)}
    slots |= {name.removesuffix(".sn1") for name in rows.columns if name.startswith("former")}
    for slot in sorted(slot for slot in slots if "." not in slot):
        kept = [pl.col(f"{slot}.{name}").alias(name) for name in _kept_of(rows, slot)]
        missing = pl.lit(None, dtype=pl.String)
        named = rows.with_columns(kept or [missing.alias(name) for name in ("sn1", "snx")])
        having = _surname(named, f"{_OF}{slot}").filter(pl.col("sn1").is_not_null())
        if having.height:
            yield _plain(having)


def _kept_of(rows: pl.DataFrame, slot: str) -> list[str]:
    return [name for name in ("sn1", "snx") if f"{slot}.{name}" in rows.columns]


def _forenames(rows: pl.DataFrame) -> pl.DataFrame:
    made: list[pl.Series] = []
    if f"{_OF}fn" in rows.columns:
        parts = name_parts(rows[f"{_OF}fn"], "f")
        made += [parts["fn1"], parts["fnx"], familiar(parts["fn1"]).alias("nick")]
    if f"{_OF}mn" in rows.columns:
        made.append(name_parts(rows[f"{_OF}mn"], "f")["fn1"].alias("mn"))
    return _instead(rows, made)


def _surname(rows: pl.DataFrame, written: str) -> pl.DataFrame:
    if written not in rows.columns:
        return rows
    return _instead(rows, name_parts(rows[written], "s").select("sn1", "snx").get_columns())


def _instead(rows: pl.DataFrame, made: Sequence[pl.Series]) -> pl.DataFrame:
    """The rows with what is written in the place of what was kept, where anything is."""
    kept = [
        pl.col(each.name) if each.name in rows.columns else pl.lit(None, dtype=pl.String)
        for each in made
    ]
    return rows.with_columns(
        pl.coalesce(pl.lit(each), old).alias(each.name)
        for each, old in zip(made, kept, strict=True)
    )


def _plain(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(name for name in rows.columns if "." not in name)
