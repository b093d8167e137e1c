"""The picture of a release is exact: who would leave, in which groups, and what stands alone."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.spill import ScratchDirectory
from gateway.disclosure import Earlier, examine, members_of
from gateway.disclosure.impact import Picture, impact, picture
from gateway.disclosure.succession import Members
from gateway.minimise import coarser
from gateway.model import Limits, OnSmallGroup
from gateway.model.stages import Assessed, Pseudonymised
from tests.rooms.test_disclosure_groups import SECURE, a_plan, a_rule, an_output, pseudonymised

K = 2
LIMITS = Limits(key_variables=("district",), k=K, not_key=(("score", "4.2(c)"),))
RULES = a_rule("district"), a_rule("score"), a_rule("case", "pseudonym")
FACTS = an_output("facts", LIMITS, *RULES, classes=SECURE)
TOKENS = an_output("tokens", None)
Row = tuple[int, str, int]


def a_frame(rows: list[Row], *, slots: int = 1) -> pl.DataFrame:
    """A row for each person and slot, districts as they come out of the room before."""
    wide = [(n, slot, *row) for n, row in enumerate(rows) for slot in range(slots)]
    return pl.DataFrame(
        {
            "mark": pl.Series([100 * unit + n for n, _, unit, _, _ in wide], dtype=pl.UInt64),
            "unit": pl.Series([unit for _, _, unit, _, _ in wide], dtype=pl.UInt64),
            "link_id": pl.Series([f"{unit}-{n}" for n, _, unit, _, _ in wide], dtype=pl.String),
            "payload.facts.district": pl.Series(
                [district for _, _, _, district, _ in wide], dtype=pl.Categorical
            ),
            "payload.facts.score": pl.Series([score for *_, score in wide], dtype=pl.Int64),
            "slot": pl.Series([slot for _, slot, *_ in wide], dtype=pl.Int64),
        }
    )


def seen(given_: Pseudonymised, earlier: Earlier | None = None) -> Picture:
    return picture(given_, examine(given_, coarser=coarser, earlier=earlier))


ROWS = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from(["ZA1", "ZB1", "ZA2"]), st.integers(0, 3)),
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(ROWS, st.integers(1, 3), st.integers(1, 2))
def test_a_picture_counts_what_one_row_at_a_time_would_count(
    rows: list[Row], blocks: int, slots: int
) -> None:
    # A family is in one partition only; codes of the districts differ from one to the next.
    parts = [[row for row in rows if row[0] % blocks == b] for b in range(blocks)]
    frames = [a_frame(part, slots=slots) for part in parts]
    told = seen(replace(pseudonymised(a_plan(FACTS, TOKENS), *frames), received=len(rows)))
    facts, tokens = told.outputs["facts"], told.outputs["tokens"]

    families = {d: len({unit for unit, at, _ in rows if at == d}) for _, d, _ in rows}
    staying = [row for row in rows if families[row[1]] >= K]
    assert facts.small_groups == sum(count < K for count in families.values())
    assert told.received == len(rows)
    assert (facts.k, tokens.k, tokens.small_groups, tokens.unique) == (K, 0, 0, 0)
    if rows and not staying:
        assert [code for code, _ in told.reasons] == ["disclosure/group-too-small"]
        assert (told.members.size, dict(told.withheld), facts.unique) == (0, {}, 0)
        return
    assert told.reasons == ()
    alone = Counter((district, score) for _, district, score in staying)
    assert facts.unique == sum(count == 1 for count in alone.values())
    assert facts.k_reached == min((n for n in families.values() if n >= K), default=0)
    assert told.members.size == len(staying)
    assert told.members.family_count() == len({unit for unit, _, _ in staying})
    gone = len(rows) - len(staying)
    assert dict(told.withheld) == ({"small-group": gone} if gone else {})


def test_columns_are_told_as_they_leave_without_those_that_carry_no_value() -> None:
    limits = replace(LIMITS, on_small_group=OnSmallGroup.COARSEN)
    limits = replace(limits, coarsen=(("district", "postcode-area"),))
    output = an_output("facts", limits, a_rule("district", "postcode-district"), *RULES[1:])
    output = replace(output, recipient=FACTS.recipient)
    rows: list[Row] = [(1, "ZA1", 0), (2, "ZA2", 0)]
    told = seen(pseudonymised(a_plan(output), a_frame(rows))).outputs["facts"]
    assert told.columns == {"district": "postcode-area", "score": "keep"}
    assert (told.recipient, told.k_reached, told.small_groups) == ("ons-research", 2, 2)


def test_a_release_that_is_refused_says_why_of_whom_and_how_many_groups_are_small() -> None:
    refusing = replace(FACTS, limits=replace(LIMITS, on_small_group=OnSmallGroup.REFUSE))
    rows: list[Row] = [(1, "ZA1", 0), (2, "ZA1", 1), (3, "ZA2", 0)]
    given_ = pseudonymised(a_plan(refusing, TOKENS), a_frame(rows))
    told = seen(given_)
    assert [code for code, _ in told.reasons] == ["disclosure/group-too-small"]
    facts = told.outputs["facts"]
    assert (facts.recipient, facts.small_groups, facts.k) == ("ons-research", 1, K)
    assert (facts.unique, facts.k_reached, told.received) == (0, 0, 3)
    assert (list(told.outputs), told.outputs["tokens"].small_groups) == (["facts", "tokens"], 0)


def test_who_waits_for_another_release_is_no_member_of_this_picture(tmp_path: Path) -> None:
    given_ = pseudonymised(a_plan(FACTS), a_frame([(n, "ZA1", 0) for n in range(6)]))
    now = examine(given_, coarser=coarser).result
    assert isinstance(now, Assessed)
    whole = members_of(now)
    before = Members(whole.people[:-1], whole.families[:-1])
    counted = replace(given_, counts={"objected": 3, "no-consent": 0})
    with ScratchDirectory(tmp_path) as scratch:
        told = seen(counted, Earlier([before], os.urandom, scratch))
    assert told.members.people.tolist() == before.people.tolist()
    assert dict(told.withheld) == {"objected": 3, "between-releases": 1}


@pytest.mark.parametrize(
    ("families", "tens"), [(2, "2"), (9, "2"), (10, "10"), (19, "10"), (20, "20")]
)
def test_the_k_that_is_reached_is_told_in_whole_tens(families: int, tens: str) -> None:
    given_ = pseudonymised(a_plan(FACTS, TOKENS), a_frame([(n, "ZA1", 0) for n in range(families)]))
    facts, tokens = impact(Picture(), seen(given_)).outputs
    assert (facts.k_before, facts.k_after) == ("", f"{tens} or more")
    assert (tokens.k_before, tokens.k_after) == ("", "")


def test_the_share_of_rows_that_stand_alone_is_told_of_rounded_counts() -> None:
    rows: list[Row] = [(n, "ZA1", n if n < 21 else 99) for n in range(84)]
    (facts,) = impact(Picture(), seen(pseudonymised(a_plan(FACTS), a_frame(rows)))).outputs
    assert (facts.share_before, facts.share_after) == ("", "25 %")
    assert (facts.unique.before, facts.unique.after) == ("<10", "20")
