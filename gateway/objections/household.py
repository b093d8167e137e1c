"""What one member's objection means for the family: the policy's explicit choice.

`drop-family`: nobody of the family is shared. `drop-person`: only the person goes,
and with the person all of their evidence: every family-level value is made anew
from the members who stay, and a family that is no longer eligible leaves.

The family is the one of the spine: under `drop-family` a relative beside the cohort who
has said no holds the family too (docs/adr/0325-the-no-of-a-relative-beside-the-cohort.md).

Source: docs/explanation/objections.md, "The family"; R35 of the domain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import polars as pl

from gateway.errors import RefusedError
from gateway.model import ColumnRule, Household, Plan, Withheld
from gateway.model.stages import BESIDE

CRITERIA_FIELD: Final = "criteria_met"
CRITERIA_NEEDED: Final = 2

_KEY: Final = "~family"


def household_effect(
    frame: pl.DataFrame, reasons: pl.Series, *, household: Household, rules: Iterable[ColumnRule]
) -> tuple[pl.DataFrame, pl.Series]:
    """Extend the reasons to the family, and make family values anew.

    Args:
        frame: whole families: `family` (null without one), and `rule.source` columns.
        reasons: why each person is withheld, null where not; as `decide` gives them.
        household: the Plan's choice.
        rules: column rules; those of level "family" are recomputed by their `combine`.

    Returns:
        The frame with family values as they are without the withheld members, and
        all reasons; a withheld row's own values mean nothing any more.

    Raises:
        RefusedError: a family-level rule does not say how its value is combined.
    """
    shared = {rule.source: rule for rule in rules if rule.level == "family"}
    if household is Household.DROP_FAMILY:
        reasons = _whole_families(frame, reasons)
    else:
        for rule in shared.values():
            if rule.field == CRITERIA_FIELD:
                reasons = _still_eligible(frame, reasons, rule.source)
    combined = [_combined(rule) for rule in shared.values()]
    if not combined:
        return frame, reasons
    staying = frame.with_columns(reasons.is_null().alias("~stays"), _family_key(frame))
    return staying.with_columns(combined).drop("~stays", _KEY), reasons


def without_relatives(frame: pl.DataFrame, reasons: pl.Series) -> tuple[pl.DataFrame, pl.Series]:
    """Only the people of the cohort, and all of a family whose relative beside it has said no.

    Args:
        frame: whole families; `BESIDE` marks who is not of the cohort, where anybody is.
        reasons: why each person is withheld, null where not; as `decide` gives them. A
            relative has one only for a "no", never for want of consent.

    Returns:
        The rows of the cohort without the mark, and their reasons: their own, else
        `household`.
    """
    if BESIDE not in frame.columns:
        return frame, reasons
    beside = frame[BESIDE].fill_null(value=False)
    said_no = frame.filter(beside & reasons.is_not_null())["family"].drop_nulls().unique()
    held = pl.when(pl.col("family").is_in(said_no.implode())).then(pl.lit(Withheld.HOUSEHOLD.value))
    known = frame.select(pl.coalesce(reasons, held).alias("reason")).to_series()
    return frame.filter(~beside).drop(BESIDE), known.filter(~beside)


def alike(one: Plan, other: Plan) -> bool:
    """Whether two plans over one cohort leave out the same people, each family value made alike.

    A family that meets too few criteria without a withheld member leaves only where its
    criteria are read, so that two plans of which one reads them are not alike.
    """
    ours, theirs = _combines(one), _combines(other)
    return (
        (one.controller, one.participation, one.household)
        == (other.controller, other.participation, other.household)
        and _criteria(one) == _criteria(other)
        and all(ours[source] == theirs[source] for source in ours.keys() & theirs.keys())
    )


def _combines(plan: Plan) -> dict[str, str | None]:
    """How each source is combined over a family; None where it is a person's own."""
    rules = [rule for output in plan.outputs for rule in output.columns]
    persons: dict[str, str | None] = {rule.source: None for rule in rules}
    return persons | {rule.source: rule.combine for rule in rules if rule.level == "family"}


def _criteria(plan: Plan) -> set[str]:
    return {
        rule.source
        for output in plan.outputs
        for rule in output.columns
        if rule.level == "family" and rule.field == CRITERIA_FIELD
    }


def _family_key(frame: pl.DataFrame) -> pl.Series:
    """A number for each family; a person without a family is one of their own."""
    first = pl.col("~row").min().over("family")
    key = pl.when(pl.col("family").is_null()).then(pl.col("~row")).otherwise(first)
    return frame.select("family").with_row_index("~row").select(key.alias(_KEY)).to_series()


def _whole_families(frame: pl.DataFrame, reasons: pl.Series) -> pl.Series:
    known = frame.select(_family_key(frame), reasons.alias("reason"))
    hit = pl.col("reason").is_not_null().any().over(_KEY)
    household = pl.when(hit).then(pl.lit(Withheld.HOUSEHOLD.value))
    return known.select(pl.coalesce("reason", household).alias("reason")).to_series()


def _still_eligible(frame: pl.DataFrame, reasons: pl.Series, source: str) -> pl.Series:
    """Families that met enough criteria only by the evidence of a withheld member leave."""
    known = frame.select("family", pl.col(source).alias("codes"), reasons.alias("reason"))
    touched = known.filter(pl.col("family").is_not_null(), pl.col("reason").is_not_null())
    families = known.join(touched.select("family").unique(), on="family", how="semi")
    codes = families.with_columns(pl.col("codes").str.split(";")).explode(
        "codes", keep_nulls=True, empty_as_null=True
    )
    met = pl.col("codes") != ""
    lost = (
        codes.group_by("family")
        .agg(
            pl.col("codes").filter(met).n_unique().alias("before"),
            pl.col("codes").filter(met, pl.col("reason").is_null()).n_unique().alias("after"),
        )
        .filter(pl.col("before") >= CRITERIA_NEEDED, pl.col("after") < CRITERIA_NEEDED)
        .select("family", pl.lit(Withheld.NO_LONGER_ELIGIBLE.value).alias("lost"))
    )
    return (
        known.join(lost, on="family", how="left", maintain_order="left")
        .select(pl.coalesce("reason", "lost").alias("reason"))
        .to_series()
    )


def _combined(rule: ColumnRule) -> pl.Expr:
    combine = _COMBINES.get(rule.combine)
    if combine is None:
        raise RefusedError(
            "objections/unknown-combine",
            f'Field "{rule.field}" is of the family, but the vocabulary does not say how its '
            "members' values are combined.",
            remedy="Say union, any, max, sum or count in the vocabulary.",
            field=rule.field,
        )
    staying = pl.when(pl.col("~stays")).then(pl.col(rule.source))
    return combine(staying).alias(rule.source)


def _union(value: pl.Expr) -> pl.Expr:
    """All codes of the members, each once, sorted; missing if there is none."""
    codes = value.str.split(";").list.explode(keep_nulls=False, empty_as_null=False)
    together = codes.unique().sort().str.join(";")
    joined = together.over(_KEY)
    return pl.when(joined != "").then(joined)


def _any(value: pl.Expr) -> pl.Expr:
    """Y if any member has it, N if some are known and none has it."""
    return value.max().over(_KEY)


def _max(value: pl.Expr) -> pl.Expr:
    return value.max().over(_KEY)


def _sum(value: pl.Expr) -> pl.Expr:
    known = value.is_not_null().any().over(_KEY)
    return pl.when(known).then(value.sum().over(_KEY))


def _count(_value: pl.Expr) -> pl.Expr:
    """How many members stay, whatever the partner wrote."""
    return pl.col("~stays").sum().cast(pl.Int64).over(_KEY)


_COMBINES: Final[Mapping[str, Callable[[pl.Expr], pl.Expr]]] = {
    "union": _union,
    "any": _any,
    "max": _max,
    "sum": _sum,
    "count": _count,
}
