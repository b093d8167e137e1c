"""What is said of people beside the rows that are shared: a "no" counts wherever it stands.

In a row of the spine that the cohort's conditions leave out, in a dataset that is joined,
in an extract that a newer one has replaced: a partner's file may add an objection, never
lift one. Marks of protection count in every row of the spine likewise.

Source: security point 16; docs/explanation/objections.md, "What each rule does";
docs/adr/0343-a-no-counts-wherever-it-stands.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from gateway.model import Participation, Plan, Role
from gateway.model.stages import BEFORE, BEFORE_AT
from gateway.selection.sources import Source, column_of_field
from gateway.selection.spine import SpineReader, has_person_ids

WORD, PROTECTED = "spine.participation", "spine.protected"
# Words of a participation column that say nothing against sharing.
_SILENT = ("", "NONE", "CONSENT")
_NO = ("OBJECTED", "OPTOUT")
_SCHEMA = {"person": pl.String, "said": pl.String, "marked": pl.String}


@dataclass(frozen=True, slots=True)
class Said:
    """What other rows say: few people beside those that are shared.

    `now`: `person`, `said` (the tightest word), `marked` ("Y" if protected); `before`:
    `person`, `BEFORE` (a word of a replaced extract) and `BEFORE_AT` (when the newest of
    these came, ISO 8601).
    """

    now: pl.DataFrame = field(repr=False)
    before: pl.DataFrame = field(repr=False)

    def heard(self, blocks: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Blocks of people, each with the tightest of what is said of them anywhere."""
        for block in blocks:
            found = block
            if self.now.height:
                found = found.join(self.now, on="person", how="left", maintain_order="left")
                found = found.with_columns(_tightened(found.columns)).drop("said", "marked")
            if self.before.height:
                found = found.join(self.before, on="person", how="left", maintain_order="left")
            yield found


def said_elsewhere(plan: Plan, sources: Mapping[str, Source]) -> Said:
    """Gather what is said outside the rows that a selection reads.

    Args:
        plan: names the spine, its cohort and the joins.
        sources: by dataset id; the spine and each join must be there.
    """
    spine = sources[plan.cohort.dataset]
    joins = [sources[join.dataset] for join in plan.joins]
    rows = [*_of_joins(joins)]
    if _repeats(plan, spine):
        rows += list(_of_spine(plan, spine))
    heard = () if plan.participation is Participation.STATUTORY else spine.replaced
    before = [
        frame.select("person", pl.col("said").alias(BEFORE), pl.lit(each.at).alias(BEFORE_AT))
        for each in heard
        for frame in _of_spine(plan, Source(spine.contract, (each.extract,)))
        if frame["said"].null_count() < frame.height
    ]
    return Said(now=_once_each(rows), before=_newest(before))


def _repeats(plan: Plan, spine: Source) -> bool:
    """Whether somebody of the cohort can have a row that its conditions leave out."""
    if not (plan.cohort.within or plan.cohort.between):
        return False
    person = spine.column_of(Role.PERSON_ID)
    unique = any(column.name == person and column.unique for column in spine.contract.columns)
    return not (unique and has_person_ids(spine) and len(spine.extracts) == 1)


def _of_spine(plan: Plan, spine: Source) -> Iterator[pl.DataFrame]:
    """The rows of a spine that say something, whoever they are about."""
    for block in SpineReader(plan, spine, (), saying=True).blocks():
        told = block.select("person", _word(WORD).alias("said"), _mark(PROTECTED).alias("marked"))
        yield _telling(told)


def _of_joins(joins: Iterable[Source]) -> Iterator[pl.DataFrame]:
    for source in joins:
        person = source.column_of(Role.PERSON_ID)
        word = column_of_field(source.contract, "participation")
        if person is None or not word:
            continue
        for block in source.blocks([person, word]):
            yield _telling(
                block.select(
                    pl.col(person).cast(pl.String).alias("person"),
                    _word(word).alias("said"),
                    pl.lit(None, dtype=pl.String).alias("marked"),
                )
            )


def _word(column: str) -> pl.Expr:
    """A word against sharing, as rules know it; null for every other."""
    word = pl.col(column).cast(pl.String).str.strip_chars().str.to_uppercase()
    return pl.when(~word.is_in(_SILENT)).then(word)


def _mark(column: str) -> pl.Expr:
    return pl.when(pl.col(column).cast(pl.String) == "Y").then(pl.lit("Y"))


def _telling(rows: pl.DataFrame) -> pl.DataFrame:
    said = pl.col("said").is_not_null() | pl.col("marked").is_not_null()
    return rows.filter(pl.col("person").is_not_null() & said)


def _once_each(frames: list[pl.DataFrame]) -> pl.DataFrame:
    known = pl.concat(frames or [pl.DataFrame(schema=_SCHEMA)])
    return known.group_by("person").agg(tightest("said"), pl.col("marked").max())


def tightest(column: str) -> pl.Expr:
    """Of several words one that says no, else one that nobody knows; null if all say nothing."""
    word = pl.col(column).cast(pl.String).str.strip_chars().str.to_uppercase()
    no, doubt = (word.filter(each).max() for each in (word.is_in(_NO), ~word.is_in(_SILENT)))
    return pl.coalesce(no, doubt).alias(column)


def _newest(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Each person's tightest word before, and when it was last said."""
    if not frames:
        return pl.DataFrame(schema={"person": pl.String, BEFORE: pl.String, BEFORE_AT: pl.String})
    known = pl.concat(frames).drop_nulls(BEFORE)
    return known.group_by("person").agg(tightest(BEFORE), pl.col(BEFORE_AT).max())


def _tightened(columns: Collection[str]) -> list[pl.Expr]:
    own = pl.col(WORD).cast(pl.String)
    against = own.str.strip_chars().str.to_uppercase().is_in(_NO).fill_null(value=False)
    word = pl.when(against).then(own).otherwise(pl.coalesce("said", own)).alias(WORD)
    mark = pl.coalesce("marked", pl.col(PROTECTED).cast(pl.String)).alias(PROTECTED)
    return [word, mark] if PROTECTED in columns else [word]
