"""Groups hold k families and mixed values, or they are suppressed, coarsened or refused."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.disclosure import assess, count, judge, merge, shape_of
from gateway.disclosure import summary as summary_module
from gateway.minimise import coarser
from gateway.model import (
    CohortRule,
    ColumnRule,
    FieldClass,
    Household,
    IdentifierForm,
    Limits,
    OnSmallGroup,
    OutputPlan,
    Participation,
    Plan,
    PurposeKind,
    RecipientRef,
    SharingRequest,
)
from gateway.model.rounding import rounded
from gateway.model.stages import Assessed, Pseudonymised, TooRisky


def a_rule(name: str, treat: str = "keep", **more: object) -> ColumnRule:
    wanted = {"field": name, "dataset": "family_register", "column": name, "clause": "4.2"}
    wanted |= {"field_class": FieldClass.PLAIN}
    return ColumnRule(name=name, treat=treat, **(wanted | more))  # type: ignore[arg-type]


def a_recipient(*classes: str) -> RecipientRef:
    return RecipientRef(
        id="ons-research",
        organisation="ons",
        team="research",
        classes=frozenset(classes),
        key_id="k",
        fingerprint="f",
        channel="folder",
    )


def an_output(
    name: str, limits: Limits | None, *rules: ColumnRule, classes: tuple[str, ...] = ()
) -> OutputPlan:
    return OutputPlan(
        name=name,
        recipient=a_recipient(*classes),
        identifiers=IdentifierForm.LINK_ID,
        clause="4.2(c)",
        columns=rules,
        limits=limits,
    )


def a_plan(*outputs: OutputPlan) -> Plan:
    return Plan(
        request=SharingRequest(purpose="study", agreement="trafford"),
        agreement_version=1,
        controller="trafford-council",
        kind=PurposeKind.RECORDS,
        clause="4.2",
        legal_bases=("UKGDPR-6-1-e",),
        cohort=CohortRule(name="all", dataset="family_register"),
        joins=(),
        participation=Participation.OBJECTION,
        household=Household.DROP_PERSON,
        outputs=outputs,
        retain_until=dt.date(2028, 3, 31),
        link_map_until="receipt+30d",
        returns="aggregates",
        duties=(),
        policy_digest="0" * 64,
    )


@dataclass(frozen=True)
class Blocks:
    frames: tuple[pl.DataFrame, ...]

    def __iter__(self) -> Iterator[pl.DataFrame]:
        return iter(self.frames)


def pseudonymised(plan: Plan, *frames: pl.DataFrame) -> Pseudonymised:
    total = sum(frame.height for frame in frames)
    return Pseudonymised(plan, Blocks(frames), received=total, counts={}, rows=total)


def rows(output: str, units: list[int], **columns: list[object]) -> pl.DataFrame:
    """One row per person; link ids are made up from the position."""
    named = {f"payload.{output}.{name}": values for name, values in columns.items()}
    return pl.DataFrame(
        {"unit": units, "link_id": [f"{output}{u}-{n}" for n, u in enumerate(units)], **named}
    )


SUPPRESS = Limits(key_variables=("district",), k=3)
SECURE = ("secure-setting",)


def left_of(result: Assessed | TooRisky) -> pl.DataFrame:
    assert isinstance(result, Assessed)
    return pl.concat(list(result.partitions))


def test_a_group_is_counted_in_families_not_in_people() -> None:
    plan = a_plan(an_output("out", SUPPRESS, a_rule("district"), classes=SECURE))
    one_large_family = rows("out", [1, 1, 1, 1, 2, 3, 4], district=["ZA1"] * 4 + ["ZA2"] * 3)
    result = assess(pseudonymised(plan, one_large_family), coarser=coarser)
    assert left_of(result)["payload.out.district"].to_list() == ["ZA2"] * 3
    assert isinstance(result, Assessed)
    assert result.counts == {"small-group": 4}
    assert result.outputs[0].k_reached == 3


def test_a_missing_value_is_a_group_of_its_own() -> None:
    plan = a_plan(an_output("out", SUPPRESS, a_rule("district"), classes=SECURE))
    frame = rows("out", [1, 2, 3, 4, 5], district=[None, None, "ZA1", "ZA1", "ZA1"])
    result = assess(pseudonymised(plan, frame), coarser=coarser)
    assert left_of(result)["payload.out.district"].to_list() == ["ZA1"] * 3


def test_blocks_add_up() -> None:
    plan = a_plan(an_output("out", SUPPRESS, a_rule("district"), classes=SECURE))
    blocks = [rows("out", [n], district=["ZA1"]) for n in range(3)]
    result = assess(pseudonymised(plan, *blocks), coarser=coarser)
    assert left_of(result).height == 3


def test_without_key_variables_all_rows_are_one_group() -> None:
    limits = Limits(key_variables=(), k=3)
    plan = a_plan(an_output("out", limits, a_rule("arm"), classes=SECURE))
    enough = rows("out", [1, 2, 3], arm=["PROG", "COMP", "PROG"])
    assert isinstance(assess(pseudonymised(plan, enough), coarser=coarser), Assessed)
    few = assess(pseudonymised(plan, enough.head(2)), coarser=coarser)
    assert isinstance(few, TooRisky)


def test_a_column_of_more_than_twenty_values_forms_groups_unless_a_clause_spares_it() -> None:
    frame = rows("out", list(range(42)), score=[n // 2 for n in range(42)])
    limits = Limits(key_variables=(), k=3)
    plan = a_plan(an_output("out", limits, a_rule("score"), classes=SECURE))
    assert isinstance(assess(pseudonymised(plan, frame), coarser=coarser), TooRisky)
    spared = a_plan(
        an_output(
            "out", replace(limits, not_key=(("score", "4.2(c)"),)), a_rule("score"), classes=SECURE
        )
    )
    assert left_of(assess(pseudonymised(spared, frame), coarser=coarser)).height == 42


def test_dates_and_key_variables_form_groups_without_being_listed() -> None:
    limits = Limits(key_variables=(), k=2)
    for rule in (
        a_rule("start", is_date=True),
        a_rule("start", field_class=FieldClass.KEY_VARIABLE),
    ):
        output = an_output("out", limits, rule)
        assert shape_of(output, limits, wide=frozenset()).keys == ("start",)


def test_a_flag_that_a_whole_group_shares_is_suppressed() -> None:
    limits = Limits(key_variables=("district",), k=2, l_values=(("criteria", 2),))
    plan = a_plan(an_output("out", limits, a_rule("district"), a_rule("criteria"), classes=SECURE))
    frame = rows(
        "out",
        list(range(9)),
        district=["ZA1"] * 3 + ["ZA2"] * 3 + ["ZA3"] * 3,
        criteria=["C1;C3", "C1", "C2;C1", "C1", "C2", None, None, "", "NONE"],
    )
    left = left_of(assess(pseudonymised(plan, frame), coarser=coarser))
    # ZA1 shares C1; ZA2 is mixed; in ZA3 nobody has anything, which says nothing.
    assert left["payload.out.district"].unique(maintain_order=True).to_list() == ["ZA2", "ZA3"]


def test_l_of_three_needs_three_values() -> None:
    limits = Limits(key_variables=("district",), k=2, l_values=(("mh", 3),))
    plan = a_plan(an_output("out", limits, a_rule("district"), a_rule("mh"), classes=SECURE))
    frame = rows(
        "out",
        list(range(7)),
        district=["ZA1"] * 3 + ["ZA2"] * 4,
        mh=["UNMET", "NONE", "NONE", "UNMET", "NONE", "REFERRED", "UNMET"],
    )
    left = left_of(assess(pseudonymised(plan, frame), coarser=coarser))
    assert left["payload.out.district"].unique().to_list() == ["ZA2"]


def test_coarsening_takes_the_first_treatment_of_its_list_that_is_enough() -> None:
    limits = Limits(
        key_variables=("district", "age"),
        k=3,
        on_small_group=OnSmallGroup.COARSEN,
        coarsen=(("district", "postcode-area"), ("age", "age-band-10")),
    )
    output = an_output(
        "out",
        limits,
        a_rule("district", "postcode-district"),
        a_rule("age", "age-band-5"),
        classes=SECURE,
    )
    frame = rows(
        "out",
        list(range(6)),
        district=["ZA1", "ZA2", "ZA3", "ZA1", "ZA2", "ZA3"],
        age=["10-14"] * 3 + ["15-19"] * 3,
    )
    result = assess(pseudonymised(a_plan(output), frame), coarser=coarser)
    assert left_of(result)["payload.out.district"].unique().to_list() == ["ZA"]
    assert left_of(result)["payload.out.age"].n_unique() == 2
    assert isinstance(result, Assessed)
    assert result.outputs[0].treatments == {"district": "postcode-area", "age": "age-band-5"}
    assert result.outputs[0].values["district"] == {"ZA"}
    both = assess(
        pseudonymised(a_plan(output), frame.filter(pl.col("unit") % 3 != 0)), coarser=coarser
    )
    assert isinstance(both, Assessed)
    assert both.outputs[0].treatments == {"district": "postcode-area", "age": "age-band-10"}
    never = assess(pseudonymised(a_plan(output), frame.head(2)), coarser=coarser)
    assert isinstance(never, TooRisky)


def test_refuse_names_columns_and_rounds_its_counts() -> None:
    limits = replace(SUPPRESS, on_small_group=OnSmallGroup.REFUSE)
    plan = a_plan(an_output("out", limits, a_rule("district"), classes=SECURE))
    result = assess(
        pseudonymised(plan, rows("out", [1, 2, 3], district=["SECRET", "ZA1", "ZA1"])),
        coarser=coarser,
    )
    assert isinstance(result, TooRisky)
    ((code, sentence),) = result.reasons
    assert code == "disclosure/group-too-small"
    assert '"district"' in sentence
    assert "<10" in sentence
    assert "SECRET" not in sentence
    fine = rows("out", [1, 2, 3], district=["ZA1"] * 3)
    assert isinstance(assess(pseudonymised(plan, fine), coarser=coarser), Assessed)


def test_an_output_of_which_nothing_stays_is_refused() -> None:
    plan = a_plan(an_output("out", SUPPRESS, a_rule("district"), classes=SECURE))
    result = assess(
        pseudonymised(plan, rows("out", [1, 2], district=["ZA1", "ZA2"])), coarser=coarser
    )
    assert isinstance(result, TooRisky)


def test_who_is_suppressed_in_one_output_leaves_every_output_to_a_fixed_point() -> None:
    limits_a = Limits(key_variables=("district",), k=2)
    limits_b = Limits(key_variables=("school",), k=2)
    plan = a_plan(
        an_output("a", limits_a, a_rule("district"), classes=SECURE),
        an_output("b", limits_b, a_rule("school"), classes=SECURE),
        an_output("tokens", None),
    )
    frame = pl.DataFrame(
        {
            "unit": [1, 2, 3, 4, 5],
            "link_id": list("vwxyz"),
            # v is alone in ZA9; then w is alone in S1; then x is alone in ZA1.
            "payload.a.district": ["ZA9", "ZA1", "ZA1", "ZA3", "ZA3"],
            "payload.b.school": ["S1", "S1", "S2", "S2", "S2"],
        }
    )
    result = assess(pseudonymised(plan, frame), coarser=coarser)
    assert left_of(result)["link_id"].to_list() == ["y", "z"]
    assert isinstance(result, Assessed)
    assert result.counts == {"small-group": 3}


def test_alias_rows_of_a_person_are_one_person_and_leave_together() -> None:
    plan = a_plan(an_output("out", SUPPRESS, a_rule("district"), classes=SECURE))
    frame = pl.DataFrame(
        {
            "unit": [1, 1, 2, 2, 3, 3, 4, 4],
            "link_id": list("aabbccdd"),
            "slot": [0, 1] * 4,
            "payload.out.district": ["ZA1"] * 6 + ["ZA2"] * 2,
        }
    )
    result = assess(pseudonymised(plan, frame), coarser=coarser)
    assert left_of(result)["link_id"].to_list() == list("aabbcc")
    assert isinstance(result, Assessed)
    assert (result.rows, result.counts) == (6, {"small-group": 1})


def test_rows_that_are_unique_go_to_a_secure_setting_only() -> None:
    limits = Limits(key_variables=("district",), k=2)
    rules = (a_rule("district"), a_rule("score"))
    frame = rows("out", list(range(20)), district=["ZA1"] * 20, score=[*range(2), *[5] * 18])
    open_plan = a_plan(an_output("out", limits, *rules))
    result = assess(pseudonymised(open_plan, frame), coarser=coarser)
    assert isinstance(result, TooRisky)
    assert result.reasons[0][0] == "disclosure/too-unique"
    safe_plan = a_plan(an_output("out", limits, *rules, classes=SECURE))
    assert isinstance(assess(pseudonymised(safe_plan, frame), coarser=coarser), Assessed)
    fewer = frame.with_columns(pl.lit(5).alias("payload.out.score"))
    assert isinstance(assess(pseudonymised(open_plan, fewer), coarser=coarser), Assessed)


def test_the_unique_share_of_many_rows_is_estimated_on_the_safe_side(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(summary_module, "SAMPLE_ROWS", 500)
    limits = Limits(key_variables=(), k=2, not_key=(("score", "1"),))
    output = an_output("out", limits, a_rule("score"))
    shape = shape_of(output, limits, wide=frozenset())

    def share_of(alone: int) -> bool:
        score = [*range(alone), *[-(n // 5) - 1 for n in range(20_000 - alone)]]
        frame = rows("out", list(range(20_000)), score=list(score))
        parts = [count(part, shape, coarser=coarser) for part in frame.iter_slices(5_000)]
        summary = parts[0]
        for part in parts[1:]:
            summary = merge(summary, part)
        assert summary.levels[0].sample.thinned > 0
        return bool(judge(summary, limits, recipient=frozenset()).reasons)

    assert share_of(1_050)
    assert not share_of(50)


def test_an_output_without_limits_passes_as_it_is() -> None:
    plan = a_plan(an_output("out", None, a_rule("district")))
    result = assess(pseudonymised(plan, rows("out", [1], district=["ZA1"])), coarser=coarser)
    assert left_of(result).height == 1
    assert isinstance(result, Assessed)
    assert result.outputs[0].treatments == {"district": "keep"}
    assert result.outputs[0].values == {"district": frozenset({"ZA1"})}


def test_an_output_of_nobody_passes() -> None:
    plan = a_plan(an_output("out", SUPPRESS, a_rule("district")))
    for frames in ((), (rows("out", [], district=[]),)):
        result = assess(pseudonymised(plan, *frames), coarser=coarser)
        assert isinstance(result, Assessed)
        assert (result.rows, result.counts, result.outputs[0].k_reached) == (0, {}, 0)


def test_the_values_of_a_wide_column_are_not_remembered() -> None:
    spared = Limits(key_variables=(), k=3, not_key=(("score", "4.2(c)"),))
    plan = a_plan(an_output("out", spared, a_rule("score"), classes=SECURE))
    frame = rows("out", list(range(2500)), score=list(range(2500)))
    blocks = [frame.head(10), frame.slice(10, 2400), frame.tail(90)]
    result = assess(pseudonymised(plan, *blocks), coarser=coarser)
    assert isinstance(result, Assessed)
    assert dict(result.outputs[0].values) == {}


@pytest.mark.parametrize(("number", "told"), [(0, "<10"), (9, "<10"), (14, "10"), (15, "20")])
def test_counts_are_told_rounded(number: int, told: str) -> None:
    assert rounded(number) == told


PEOPLE = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.sampled_from(["ZA1", "ZA2", "ZB1", None]),
        st.sampled_from(["M", "F"]),
        st.sampled_from(["C1", "C1;C2", "C2", "", None]),
    ),
    min_size=1,
    max_size=60,
)


def naive(people: list[tuple[int, str | None, str, str | None]], k: int) -> set[int]:
    """One row at a time: who stays, by the definition."""
    groups: dict[tuple[str | None, str], list[int]] = defaultdict(list)
    for n, (_, district, sex, _) in enumerate(people):
        groups[district, sex].append(n)
    stay: set[int] = set()
    for members in groups.values():
        families = {people[n][0] for n in members}
        flags = [set(filter(None, (people[n][3] or "").split(";"))) for n in members]
        if len(families) >= k and not set.intersection(*flags):
            stay.update(members)
    return stay


@settings(max_examples=60, deadline=None)
@given(PEOPLE, st.integers(1, 4), st.integers(1, 3))
def test_what_stays_is_what_the_definition_says(
    people: list[tuple[int, str | None, str, str | None]], k: int, blocks: int
) -> None:
    limits = Limits(key_variables=("district", "sex"), k=k, l_values=(("criteria", 2),))
    plan = a_plan(
        an_output("o", limits, *map(a_rule, ("district", "sex", "criteria")), classes=SECURE)
    )
    frame = pl.DataFrame(
        {
            "unit": [p[0] for p in people],
            "link_id": list(range(len(people))),
            "payload.o.district": pl.Series([p[1] for p in people], dtype=pl.String),
            "payload.o.sex": [p[2] for p in people],
            "payload.o.criteria": pl.Series([p[3] for p in people], dtype=pl.String),
        }
    )
    parts = [
        part for n in range(blocks) if (part := frame.filter(pl.col("unit") % blocks == n)).height
    ]
    random.Random(len(people)).shuffle(parts)
    result = assess(pseudonymised(plan, *parts), coarser=coarser)
    expected = naive(people, k)
    if isinstance(result, TooRisky):
        assert not expected
    else:
        assert set(left_of(result)["link_id"]) == expected
