"""One member's objection and the rest of the family: values anew, eligibility, whole families."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import RefusedError
from gateway.model import ColumnRule, FieldClass, Household
from gateway.model.stages import BESIDE
from gateway.objections import household_effect
from gateway.objections.household import without_relatives

DROP_PERSON, DROP_FAMILY = Household.DROP_PERSON, Household.DROP_FAMILY


def a_rule(name: str, combine: str, *, level: str = "family", field: str = "") -> ColumnRule:
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


def a_frame(families: list[str | None], **columns: list[object]) -> pl.DataFrame:
    named = {f"in.family_register.{name}": values for name, values in columns.items()}
    return pl.DataFrame(
        {"person": [f"p{n}" for n in range(len(families))], "family": families, **named},
        schema_overrides={"family": pl.String},
    )


def why(*reasons: str | None) -> pl.Series:
    return pl.Series("reason", reasons, dtype=pl.String)


def values_of(frame: pl.DataFrame, name: str) -> list[object]:
    return frame[f"in.family_register.{name}"].to_list()


def test_drop_person_makes_family_values_anew_without_the_evidence_of_who_left() -> None:
    frame = a_frame(
        ["f", "f", "f", "g"],
        criteria=["C1;C2", "C3", "C2", "C6"],
        abuse=["Y", "N", None, "N"],
        visits=[5, 2, 1, 9],
        debts=[10, 20, None, None],
        size=[3, 3, 3, 1],
    )
    rules = [
        a_rule("criteria", "union"),
        a_rule("abuse", "any"),
        a_rule("visits", "max"),
        a_rule("debts", "sum"),
        a_rule("size", "count"),
    ]
    made, reasons = household_effect(
        frame, why("objected", None, None, None), household=DROP_PERSON, rules=rules
    )
    left = made.filter(reasons.is_null())
    assert values_of(left, "criteria") == ["C2;C3", "C2;C3", "C6"]
    assert values_of(left, "abuse") == ["N", "N", "N"]
    assert values_of(left, "visits") == [2, 2, 9]
    assert values_of(left, "debts") == [20, 20, None]
    assert values_of(left, "size") == [2, 2, 1]
    assert reasons.to_list() == ["objected", None, None, None]


def test_a_family_that_met_enough_only_by_who_left_is_no_longer_eligible() -> None:
    frame = a_frame(
        ["f", "f", "g", "g", "h", "h", None],
        criteria=["C1;C2", "C3", "C1;C2", "C2;C3", "C1", None, "C1;C2"],
    )
    made, reasons = household_effect(
        frame,
        why("objected", None, "opted-out", None, "objected", None, None),
        household=DROP_PERSON,
        rules=[a_rule("criteria", "union", field="criteria_met")],
    )
    # f falls from three criteria to one; g still meets two; h never met two.
    assert reasons.to_list() == [
        "objected",
        "no-longer-eligible",
        "opted-out",
        None,
        "objected",
        None,
        None,
    ]
    assert made.columns == frame.columns


def test_eligibility_is_asked_only_where_someone_left() -> None:
    frame = a_frame(["f", "f"], criteria=["C1", None])
    rules = [a_rule("criteria", "union", field="criteria_met")]
    _, reasons = household_effect(frame, why(None, None), household=DROP_PERSON, rules=rules)
    assert reasons.to_list() == [None, None]


def test_drop_family_takes_everyone_and_only_of_that_family() -> None:
    frame = a_frame(["f", "f", "g", None, None])
    _, reasons = household_effect(
        frame, why("objected", None, None, "opted-out", None), household=DROP_FAMILY, rules=[]
    )
    assert reasons.to_list() == ["objected", "household", None, "opted-out", None]


def test_a_no_beside_the_cohort_holds_its_family_and_nobody_beside_goes_on() -> None:
    frame = a_frame(["f", "f", "g", "g", None, None], size=[9, 9, 9, 9, 9, 9]).with_columns(
        pl.Series(BESIDE, [True, None, True, None, True, None])
    )
    made, reasons = without_relatives(frame, why("objected", None, None, None, "objected", None))
    assert made["person"].to_list() == ["p1", "p3", "p5"]
    assert made.columns == frame.drop(BESIDE).columns
    assert reasons.to_list() == ["household", None, None]
    counted, _ = household_effect(
        made, reasons, household=DROP_FAMILY, rules=[a_rule("size", "count")]
    )
    assert values_of(counted, "size") == [0, 1, 1]


def test_a_person_of_the_cohort_keeps_the_own_reason() -> None:
    frame = a_frame(["f", "f"]).with_columns(pl.Series(BESIDE, [True, None]))
    assert without_relatives(frame, why("objected", "opted-out"))[1].to_list() == ["opted-out"]


def test_values_of_the_person_stay_as_they_are() -> None:
    frame = a_frame(["f", "f"], score=[1, 2])
    made, _ = household_effect(
        frame,
        why("objected", None),
        household=DROP_PERSON,
        rules=[a_rule("score", "", level="person")],
    )
    assert made.equals(frame)


def test_a_family_field_that_does_not_say_how_it_is_combined_is_refused() -> None:
    frame = a_frame(["f"], score=[1])
    with pytest.raises(RefusedError, match="objections/unknown-combine"):
        household_effect(frame, why(None), household=DROP_PERSON, rules=[a_rule("score", "median")])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["f", "g", "h", None]),
            st.sets(st.sampled_from(["C1", "C2", "C3"])),
            st.booleans(),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_the_union_is_what_the_staying_members_have(
    rows: list[tuple[str | None, set[str], bool]],
) -> None:
    frame = a_frame(
        [family for family, _, _ in rows],
        criteria=[";".join(sorted(codes)) or None for _, codes, _ in rows],
    ).with_columns(pl.col("in.family_register.criteria").cast(pl.String))
    reasons = why(*("objected" if gone else None for _, _, gone in rows))
    made, _ = household_effect(
        frame, reasons, household=DROP_PERSON, rules=[a_rule("criteria", "union")]
    )
    for place, (family, codes, gone) in enumerate(rows):
        if gone:
            continue
        together = set(codes)
        if family is not None:
            for other, theirs, left in rows:
                together |= theirs if other == family and not left else set()
        assert values_of(made, "criteria")[place] == (";".join(sorted(together)) or None)
