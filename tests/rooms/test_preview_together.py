"""Two versions read together are each what they are alone, or are not read together."""

from __future__ import annotations

import dataclasses
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from gateway import selection
from gateway.model import (
    CohortRule,
    ColumnRule,
    FieldClass,
    Household,
    JoinRule,
    Participation,
    Plan,
)
from gateway.model.stages import Cohort, Spendable
from gateway.objections import alike, for_version, honour
from gateway.workflows.previewing import together
from tests.rooms.objection_people import Blocks, a_cohort, a_plan, register_of


def a_rule(name: str, *, level: str = "person", combine: str = "", field: str = "") -> ColumnRule:
    return ColumnRule(
        name=name,
        field=field or name,
        dataset="family_register",
        column=name,
        treat="keep",
        clause="4.2",
        field_class=FieldClass.PLAIN,
        level=level,
        combine=combine,
    )


CRITERIA = a_rule("criteria", level="family", combine="union", field="criteria_met")
ABUSE = a_rule("abuse", level="family", combine="any")
ARM = a_rule("arm")
COLUMNS = (CRITERIA, ABUSE, ARM)

PEOPLE = [{"nhs": f"{9990000000 + n}"} for n in range(12)]
FAMILIES = [f"f{n // 3}" for n in range(9)] + [None] * 3
VALUES = {
    "criteria": ["C1", "C2", "C2", "C1;C3", None, "C1", "C4", "C5", "C4", "C1;C2", "C1", None],
    "abuse": ["Y", "N", "N", None, "Y", None, "N", "N", "N", "Y", "N", None],
    "arm": ["PROG", "COMP"] * 6,
}

rules = st.sets(st.sampled_from(COLUMNS)).map(lambda chosen: tuple(sorted(chosen, key=str)))
objectors = st.sets(st.integers(0, 11), max_size=5)


def cohort_of(plan: Plan) -> Cohort:
    """The same twelve people, with the columns that the plan asks for."""
    bare = a_cohort(PEOPLE, families=FAMILIES, blocks=1)
    wanted = {rule.source: VALUES[rule.name] for output in plan.outputs for rule in output.columns}
    frames = (
        frame.with_columns(pl.Series(name, each, dtype=pl.String) for name, each in wanted.items())
        for frame in bare.partitions
    )
    return Cohort(plan, Blocks(tuple(frames)), received=bare.received)


def told(plan: Plan, willing: Any) -> tuple[list[list[Any]], dict[str, int]]:
    """Who stays with which values of the plan's own columns, and who goes for which reason."""
    names = [rule.source for output in plan.outputs for rule in output.columns]
    frames = [frame.select("person", "family", *names).rows() for frame in willing.partitions]
    return frames, dict(willing.counts)


@given(rules, rules, objectors, st.sampled_from(Household))
def test_a_version_that_is_read_with_another_is_what_it_is_alone(
    before: tuple[ColumnRule, ...],
    after: tuple[ColumnRule, ...],
    chosen: set[int],
    household: Household,
) -> None:
    plans = [a_plan(*each, household=household) for each in (before, after)]
    assert alike(*plans) == ((CRITERIA in before) == (CRITERIA in after))
    if not alike(*plans):
        return
    register = register_of(*(("objection", PEOPLE[n]) for n in sorted(chosen)))
    both = together(*plans)
    assert both is not None
    shared = honour(cohort_of(both), register)
    for plan in plans:
        alone, beside = honour(cohort_of(plan), register), for_version(shared, plan)
        assert not isinstance(beside.partitions, Spendable)
        assert told(plan, beside) == told(plan, alone)


@given(rules, rules, objectors, st.sampled_from(Household), st.sampled_from(Household))
def test_versions_that_leave_out_others_share_the_cohort_and_nothing_after_it(
    before: tuple[ColumnRule, ...],
    after: tuple[ColumnRule, ...],
    chosen: set[int],
    household: Household,
    instead: Household,
) -> None:
    plans = [a_plan(*before, household=household), a_plan(*after, household=instead)]
    register = register_of(*(("objection", PEOPLE[n]) for n in sorted(chosen)))
    both = together(*plans)
    assert both is not None
    cohort = cohort_of(both)
    for plan in plans:
        alone = honour(cohort_of(plan), register)
        beside = honour(selection.for_version(cohort, plan), register)
        assert told(plan, beside) == told(plan, alone)


def test_what_selects_people_must_be_the_same_in_both() -> None:
    plan = a_plan(ARM)
    others = [
        dataclasses.replace(plan, cohort=CohortRule(name="some", dataset="family_register")),
        dataclasses.replace(plan, joins=(JoinRule(dataset="schools", on="id", take="one"),)),
        dataclasses.replace(plan, senders=frozenset({"trafford-council"})),
        dataclasses.replace(plan, spine_take="latest"),
    ]
    assert together(plan, a_plan(ARM, ABUSE)) is not None
    assert [together(plan, other) for other in others] == [None] * len(others)


def test_who_is_left_out_is_asked_of_each_where_anything_of_that_differs() -> None:
    plan = a_plan(ARM)
    others = [
        a_plan(ARM, rule=Participation.CONSENT),
        a_plan(ARM, household=Household.DROP_FAMILY),
        a_plan(a_rule("arm", level="family", combine="any")),
    ]
    assert alike(plan, a_plan(ARM, ABUSE))
    assert not [other for other in others if alike(plan, other)]
