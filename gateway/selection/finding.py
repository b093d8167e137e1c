"""Find the one person that somebody has named, or nobody: never a guess.

A person is found if a national number agrees, or forename, surname and date of birth
do; if at least two details agree; if nothing that was told differs from what is stored;
and if all of this is true of one person alone. Twins with one number left out, a
letter too many, a second person of the name: then it is nobody.

Source: requirement R29; security point 21; UK GDPR Art 5(1)(d).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import polars as pl

from gateway.model import Plan
from gateway.selection.sources import Source
from gateway.selection.spine import SpineReader

NUMBERS: Final = ("nhs", "upn", "nino")
NAMED: Final = ("fn1", "snx", "dob")
FOUND_BY: Final = (*NUMBERS, *NAMED, "mn", "sex", "pc", "hn", "uprn")
AT_LEAST: Final = 2


def find_one(plan: Plan, spine: Source, sought: pl.DataFrame) -> str | None:
    """The person of the cohort that these details certainly tell.

    Args:
        plan: names the cohort.
        spine: the stored extracts of its spine.
        sought: one row of elements of `std1`; what is null was not told.

    Returns:
        The person as the cohort names them; None where it is nobody or more than one.
    """
    told: dict[str, str] = {
        name: sought[name][0]
        for name in FOUND_BY
        if name in sought.columns and sought[name][0] is not None
    }
    found: set[str] = set()
    for block in SpineReader(plan, spine, FOUND_BY).blocks():
        found |= set(block.filter(_is(told, block.columns))["person"].to_list())
    return found.pop() if len(found) == 1 else None


def _is(told: Mapping[str, str], present: Collection[str]) -> pl.Expr:
    """Whether a row is of the person that was told."""
    known = {name: pl.col(f"std.{name}") for name in told if f"std.{name}" in present}
    same = {name: (stored == told[name]).fill_null(value=False) for name, stored in known.items()}
    differs = [(stored != told[name]).fill_null(value=False) for name, stored in known.items()]
    certain = [same[name] for name in NUMBERS if name in same]
    if all(name in same for name in NAMED):
        certain.append(pl.all_horizontal([same[name] for name in NAMED]))
    if not certain:
        return pl.lit(value=False)
    agreeing = pl.sum_horizontal([each.cast(pl.Int8) for each in same.values()])
    return pl.any_horizontal(certain) & (agreeing >= AT_LEAST) & ~pl.any_horizontal(differs)
