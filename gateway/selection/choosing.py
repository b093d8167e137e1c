"""Select the cohort: read the spine, join, each person once, whole families together.

Source: UK GDPR Art 5(1)(b), (c); docs/reference/policy.md, "The unit, joins, small groups".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.model import Plan, Role
from gateway.model.stages import Cohort, Scratch, Spill
from gateway.selection.joins import joined, unjoinable
from gateway.selection.scattering import Whole, partitions_for, scatter, whole
from gateway.selection.sources import Source
from gateway.selection.spine import SpineReader


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
    blocks = SpineReader(plan, spine, tuple(elements)).blocks()
    count = partitions_for(spine.rows)
    by = "family" if spine.column_of(Role.FAMILY_ID) else "person"
    if not plan.joins and _people_are_unique(spine):
        return _cohort(plan, scatter(blocks, by, scratch.spill(count)))
    if plan.joins and spine.column_of(Role.PERSON_ID) is None:
        raise unjoinable(plan.cohort.dataset)
    people = _once_each(scatter(blocks, "person", scratch.spill(count)), scratch)
    for join in plan.joins:
        people = joined(plan, join, sources[join.dataset], people, scratch)
    if by == "family" and count > 1:
        people = scatter(Whole(people).last(), by, scratch.spill(count))
    return _cohort(plan, people)


def _cohort(plan: Plan, spill: Spill) -> Cohort:
    return Cohort(plan=plan, partitions=Whole(spill), received=spill.rows)


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
        frame = whole(people, index, last=True)
        if frame.height:
            kept.put(index, frame.unique("person", keep="first", maintain_order=True))
    return kept
