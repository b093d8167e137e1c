"""Whether groups are large and mixed enough, and what is done about those that are not.

k counts distinct families. l holds for each value of a sensitive set apart: no
flag may be shared by everyone of a group, because then being in the group says
that one has it. A reason carries counts rounded to ten, never a value.

Source: docs/reference/policy.md; security point 19; ICO anonymisation guidance.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt

import polars as pl

from gateway.disclosure.summary import LevelSummary, Summary, group_keys
from gateway.model import Limits, OnSmallGroup
from gateway.model.rounding import rounded

UNIQUE_SHARE = 0.05
SECURE = "secure-setting"

# What says that nothing is there: a group in which all are without is no disclosure.
ABSENT = ("", "N", "NONE", "0", "false")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is done about one output.

    `level` is the coarsening used; `small` names the groups to suppress;
    `k_reached` is the fewest families in a group that stays (0 if none stays);
    `reasons` are not empty when the output may not leave.
    """

    level: int
    small: pl.DataFrame = field(repr=False)
    people_suppressed: int
    k_reached: int
    reasons: tuple[tuple[str, str], ...] = ()


def judge(summary: Summary, limits: Limits, *, recipient: frozenset[str]) -> Verdict:
    """Decide about one output from its summary.

    Args:
        summary: all of the output's partitions, merged.
        limits: k, l and what to do about a small group.
        recipient: the recipient's classes.

    Returns:
        A verdict; with `suppress` its `small` groups leave, with `coarsen` the
        first level of the ordered list that has none, with `refuse` reasons.
    """
    if limits.on_small_group is OnSmallGroup.COARSEN:
        level = next((n for n in summary.shape.levels if not _small(summary, n, limits).height), -1)
        if level < 0:
            return _too_small(summary, len(summary.shape.steps), limits)
        return _passed(summary, level, limits, recipient)
    if limits.on_small_group is OnSmallGroup.REFUSE and _small(summary, 0, limits).height:
        return _too_small(summary, 0, limits)
    return _passed(summary, 0, limits, recipient)


def _small(summary: Summary, level: int, limits: Limits) -> pl.DataFrame:
    """The groups of a level with too few families or a value that everyone shares."""
    keys, counted = group_keys(summary.shape), summary.levels[level]
    few = counted.groups.filter(pl.col("families") < limits.k).select(keys)
    alike = [_alike(counted, keys, name, required) for name, required in limits.l_values]
    return pl.concat([few, *alike]).unique()


def _alike(counted: LevelSummary, keys: list[str], name: str, required: int) -> pl.DataFrame:
    """Groups in which everyone shares a flag, or which hold fewer than l values of it."""
    values = counted.sensitive.filter(pl.col("sensitive.field") == name)
    total = counted.groups.select(*keys, pl.col("people").alias("everyone"))
    present = pl.col("sensitive.value").is_not_null() & ~pl.col("sensitive.value").is_in(ABSENT)
    shared = present & (pl.col("people") == pl.col("everyone"))
    distinct = pl.when(present).then(pl.col("sensitive.value")).otherwise(pl.lit("")).n_unique()
    return (
        values.join(total, on=keys, nulls_equal=True)
        .group_by(keys)
        .agg(shared.any().alias("shared"), present.any().alias("any"), distinct.alias("distinct"))
        .filter(pl.col("shared") | (pl.col("any") & (pl.col("distinct") < required)))
        .select(keys)
    )


def _passed(summary: Summary, level: int, limits: Limits, recipient: frozenset[str]) -> Verdict:
    keys, counted = group_keys(summary.shape), summary.levels[level]
    small = _small(summary, level, limits)
    stays = counted.groups.join(small, on=keys, how="anti", nulls_equal=True)
    left = int(stays["people"].sum())
    if summary.people and not left:
        return _too_small(summary, level, limits)
    reasons: tuple[tuple[str, str], ...] = ()
    if SECURE not in recipient and _unique_share(counted, small, keys, left) > UNIQUE_SHARE:
        reasons = (_too_unique(summary.shape.output),)
    fewest = stays["families"].min()
    return Verdict(
        level=level,
        small=small,
        people_suppressed=summary.people - left,
        k_reached=fewest if isinstance(fewest, int) else 0,
        reasons=reasons,
    )


def _unique_share(counted: LevelSummary, small: pl.DataFrame, keys: list[str], left: int) -> float:
    """The share of rows that are alone on all columns; of a sample, its upper bound."""
    if not left:
        return 0.0
    rows = counted.sample.rows.join(small, on=keys, how="anti", nulls_equal=True)
    alone = rows.filter(pl.col("row.count") == 1).height
    doubt = 3 * sqrt(alone) if counted.sample.thinned else 0.0
    return (alone + doubt) * 2.0**counted.sample.thinned / left


def _too_unique(output: str) -> tuple[str, str]:
    return (
        "disclosure/too-unique",
        f'More than 5 % of the rows of output "{output}" are unique on all of their columns: '
        "only a recipient with a secure setting may receive it.",
    )


def _too_small(summary: Summary, level: int, limits: Limits) -> Verdict:
    small = _small(summary, level, limits)
    keys = " and ".join(f'"{name}"' for name in summary.shape.keys) or "all rows together"
    reason = (
        "disclosure/group-too-small",
        f"{rounded(small.height)} groups by {keys} of output "
        f'"{summary.shape.output}" hold fewer than {limits.k} families or share one '
        "sensitive value. Coarsen a column, or drop it.",
    )
    return Verdict(level=level, small=small, people_suppressed=0, k_reached=0, reasons=(reason,))
