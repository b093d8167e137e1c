"""Of a row only what the Plan permits goes on: its columns, and what its tokens are made of."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.minimise import Masking, linkage_elements, minimise
from gateway.minimise.treatments import _capitals_and_digits
from gateway.model import IdentifierForm, OutputPlan
from gateway.model.stages import Willing, last_reading
from tests.rooms.objection_people import Blocks
from tests.rooms.test_disclosure_groups import a_plan, a_rule, an_output

NOBODY = Masking(seed=1, one_in=0)
FACTS = an_output(
    "facts",
    None,
    a_rule("arm"),
    a_rule("area", "postcode-area", address=True),
    a_rule("case", "pseudonym"),
    a_rule("home", "pseudonym", address=True),
)


def linkage(*tokens: str, slots: int = 0) -> OutputPlan:
    output = an_output("linkage", None)
    return replace(output, identifiers=IdentifierForm.TOKENS, tokens=tokens, slots=slots)


def a_frame(person: str, *, protected: str = "N") -> pl.DataFrame:
    elements = ("fn1", "fnx", "sn1", "sn2", "snx", "alpha", "dob", "pc", "hn", "nhs")
    former = [f"former{n}.{name}" for n in (1, 2, 3) for name in ("sn1", "sn2", "snx")]
    dataset = {f"in.family_register.{name}": name for name in ("arm", "area", "case", "home")}
    return pl.DataFrame(
        {
            "person": person,
            "family": "f1",
            "spine.protected": protected,
            **dataset,
            **{f"std.{name}": name.upper() for name in (*elements, *former)},
        }
    )


def minimised(output: OutputPlan, *frames: pl.DataFrame, masking: Masking = NOBODY):
    plan = a_plan(output)
    willing = Willing(plan, Blocks(frames), 9, {"objected": 2}, doubtful=0, register_sequence=7)
    return minimise(willing, masking=masking)


@pytest.mark.parametrize(
    ("output", "elements"),
    [
        (linkage("TN-nhs"), "nhs"),
        (linkage("TN-nhs", slots=2), "nhs"),
        (linkage("T21"), "dob hn pc"),
        (linkage("T08"), "alpha dob"),
        (linkage("T08", slots=1), "alpha dob fnx sn1 sn2 snx"),
        (linkage("T03"), "dob fn1 pc sn1"),
        (linkage("T03", slots=1), "dob fn1 pc sn1 sn2 snx"),
        (linkage("T01", slots=1), "dob fnx pc sex sn1 sn2 snx"),
        (replace(linkage("T03"), identifiers=IdentifierForm.LINK_ID), ""),
    ],
)
def test_the_components_of_the_agreed_tokens_go_on_and_no_other(
    output: OutputPlan, elements: str
) -> None:
    assert linkage_elements(a_plan(output)) == tuple(elements.split())


@pytest.mark.parametrize(
    ("output", "former"),
    [
        (linkage("T03"), []),
        (linkage("T03", slots=1), [1]),
        (linkage("T03", slots=2), [1, 2]),
        (linkage("T03", slots=9), [1, 2, 3]),
        (linkage("TN-nhs", slots=2), []),
        (replace(linkage("T03", slots=2), identifiers=IdentifierForm.LINK_ID), []),
    ],
)
def test_former_names_go_on_in_the_agreed_slots_where_a_token_is_made_of_them(
    output: OutputPlan, former: list[int]
) -> None:
    (frame,) = minimised(output, a_frame("p1")).partitions
    found = [name for name in frame.columns if "former" in name]
    assert found == [f"std.former{n}.{name}" for n in former for name in ("sn1", "sn2", "snx")]


def test_permitted_columns_leave_as_treated_and_subjects_under_their_own_name() -> None:
    made = minimised(FACTS, a_frame("p1").with_columns(pl.lit("ZA1 1AA").alias(AREA)))
    (frame,) = made.partitions
    assert frame.row(0, named=True) == {
        "person": "p1",
        "family": "f1",
        "payload.facts.arm": "arm",
        "payload.facts.area": "ZA",
        "subject.facts.case": "case",
        "subject.facts.home": "home",
    }
    assert (made.received, dict(made.counts)) == (9, {"objected": 2})


AREA = "in.family_register.area"


def test_of_a_protected_person_nothing_of_an_address_and_no_former_name_goes_on() -> None:
    output = replace(linkage("T03", "T21", slots=1), columns=FACTS.columns)
    (frame,) = minimised(output, a_frame("p1", protected="Y")).partitions
    hidden = {name for name in frame.columns if frame[name][0] is None}
    assert hidden == {
        *("payload.linkage.area", "subject.linkage.home", "std.pc", "std.hn"),
        *("std.former1.sn1", "std.former1.sn2", "std.former1.snx"),
    }


def test_what_is_read_again_is_the_same_people_in_the_same_order() -> None:
    made = minimised(FACTS, a_frame("p2"), a_frame("p1"))
    first, second = list(made.partitions), list(made.partitions)
    assert [frame["person"][0] for frame in first] == ["p2", "p1"]
    spent = list(last_reading(made.partitions))
    for one, other, last in zip(first, second, spent, strict=True):
        assert one.equals(other)
        assert one.equals(last)


@given(st.lists(st.none() | st.text("aZ1 -.é١ß", max_size=8), max_size=5))
def test_a_postcode_is_read_by_its_capitals_and_digits_alone(texts: list[str | None]) -> None:
    made = _capitals_and_digits(pl.Series(texts, dtype=pl.String)).to_list()
    allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    wanted = [t if t is None else "".join(c for c in t.upper() if c in allowed) for t in texts]
    assert made == wanted


def test_a_postcode_that_is_written_properly_only_loses_its_spaces() -> None:
    made = _capitals_and_digits(pl.Series(["ZA1 1AA", "ZB2  2BB ", None]))
    assert made.to_list() == ["ZA11AA", "ZB22BB", None]
