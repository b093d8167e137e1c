"""Blocks of the spine as blocks of the cohort: filtered, and only what the Plan names.

Source: UK GDPR Art 5(1)(c); docs/reference/policy.md, "A purpose".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from gateway.identity import UNKEPT, name_columns, unkept_columns
from gateway.model import CohortRule, ColumnRule, Contract, Household, Participation, Plan, Role
from gateway.model.reading import read_ahead
from gateway.model.stages import BESIDE
from gateway.selection.identities import identities, stored_in
from gateway.selection.sources import Source, all_rules, column_of_field

CODED = frozenset({"boolean", "codes"})
TEXTUAL = CODED | {"text"}
ORDER = "spine.order"
TELLING = ("nhs", "upn", "nino", "fn1", "sn1", "dob")


@dataclass(frozen=True, slots=True)
class SpineReader:
    """Blocks of the spine as blocks of the cohort; `ordered` adds what tells the latest row.

    With `beside` it is the rows of families that are not of the cohort: who they are and
    what they said, and nothing else of them. `telling` adds these kinds of identity, as
    `who.KIND`: by any of them other rows may be about the same person.
    """

    plan: Plan
    source: Source
    elements: tuple[str, ...]
    ordered: bool = False
    beside: bool = False
    telling: tuple[str, ...] = ()

    def blocks(self) -> Iterator[pl.DataFrame]:
        """The rows of the cohort, block by block."""
        start = 0
        for block in read_ahead(self.source.blocks(self._wanted())):
            kept = block.with_row_index("~row", offset=start).filter(self._filter())
            start += block.height
            if UNKEPT in self.elements:
                kept = kept.hstack(self._unkept(kept))
            yield kept.select(*self._projection(kept.columns))

    def _unkept(self, block: pl.DataFrame) -> pl.DataFrame:
        """Names that the standard form does not keep: a "no" may be by such a name."""
        found = unkept_columns(block, self.source.contract, prefix="std.")
        return found.rename(lambda name: f"std.{name}")

    def _filter(self) -> pl.Expr:
        within = cohort_filter(self.plan.cohort)
        family = self.source.column_of(Role.FAMILY_ID)
        if not self.beside or family is None:
            return within
        return ~within & pl.col(family).is_not_null()

    def _rules(self) -> list[ColumnRule]:
        if self.beside:
            return []
        return [rule for rule in all_rules(self.plan) if rule.dataset == self.plan.cohort.dataset]

    def _wanted(self) -> list[str]:
        cohort = self.plan.cohort
        named = [rule.column for rule in self._rules()]
        named += [rule.at for rule in self._rules() if isinstance(rule.at, str)]
        named += [column for column, _ in cohort.within]
        named += [column for column, _, _ in cohort.between]
        roles = (Role.PERSON_ID, Role.FAMILY_ID)
        named += [column for role in roles if (column := self.source.column_of(role))]
        named += [column for column in self._marks().values() if column]
        every = {f"std.{element}" for element in (*self.elements, *self._telling())}
        every |= {*stored_in(self.telling)}
        named += [self._order()]
        named += name_columns(self.source.contract).values() if UNKEPT in self.elements else ()
        former = [
            f"std.former{slot}.{element}" for slot in range(1, 10) for element in self.elements
        ]
        return [name for name in dict.fromkeys([*named, *sorted(every), *former]) if name]

    def _order(self) -> str:
        """The column by which the latest row of a person is told, where that is asked."""
        return column_of_field(self.source.contract, "extract_date") if self.ordered else ""

    def _telling(self) -> tuple[str, ...]:
        """Elements that tell rows of one person where not every row has a person id."""
        return () if has_person_ids(self.source) else TELLING

    def _coded(self) -> set[str]:
        """Columns of few values that leave as they are: held as numbers, not as texts."""
        rules = self._rules()
        kinds = {column.name: column.type for column in self.source.contract.columns}
        return {
            rule.column
            for rule in rules
            if (rule.codes or kinds.get(rule.column) in CODED)
            and all(
                r.treat == "keep" and r.level == "person" for r in rules if r.column == rule.column
            )
            and kinds.get(rule.column) in TEXTUAL
        }

    def _marks(self) -> dict[str, str]:
        contract = self.source.contract
        said = {"spine.participation": column_of_field(contract, "participation")}
        if self.beside:
            return said
        return said | {
            "spine.protected": protecting(contract),
        }

    def _projection(self, present: Sequence[str]) -> list[pl.Expr]:
        person, family = (self.source.column_of(role) for role in (Role.PERSON_ID, Role.FAMILY_ID))
        known = [pl.col(person).cast(pl.String)] if person else []
        taken = [
            pl.coalesce(*known, *self._told(present), pl.format("row:{}", "~row")).alias("person"),
            (pl.col(family) if family else pl.lit(None)).cast(pl.String).alias("family"),
        ]
        coded = self._coded()
        for rule in self._rules():
            value = pl.col(rule.column)
            held = value.cast(pl.Categorical) if rule.column in coded else value
            taken.append(held.alias(rule.source))
            if isinstance(rule.at, str):
                taken.append(pl.col(rule.at).alias(rule.reference))
        for mark, column in self._marks().items():
            value = pl.col(column) if column in present else pl.lit(None)
            taken.append((value.cast(pl.String) if column else value).alias(mark))
        if self.ordered:
            order = self._order()
            taken.append((pl.col(order) if order in present else pl.lit(None)).alias(ORDER))
        taken += identities(person, present, self.telling)
        if self.beside:
            taken.append(pl.lit(value=True).alias(BESIDE))
        kept = {f"std.{element}" for element in self.elements}
        named = ("std.former", f"std.{UNKEPT}.")
        taken += [pl.col(name) for name in present if name in kept or name.startswith(named)]
        return list({expression.meta.output_name(): expression for expression in taken}.values())

    def _told(self, present: Sequence[str]) -> list[pl.Expr]:
        """Who a row without person id is about: a number, else name and date of birth."""
        if not self._telling():
            return []
        numbers = [
            pl.format("id:{}:{}", pl.lit(number), f"std.{number}")
            for number in ("nhs", "upn", "nino")
            if f"std.{number}" in present
        ]
        parts = [f"std.{part}" for part in ("fn1", "sn1", "dob")]
        whole = all(part in present for part in parts)
        return [*numbers, *([pl.format("id:{}:{}:{}", *parts)] if whole else [])]


def has_person_ids(source: Source) -> bool:
    """Whether the contract gives every row a person id."""
    person = source.column_of(Role.PERSON_ID)
    return any(column.name == person and column.required for column in source.contract.columns)


def protecting(contract: Contract) -> str:
    """The column that marks protected people; "" where a contract has none."""
    return contract.protected_column or column_of_field(contract, "protected")


def asks_beside(plan: Plan) -> bool:
    """Whether a "no" of somebody beside the cohort can hold anybody of it."""
    limited = bool(plan.cohort.within or plan.cohort.between)
    heard = plan.participation is not Participation.STATUTORY
    return limited and heard and plan.household is Household.DROP_FAMILY


def cohort_filter(rule: CohortRule) -> pl.Expr:
    """The rows that belong to a named cohort; every condition must hold."""
    conditions = [pl.col(column).cast(pl.String).is_in(values) for column, values in rule.within]
    for column, first, last in rule.between:
        if first is not None:
            conditions.append(pl.col(column) >= first)
        if last is not None:
            conditions.append(pl.col(column) <= last)
    return pl.all_horizontal(conditions).fill_null(False) if conditions else pl.lit(True)
