"""Treatments: one permitted column, as coarse as the agreement says.

The set is closed. Missing stays missing; an age has a reference date; a coarser
form can be made of a finer one, never the other way.

Source: UK GDPR Art 5(1)(c); docs/reference/policy.md, "Treatments".
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable

import polars as pl

from gateway.errors import RefusedError
from gateway.model import ColumnRule

OLDEST_BAND = 90

# From a finer to a coarser treatment of the same value, for `coarsen`.
POSTCODE_STEPS = ("postcode-sector", "postcode-district", "postcode-area")
DATE_STEPS = ("month", "quarter", "year")
AGE_STEPS = ("age", "age-band-5", "age-band-10")


def treated(rule: ColumnRule) -> pl.Expr:
    """The expression that gives one permitted column from its source value.

    Raises:
        RefusedError: the treatment is not one of the closed set.
    """
    value = pl.col(rule.source)
    if rule.treat in AGE_STEPS:
        at = pl.lit(rule.at) if isinstance(rule.at, dt.date) else pl.col(rule.reference)
        return _age(value, at, rule.treat)
    return treat(value, rule.treat)


def treat(value: pl.Expr, treatment: str) -> pl.Expr:
    """Coarsen one column; missing stays missing.

    Args:
        value: dates as Date, numbers as numbers, the rest as String.
        treatment: one of the closed set of docs/reference/policy.md, but for ages,
            which need a reference date.

    Raises:
        RefusedError: the treatment is not one of the closed set.
    """
    name, _, argument = treatment.partition(":")
    simple = _SIMPLE.get(name)
    if simple is not None and not argument:
        return simple(value)
    numeric = _NUMERIC.get(name)
    if numeric is not None and argument:
        return numeric(value, argument)
    raise RefusedError(
        "minimise/unknown-treatment",
        f'"{name}" is not a treatment of this gateway.',
        remedy="Use one of the treatments in docs/reference/policy.md.",
    )


def coarser(value: pl.Expr, present: str, wanted: str) -> pl.Expr:
    """Coarsen a treated column further: district to area, five-year to ten-year band.

    Raises:
        RefusedError: `wanted` cannot be made from `present`.
    """
    if present == wanted:
        return value
    for steps in (POSTCODE_STEPS, DATE_STEPS, AGE_STEPS):
        if present in steps and wanted in steps and steps.index(wanted) > steps.index(present):
            return _FURTHER[wanted](value)
    raise RefusedError(
        "minimise/not-coarser",
        f'A column treated as "{present}" cannot be coarsened to "{wanted}".',
        remedy="List treatments from finer to coarser of the same kind.",
    )


def _age(born: pl.Expr, at: pl.Expr, treatment: str) -> pl.Expr:
    """Completed years at the reference date; negative is missing."""
    years = (_digits(at) - _digits(born)) // 10_000
    years = pl.when(years >= 0).then(years)
    return years if treatment == "age" else _band(years, int(treatment.rsplit("-", 1)[1]))


def _digits(date: pl.Expr) -> pl.Expr:
    """A date as one number: of its difference to a later day all but four digits is years."""
    year, month = date.dt.year().cast(pl.Int32), date.dt.month().cast(pl.Int32)
    return year * 10_000 + month * 100 + date.dt.day()


def _band(years: pl.Expr, width: int) -> pl.Expr:
    """Years to the label of their band, looked up in a list."""
    labels = [f"{low}-{low + width - 1}" for low in range(0, OLDEST_BAND, width)]
    place = years.clip(upper_bound=OLDEST_BAND) // width
    return pl.lit(pl.Series([*labels, f"{OLDEST_BAND}+"])).gather(place)


def _postcode(value: pl.Expr) -> pl.Expr:
    """Capitals and digits only."""
    return value.map_batches(_capitals_and_digits, return_dtype=pl.String)


def _capitals_and_digits(values: pl.Series) -> pl.Series:
    spaced = values.str.contains("^[A-Z0-9 ]*$")
    if spaced.all():
        return values.str.replace_all(" ", "", literal=True)
    return values.str.to_uppercase().str.replace_all(r"[^A-Z0-9]", "")


def _flag(value: pl.Expr) -> pl.Expr:
    return pl.when(value.is_not_null()).then(pl.lit("Y")).otherwise(pl.lit("N"))


_SIMPLE: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "keep": lambda value: value,
    "year": lambda value: value.dt.year().cast(pl.String).str.zfill(4),
    "month": lambda value: value.dt.strftime("%Y-%m"),
    "quarter": lambda value: pl.format("{}-Q{}", value.dt.year(), value.dt.quarter()),
    "week-of-birth": lambda value: value.dt.strftime("%G-W%V"),
    "postcode-sector": lambda value: _postcode(value).str.head(-2),
    "postcode-district": lambda value: _postcode(value).str.head(-3),
    "postcode-area": lambda value: _postcode(value).str.extract(r"^([A-Z]{1,2})"),
    "flag": _flag,
}


def _threshold(value: pl.Expr, argument: str) -> pl.Expr:
    return pl.when(value.is_not_null()).then(
        pl.when(value >= float(argument)).then(pl.lit("Y")).otherwise(pl.lit("N"))
    )


def _bands(value: pl.Expr, argument: str) -> pl.Expr:
    """`band:10,20` gives <10, 10-19, 20+: each bound begins a band."""
    bounds = [int(part) for part in argument.split(",")]
    label: pl.Expr = pl.when(value.is_not_null()).then(pl.lit(f"{bounds[-1]}+"))
    for low, high in reversed(list(itertools.pairwise(bounds))):
        label = pl.when(value < high).then(pl.lit(f"{low}-{high - 1}")).otherwise(label)
    return pl.when(value < bounds[0]).then(pl.lit(f"<{bounds[0]}")).otherwise(label)


def _top_code(value: pl.Expr, argument: str) -> pl.Expr:
    top = int(argument)
    return pl.when(value >= top).then(pl.lit(f"{top}+")).otherwise(value.cast(pl.String))


def _round(value: pl.Expr, argument: str) -> pl.Expr:
    step = int(argument)
    return ((value / step).round() * step).cast(pl.Int64)


_NUMERIC: dict[str, Callable[[pl.Expr, str], pl.Expr]] = {
    "threshold": _threshold,
    "band": _bands,
    "top-code": _top_code,
    "round": _round,
}

_FURTHER: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "postcode-district": lambda value: value.str.head(-1),
    "postcode-area": lambda value: value.str.extract(r"^([A-Z]{1,2})"),
    "quarter": lambda value: pl.format(
        "{}-Q{}", value.str.head(4), (value.str.slice(5, 2).cast(pl.Int8) + 2) // 3
    ),
    "year": lambda value: value.str.head(4),
    "age-band-5": lambda value: _band(value, 5),
    "age-band-10": lambda value: _band(
        value.cast(pl.String).str.extract(r"^(\d+)").cast(pl.Int32), 10
    ),
}
