"""Select the cohort: read the spine, join, each person once, whole families together.

Source: UK GDPR Art 5(1)(b), (c); docs/reference/policy.md, "A purpose".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import polars as pl

from gateway.errors import RefusedError
from gateway.model import Participation, Plan, Role
from gateway.model.stages import BEFORE, BEFORE_AT, Again, Cohort, Scratch, Spill
from gateway.selection.joins import joined, unjoinable
from gateway.selection.saying import WORD, Said, said_elsewhere, tightest
from gateway.selection.scattering import (
    Whole,
    WithRelatives,
    partitions_for,
    scatter,
    whole,
)
from gateway.selection.sources import Source
from gateway.selection.spine import ORDER, SpineReader, asks_beside, has_person_ids


def select(
    plan: Plan,
    sources: Mapping[str, Source],
    scratch: Scratch,
    *,
    elements: Iterable[str],
    only: str = "",
) -> Cohort:
    """Read the spine and its joins, keep the cohort, scatter it by family.

    Args:
        plan: names the cohort, the joins and every column.
        sources: by dataset id; the spine and each join must be there.
        scratch: room for the partitions.
        elements: the standardised elements that tokens and the register need.
        only: the one person, as `find_one` found them, whom the purpose is about.

    Returns:
        The cohort; `received` counts distinct people of the spine. Where one member's "no"
        holds the whole family, their relatives in the spine are with them, marked `BESIDE`:
        they are in no join, refuse nothing and are not counted.

    Raises:
        RefusedError: a join would multiply the spine, or a person cannot be joined.
    """
    spine = sources[plan.cohort.dataset]
    elements = tuple(elements)
    said = said_elsewhere(plan, sources)
    people = _people(plan, sources, scratch, elements, only, said)
    if only or not asks_beside(plan) or spine.column_of(Role.FAMILY_ID) is None:
        return Cohort(plan=plan, partitions=Whole(people), received=people.rows)
    others = said.heard(SpineReader(plan, spine, elements, beside=True))
    beside = scatter(others, "family", scratch=scratch, partitions=len(people))
    return Cohort(plan=plan, partitions=WithRelatives(people, beside), received=people.rows)


def _people(
    plan: Plan,
    sources: Mapping[str, Source],
    scratch: Scratch,
    elements: tuple[str, ...],
    only: str,
    said: Said,
) -> Spill:
    """The cohort itself, whole families together."""
    spine = sources[plan.cohort.dataset]
    unique = _people_are_unique(spine)
    blocks = _of(only, said.heard(SpineReader(plan, spine, elements, ordered=not unique)))
    count = partitions_for(spine.rows)
    by = "family" if spine.column_of(Role.FAMILY_ID) else "person"
    if not plan.joins and unique:
        return scatter(blocks, by, scratch=scratch, partitions=count)
    if plan.joins and spine.column_of(Role.PERSON_ID) is None:
        raise unjoinable(plan.cohort.dataset)
    people = scatter(blocks, "person", scratch=scratch, partitions=count)
    if not unique:
        people = _once_each(plan, people, scratch)
    for join in plan.joins:
        people = joined(plan, join, sources[join.dataset], people, scratch)
    if by == "family" and count > 1:
        people = scatter(Whole(people).last(), by, scratch=scratch, partitions=count)
    return people


def _of(only: str, blocks: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The blocks, or the rows of one person."""
    return (block.filter(pl.col("person") == only) for block in blocks) if only else blocks


def alike(one: Plan, other: Plan) -> bool:
    """Whether two plans select the same people of the same extracts, whatever columns they ask."""
    return _cohort_of(one) == _cohort_of(other)


def for_version(cohort: Cohort, plan: Plan) -> Cohort:
    """The same people for one of several plans whose columns were read together.

    Args:
        cohort: selected under a plan that asks for the columns of all.
        plan: one of those; it selects the same people (`alike`).
    """
    return Cohort(plan=plan, partitions=Again(cohort.partitions), received=cohort.received)


def _cohort_of(plan: Plan) -> tuple[object, ...]:
    asked = (plan.cohort, plan.joins, plan.spine_take, plan.senders, asks_beside(plan))
    # A statutory plan asks no replaced extract: its people lack what was said before.
    statutory = plan.participation is Participation.STATUTORY
    return (plan.request, plan.kind, statutory, *asked)


def _people_are_unique(spine: Source) -> bool:
    """Whether the contract has seen to it that no person stands in the spine twice."""
    person = spine.column_of(Role.PERSON_ID)
    unique = any(column.name == person and column.unique for column in spine.contract.columns)
    return unique and has_person_ids(spine) and len(spine.extracts) == 1


def _once_each(plan: Plan, people: Spill, scratch: Scratch) -> Spill:
    """One row for each person: the unit of a release is the person.

    Raises:
        RefusedError: somebody stands in the spine twice, and no clause says which row counts.
    """
    kept = scratch.spill(len(people))
    for index in range(len(people)):
        frame = whole(people, index, last=True)
        if not frame.height:
            continue
        if frame.get_column("person").is_duplicated().any():
            frame = _latest(plan, frame)
        kept.put(index, frame.drop(ORDER))
    return kept


def _latest(plan: Plan, frame: pl.DataFrame) -> pl.DataFrame:
    """The latest row of each person, with what any of their rows says against sharing."""
    if plan.spine_take != "latest":
        raise RefusedError(
            "sharing/spine-repeats",
            f'Somebody stands in "{plan.cohort.dataset}" more than once.',
            remedy='Say take = "latest" in the purpose, or correct the extract.',
            dataset=plan.cohort.dataset,
        )
    said = frame.with_columns(
        pl.coalesce(tightest(WORD).over("person"), WORD).alias(WORD),
        *(
            pl.col(name).max().over("person")
            for name in ("spine.protected", BEFORE_AT)
            if name in frame.columns
        ),
        *([tightest(BEFORE).over("person")] if BEFORE in frame.columns else []),
    )
    ordered = said.sort(ORDER, maintain_order=True, nulls_last=False)
    return ordered.unique("person", keep="last", maintain_order=True)
