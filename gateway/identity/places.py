"""Dates, houses, streets and towns in one spelling.

Source: docs/reference/pseudonyms.md, "Elements".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

import polars as pl

from gateway.identity.identifiers import WHITE_SPACE, postcode_unit
from gateway.identity.names import folded, present, spelled
from gateway.model import shipped

EARLIEST_BIRTH: Final = dt.date(1895, 1, 1)
PLACEHOLDER_DATES: Final = (dt.date(1900, 1, 1), dt.date(1901, 1, 1))

_ISO_DATE: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_HOUSE: Final = "^0*([1-9][0-9]*)"
_HOUSE_LETTER: Final = "^0*[1-9][0-9]*([A-Za-z])(?:[^A-Za-z]|$)"
_LEADING_NUMBERS: Final = "^(?:[0-9]+[A-Za-z]?(?:[ ,/-]+|$))+"


def real_dates(values: pl.Series) -> pl.Series:
    """Read dates: a date column as it is, a text only as `YYYY-MM-DD` of a real day."""
    if values.dtype == pl.Date:
        return values
    text = values.str.strip_chars(WHITE_SPACE)
    shaped = text.to_frame("t").select(pl.when(pl.col("t").str.contains(_ISO_DATE)).then("t"))
    return shaped.to_series().str.to_date("%Y-%m-%d", strict=False)


def birth_dates(values: pl.Series, placeholders: Sequence[dt.date]) -> pl.Series:
    """Give each date of birth as `YYYY-MM-DD`; placeholders and those before 1895 are null."""
    day = pl.col("day")
    missing = [*PLACEHOLDER_DATES, *placeholders]
    kept = pl.when((day >= EARLIEST_BIRTH) & ~day.is_in(missing)).then(day)
    frame = real_dates(values).alias("day").to_frame()
    return frame.select(kept.dt.to_string("%Y-%m-%d")).to_series()


def sexes(values: pl.Series) -> pl.Series:
    """Give 1 for male and 2 for female; all else is null, and nothing is converted."""
    text = pl.col("text")
    frame = values.cast(pl.String).str.strip_chars(WHITE_SPACE).alias("text").to_frame()
    return frame.select(pl.when(text.is_in(["1", "2"])).then(text)).to_series()


def postcodes(values: pl.Series, form: str) -> pl.Series:
    """Give each postcode without space; with form `digits`, 3 to 10 digits."""
    frame = values.cast(pl.String).alias("text").to_frame()
    if form != "digits":
        return frame.select(postcode_unit("text")).to_series()
    digits = pl.col("text").str.replace_all("[^A-Za-z0-9]+", "")
    return frame.select(pl.when(digits.str.contains("^[0-9]{3,10}$")).then(digits)).to_series()


def house_numbers(values: pl.Series) -> pl.Series:
    """Give the digits that a house number begins with, and one letter directly after them."""
    text = pl.col("text").str.strip_chars(WHITE_SPACE)
    letter = text.str.extract(_HOUSE_LETTER).str.to_uppercase().fill_null("")
    frame = values.cast(pl.String).alias("text").to_frame()
    return frame.select(text.str.extract(_HOUSE) + letter).to_series()


def street_names(values: pl.Series) -> pl.Series:
    """Give each street without leading numbers, its last word in full, its parts joined."""
    unnumbered = folded(present(values)).str.replace(_LEADING_NUMBERS, "")
    names = spelled(unnumbered)
    table = shipped.streets()
    last = pl.col("s").str.extract(" ([A-Z]+)$")
    full = last.replace_strict(list(table), list(table.values()), default=None)
    head = pl.col("s").str.replace(" [A-Z]+$", " ")
    longer = pl.when(full.is_not_null()).then(head + full).otherwise("s")
    return names.alias("s").to_frame().select(longer).to_series().str.replace_all(" ", "")


def town_names(values: pl.Series) -> pl.Series:
    """Give each town in letters A to Z, its parts joined."""
    return spelled(present(values)).str.replace_all(" ", "")
