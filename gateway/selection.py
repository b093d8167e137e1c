"""The cohort: the people that the purpose is about, and the columns the Plan names.

The unit of a release is the person of the spine. Blocks are read as they are
stored, only the needed columns; whole families are scattered over partitions
that fit in memory. A join that would multiply the spine refuses: a person is
never sent twice because a partner's file held them twice.

Source: UK GDPR Art 5(1)(b), (c); docs/reference/policy.md, "The unit, joins, small groups".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import polars as pl

from gateway.errors import RefusedError
from gateway.model import CohortRule, ColumnRule, Contract, JoinRule, Plan, Role
from gateway.model.stages import Cohort, Scratch, Spill

PARTITION_ROWS = 262_144
SCATTER_ROWS = 262_144
_SEED = 0x5F6A


class StoredColumns(Protocol):
    """One accepted extract: its blocks can be read again and again."""

    @property
    def rows(self) -> int:
        """Accepted rows."""

    def frames(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """The stored blocks, only the named columns that exist."""


@dataclass(frozen=True, slots=True)
class Source:
    """The extracts of one dataset that are in use: newest, accepted, not superseded."""

    contract: Contract
    extracts: tuple[StoredColumns, ...] = field(repr=False)

    @property
    def rows(self) -> int:
        """Accepted rows of all its extracts."""
        return sum(extract.rows for extract in self.extracts)

    def column_of(self, role: Role) -> str | None:
        """The contract column with this role, if there is one."""
        return next((column.name for column in self.contract.columns if column.role is role), None)

    def blocks(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """The stored blocks of every extract in turn."""
        for extract in self.extracts:
            yield from extract.frames(columns)


def select(
    plan: Plan, sources: Mapping[str, Source], scratch: Scratch, *, elements: Iterable[str]
) -> Cohort:
    """Read the spine and its joins, keep the cohort, scatter it by family.

    Args:
        plan: names the cohort, the joins and every column.
        sources: by dataset id; the spine and each join must be there.
        scratch: room for the partitions.
        elements: the standardised elements that tokens and the register need.

    Returns:
        The cohort; `received` counts distinct people of the spine.

    Raises:
        RefusedError: a join would multiply the spine, or a person cannot be joined.
    """
    spine = sources[plan.cohort.dataset]
    blocks = _SpineReader(plan, spine, tuple(elements)).blocks()
    count = partitions_for(spine.rows)
    by = "family" if spine.column_of(Role.FAMILY_ID) else "person"
    if not plan.joins and _people_are_unique(spine):
        return _cohort(plan, scatter(blocks, by, scratch.spill(count)))
    if plan.joins and spine.column_of(Role.PERSON_ID) is None:
        raise _unjoinable(plan.cohort.dataset)
    people = _once_each(scatter(blocks, "person", scratch.spill(count)), scratch)
    for join in plan.joins:
        people = _joined(plan, join, sources[join.dataset], people, scratch)
    if by == "family" and count > 1:
        people = scatter(_Read(people), by, scratch.spill(count))
    return _cohort(plan, people)


def partitions_for(rows: int) -> int:
    """How many partitions keep each one small enough for memory."""
    return max(1, -(-rows // PARTITION_ROWS))


def scatter(blocks: Iterable[pl.DataFrame], by: str, spill: Spill) -> Spill:
    """Put rows into partitions by the hash of one column; a null goes by its person."""
    if len(spill) == 1:
        for block in blocks:
            spill.put(0, block)
        return spill
    for block in _gathered(blocks):
        key = pl.coalesce(by, "person").hash(seed=_SEED) % len(spill)
        parts = block.with_columns(key.alias("~part")).partition_by("~part", as_dict=True)
        for (part,), rows in parts.items():
            spill.put(int(part), rows.drop("~part"))
    return spill


def _gathered(blocks: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Small blocks together, so that a partition receives more than crumbs."""
    waiting: list[pl.DataFrame] = []
    rows = 0
    for block in blocks:
        waiting.append(block)
        rows += block.height
        if rows >= SCATTER_ROWS:
            yield pl.concat(waiting)
            waiting, rows = [], 0
    if rows:
        yield pl.concat(waiting)


def _whole(spill: Spill, index: int) -> pl.DataFrame:
    return pl.concat(list(spill.partition(index)) or [pl.DataFrame()], how="diagonal")


@dataclass(frozen=True, slots=True)
class _Read:
    """The partitions of a spill, each as one frame."""

    spill: Spill = field(repr=False)

    def __iter__(self) -> Iterator[pl.DataFrame]:
        for index in range(len(self.spill)):
            frame = _whole(self.spill, index)
            if frame.height:
                yield frame


def _cohort(plan: Plan, spill: Spill) -> Cohort:
    received = sum(frame.height for index in range(len(spill)) for frame in spill.partition(index))
    return Cohort(plan=plan, partitions=_Read(spill), received=received)


def _people_are_unique(spine: Source) -> bool:
    """Whether the contract has seen to it that no person stands in the spine twice."""
    person = spine.column_of(Role.PERSON_ID)
    if person is None:
        return True
    unique = any(column.name == person and column.unique for column in spine.contract.columns)
    return unique and len(spine.extracts) == 1


def _once_each(people: Spill, scratch: Scratch) -> Spill:
    """Keep the first row of each person: the unit of a release is the person."""
    kept = scratch.spill(len(people))
    for index in range(len(people)):
        frame = _whole(people, index)
        if frame.height:
            kept.put(index, frame.unique("person", keep="first", maintain_order=True))
    return kept


@dataclass(frozen=True, slots=True)
class _SpineReader:
    """Blocks of the spine as blocks of the cohort."""

    plan: Plan
    source: Source
    elements: tuple[str, ...]

    def blocks(self) -> Iterator[pl.DataFrame]:
        start = 0
        for block in self.source.blocks(self._wanted()):
            kept = block.with_row_index("~row", offset=start).filter(
                cohort_filter(self.plan.cohort)
            )
            start += block.height
            yield kept.select(*self._projection(kept.columns))

    def _rules(self) -> list[ColumnRule]:
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
        every = {f"std.{element}" for element in self.elements}
        former = [
            f"std.former{slot}.{element}" for slot in range(1, 10) for element in self.elements
        ]
        return list(dict.fromkeys([*named, *sorted(every), *former]))

    def _marks(self) -> dict[str, str]:
        contract = self.source.contract
        return {
            "spine.participation": _field_column(contract, "participation"),
            "spine.protected": contract.protected_column or _field_column(contract, "protected"),
        }

    def _projection(self, present: Sequence[str]) -> list[pl.Expr]:
        person, family = (self.source.column_of(role) for role in (Role.PERSON_ID, Role.FAMILY_ID))
        yield_person = pl.col(person) if person else pl.format("row:{}", "~row")
        taken = [
            yield_person.cast(pl.String).alias("person"),
            (pl.col(family) if family else pl.lit(None)).cast(pl.String).alias("family"),
        ]
        for rule in self._rules():
            taken.append(pl.col(rule.column).alias(rule.source))
            if isinstance(rule.at, str):
                taken.append(pl.col(rule.at).alias(rule.reference))
        for mark, column in self._marks().items():
            value = pl.col(column) if column in present else pl.lit(None)
            taken.append(value.cast(pl.String).alias(mark))
        taken += [pl.col(name) for name in present if name.startswith("std.")]
        return list({expression.meta.output_name(): expression for expression in taken}.values())


def all_rules(plan: Plan) -> list[ColumnRule]:
    """Every column rule of every output."""
    return [rule for output in plan.outputs for rule in output.columns]


def _field_column(contract: Contract, name: str) -> str:
    return next((column.name for column in contract.columns if column.field == name), "")


def cohort_filter(rule: CohortRule) -> pl.Expr:
    """The rows that belong to a named cohort; every condition must hold."""
    conditions = [pl.col(column).cast(pl.String).is_in(values) for column, values in rule.within]
    for column, first, last in rule.between:
        if first is not None:
            conditions.append(pl.col(column) >= first)
        if last is not None:
            conditions.append(pl.col(column) <= last)
    return pl.all_horizontal(conditions).fill_null(False) if conditions else pl.lit(True)


def _joined(plan: Plan, join: JoinRule, source: Source, people: Spill, scratch: Scratch) -> Spill:
    """Left-join one more dataset to the spine, partition by partition."""
    rules = [rule for rule in all_rules(plan) if rule.dataset == join.dataset]
    person = source.column_of(Role.PERSON_ID)
    if person is None or join.on != person:
        raise _unjoinable(join.dataset)
    kind, _, wave = join.take.partition(":")
    order = _field_column(source.contract, "extract_date")
    columns = [person, *(rule.column for rule in rules), *filter(None, (wave, order))]
    blocks = (
        block.rename({person: "person"}).with_columns(pl.col("person").cast(pl.String))
        for block in source.blocks(list(dict.fromkeys(columns)))
    )
    other = scatter(blocks, "person", scratch.spill(len(people)))
    joined = scratch.spill(len(people))
    for index in range(len(people)):
        spine, right = _whole(people, index), _whole(other, index)
        if not spine.height:
            continue
        shaped = _shape(right, rules, kind, wave, order) if right.height else _empty(rules)
        if shaped.get_column("person").is_duplicated().any():
            raise RefusedError(
                "sharing/join-multiplies",
                f'The join with "{join.dataset}" would send a person more than once.',
                remedy='Take "latest" or "wide-by:COLUMN", or correct the extract.',
            )
        joined.put(index, spine.join(shaped, on="person", how="left", maintain_order="left"))
    return joined


def _shape(
    frame: pl.DataFrame, rules: Sequence[ColumnRule], kind: str, wave: str, order: str
) -> pl.DataFrame:
    """One row a person: as it is, the latest, or one column for each wave."""
    unique = {rule.source: rule for rule in rules}.values()
    if kind == "latest":
        by = [order] if order else []
        frame = frame.sort(by, maintain_order=True) if by else frame
        frame = frame.unique("person", keep="last", maintain_order=True)
    if kind != "wide-by":
        return frame.select("person", *(pl.col(rule.column).alias(rule.source) for rule in unique))
    if frame.select("person", wave).is_duplicated().any():
        return frame.select("person")
    wide = [
        pl.col(rule.column).filter(pl.col(wave) == rule.wave).first().alias(rule.source)
        for rule in unique
    ]
    return frame.group_by("person").agg(wide)


def _empty(rules: Sequence[ColumnRule]) -> pl.DataFrame:
    return pl.DataFrame(schema={"person": pl.String, **{rule.source: pl.Null for rule in rules}})


def _unjoinable(dataset: str) -> RefusedError:
    return RefusedError(
        "sharing/no-person-id",
        f'"{dataset}" has no person id to join on.',
        remedy="A dataset without a person id can only be the spine, alone.",
        dataset=dataset,
    )
