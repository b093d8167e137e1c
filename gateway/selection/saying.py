"""What is said of people beside the rows that are shared: a "no" counts wherever it stands.

In a row of the spine that the cohort's conditions leave out, in a dataset that is joined,
in an extract that a newer one has replaced: a partner's file may add an objection, never
lift one. Marks of protection count in every row of the spine likewise.

Source: security point 16; docs/explanation/objections.md, "What each rule does";
docs/adr/0343-a-no-counts-wherever-it-stands.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from gateway.model import ContractColumn, Participation, Plan, Role
from gateway.model.reading import read_ahead
from gateway.model.stages import BEFORE, BEFORE_AT
from gateway.selection.identities import KINDS, ROW, STRONG, by_kind, identities, met, stored_in
from gateway.selection.sources import Source, column_of_field
from gateway.selection.spine import SpineReader, has_person_ids, protecting

WORD, PROTECTED = "spine.participation", "spine.protected"
# Words of a participation column that say nothing against sharing.
_SILENT = ("", "NONE", "CONSENT")
_NO = ("OBJECTED", "OPTOUT")
_TOLD = ("said", "marked", BEFORE, BEFORE_AT)
# Rows that are gathered before what many of them tell of one person is kept once.
_GATHERED = 100_000
_SCHEMA = {name: pl.String() for name in (*(f"who.{kind}" for kind in KINDS), *_TOLD)}


@dataclass(frozen=True, slots=True)
class Said:
    """What other rows say: few people beside those that are shared.

    `told`: by kind of identity, `said` (the tightest word), `marked` ("Y" if protected),
    `BEFORE` (a word of a replaced extract) and `BEFORE_AT` (when the newest of these came,
    ISO 8601). `before`: whether a replaced extract said anything.
    """

    told: Mapping[str, pl.DataFrame] = field(repr=False)
    before: bool

    def heard(self, reader: SpineReader) -> Iterator[pl.DataFrame]:
        """A reader's blocks, each person with the tightest of what is said of them anywhere."""
        for block in replace(reader, telling=tuple(self.told)).blocks():
            yield self._with_words(block) if self.told else block

    def _with_words(self, block: pl.DataFrame) -> pl.DataFrame:
        rows = block.with_row_index(ROW)
        found = rows.join(met(rows, self.told, _once), on=ROW, how="left", maintain_order="left")
        found = found.with_columns(_tightened(found.columns))
        unasked = () if self.before else (BEFORE, BEFORE_AT)
        return found.drop(ROW, "said", "marked", *unasked, *(f"who.{kind}" for kind in self.told))


def said_elsewhere(plan: Plan, sources: Mapping[str, Source]) -> Said:
    """Gather what is said outside the rows that a selection reads.

    Args:
        plan: names the spine, its cohort and the joins.
        sources: by dataset id; the spine and each join must be there.
    """
    spine = sources[plan.cohort.dataset]
    people = _People()
    for join in plan.joins:
        people.add(_of_source(sources[join.dataset]))
    if _repeats(plan, spine):
        people.add(_of_source(spine, marks=True))
    asked = () if plan.participation is Participation.STATUTORY else _read(plan, sources)
    before = sum(people.add(_of_replaced(source)) for source in asked)
    told = by_kind(people.once(), _once, certain=has_person_ids(spine))
    return Said(told=told, before=bool(before))


class _People:
    """What rows tell, kept once for all that tell whom alike, however many rows and extracts."""

    def __init__(self) -> None:
        self._known = [pl.DataFrame(schema=_SCHEMA)]
        self._rows, self._full = 0, _GATHERED

    def add(self, parts: Iterable[pl.DataFrame]) -> int:
        """Take parts in; how many rows they had."""
        count = 0
        for part in parts:
            count += part.height
            self._known.append(part)
            self._rows += part.height
            if self._rows > self._full:
                self._rows = self.once().height
                self._full = max(_GATHERED, 2 * self._rows)
        return count

    def once(self) -> pl.DataFrame:
        """One row for all that tell whom alike."""
        alike = [f"who.{kind}" for kind in KINDS]
        self._known = [pl.concat(self._known).group_by(alike).agg(_once()).select(*_SCHEMA)]
        return self._known[0]


def _repeats(plan: Plan, spine: Source) -> bool:
    """Whether somebody of the cohort can have a row that is not read as theirs."""
    person = spine.column_of(Role.PERSON_ID)
    told_by = {column.name: column.unique for column in spine.contract.columns if _numbers(column)}
    once = len(spine.extracts) == 1 and all(told_by.values())
    if once:
        return not has_person_ids(spine)
    everybody = not (plan.cohort.within or plan.cohort.between)
    # Rows that have nothing but the same person id are read as one person's, if all are read.
    return not (everybody and has_person_ids(spine) and list(told_by) == [person])


def _numbers(column: ContractColumn) -> bool:
    return column.role in {Role.PERSON_ID, Role.NHS_NUMBER, Role.UPN, Role.NINO}


def _read(plan: Plan, sources: Mapping[str, Source]) -> Iterator[Source]:
    """The spine and what is joined, each once."""
    datasets = (plan.cohort.dataset, *(join.dataset for join in plan.joins))
    return (sources[dataset] for dataset in dict.fromkeys(datasets))


def _of_source(source: Source, *, marks: bool = False) -> Iterator[pl.DataFrame]:
    """The rows in use that say something, whoever they are about."""
    person = source.column_of(Role.PERSON_ID)
    word = column_of_field(source.contract, "participation")
    mark = protecting(source.contract) if marks else ""
    if not (word or mark):
        return
    # Where every row has a person id, a name tells nobody more.
    kinds = STRONG if has_person_ids(source) and marks else KINDS
    columns = [name for name in (person, word, mark, *stored_in(kinds)) if name]
    for block in read_ahead(source.blocks(list(dict.fromkeys(columns)))):
        said = {"said": _word(word, block.columns), "marked": _mark(mark, block.columns)}
        yield _telling(block, person, **said)


def _of_replaced(source: Source) -> Iterator[pl.DataFrame]:
    """The rows of its replaced extracts that said something, and when these came."""
    for each in source.replaced:
        person, word = each.columns(source.contract)
        columns = [name for name in (person, word, *stored_in(KINDS)) if name]
        for block in read_ahead(each.extract.frames(list(dict.fromkeys(columns)))):
            told = _telling(block, person, **{BEFORE: _word(word, block.columns)})
            if told.height:
                yield told.with_columns(pl.lit(each.at).alias(BEFORE_AT))


def _word(column: str, present: Collection[str]) -> pl.Expr:
    """A word against sharing, as rules know it; null for every other."""
    if column not in present:
        return pl.lit(None, dtype=pl.String)
    word = pl.col(column).cast(pl.String).str.strip_chars().str.to_uppercase()
    return pl.when(~word.is_in(_SILENT)).then(word)


def _mark(column: str, present: Collection[str]) -> pl.Expr:
    if column not in present:
        return pl.lit(None, dtype=pl.String)
    return pl.when(pl.col(column).cast(pl.String) == "Y").then(pl.lit("Y"))


def _telling(block: pl.DataFrame, person: str | None, **said: pl.Expr) -> pl.DataFrame:
    """The rows that tell any of these of somebody, with every column of what can be told.

    They are few, and copied: else they would keep the whole block in memory.
    """
    says = pl.any_horizontal(word.is_not_null() for word in said.values())
    rows = block.filter(says).select(*identities(person, block.columns), **said)
    whom = pl.any_horizontal(pl.col(f"who.{kind}").is_not_null() for kind in KINDS)
    rest = [pl.lit(None, dtype=pl.String).alias(name) for name in _TOLD if name not in said]
    told = rows.filter(whom).with_columns(rest).select(*_SCHEMA)
    copied = pl.from_arrow(told.to_arrow(compat_level=pl.CompatLevel.oldest()))
    return pl.DataFrame(copied, schema=_SCHEMA)


def _once() -> list[pl.Expr]:
    """One of what several rows tell of a person: the tightest, and when it was last said."""
    return [tightest("said"), pl.col("marked").max(), tightest(BEFORE), pl.col(BEFORE_AT).max()]


def tightest(column: str) -> pl.Expr:
    """Of several words one that says no, else one that nobody knows; null if all say nothing."""
    word = pl.col(column).cast(pl.String).str.strip_chars().str.to_uppercase()
    no, doubt = (word.filter(each).max() for each in (word.is_in(_NO), ~word.is_in(_SILENT)))
    return pl.coalesce(no, doubt).alias(column)


def _tightened(columns: Collection[str]) -> list[pl.Expr]:
    own = pl.col(WORD).cast(pl.String)
    against = own.str.strip_chars().str.to_uppercase().is_in(_NO).fill_null(value=False)
    word = pl.when(against).then(own).otherwise(pl.coalesce("said", own)).alias(WORD)
    mark = pl.coalesce("marked", pl.col(PROTECTED).cast(pl.String)).alias(PROTECTED)
    return [word, mark] if PROTECTED in columns else [word]
