"""A release is held against the earlier ones before it leaves, and counted again."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.spill import ScratchDirectory
from gateway.disclosure import Earlier, Members, assess, footprints, members_of, too_few
from gateway.disclosure.succession import members
from gateway.minimise import coarser
from gateway.model import Limits
from gateway.model.stages import Assessed, TooRisky
from tests.rooms.test_disclosure_groups import (
    SECURE,
    a_plan,
    a_rule,
    an_output,
    pseudonymised,
)

K = 3
DISTRICTS = ("ZA1", "ZA2", "ZB1")
LIMITS = Limits(key_variables=("district",), k=K)
FACTS = an_output("facts", LIMITS, a_rule("district"), classes=SECURE)
TOKENS = an_output("tokens", None)


def district_of(person: int) -> str:
    return DISTRICTS[person // 2 % 3]


def a_frame(people: list[int], *, slots: int = 1) -> pl.DataFrame:
    """Person n is of family n // 2, and each family lives in one district."""
    rows = [(person, slot) for person in people for slot in range(slots)]
    frame = pl.DataFrame(
        {
            "mark": pl.Series([person for person, _ in rows], dtype=pl.UInt64),
            "unit": pl.Series([person // 2 for person, _ in rows], dtype=pl.UInt64),
            "link_id": [f"link-{person}" for person, _ in rows],
            "payload.facts.district": [district_of(person) for person, _ in rows],
            "slot": [slot for _, slot in rows],
        },
        schema_overrides={"link_id": pl.String, "payload.facts.district": pl.String},
    )
    return frame if slots > 1 else frame.drop("slot")


ROOM: list[ScratchDirectory] = []


@pytest.fixture(autouse=True, scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Scratch room on disk for every test here."""
    with ScratchDirectory(tmp_path_factory.mktemp("scratch"), budget=0) as scratch:
        ROOM.append(scratch)
        yield


def earlier(*releases: set[int]) -> Earlier:
    return Earlier([of(each) for each in releases], os.urandom, ROOM[-1])


def of(people: set[int]) -> Members:
    marks = np.array(sorted(people), dtype=np.uint64)
    return members(marks, marks // 2)


def left(result: Assessed | TooRisky) -> pl.DataFrame:
    assert isinstance(result, Assessed)
    return pl.concat(list(result.partitions))


PEOPLE = st.sets(st.integers(0, 60), max_size=60)


@settings(max_examples=150, deadline=None)
@given(PEOPLE, st.lists(PEOPLE, min_size=1, max_size=3), st.integers(1, 2), st.integers(1, 3))
def test_what_leaves_is_told_apart_by_neither_groups_nor_earlier_releases(
    now: set[int], before: list[set[int]], slots: int, blocks: int
) -> None:
    frames = [a_frame([n for n in sorted(now) if n // 2 % blocks == b]) for b in range(blocks)]
    given_ = replace(pseudonymised(a_plan(FACTS, TOKENS), *frames), received=len(now))
    result = assess(given_, coarser=coarser, earlier=earlier(*before))
    if isinstance(result, TooRisky):
        return
    staying = members_of(result)
    families = Counter(district_of(2 * family) for family in set(staying.families.tolist()))
    assert all(count >= K for count in families.values())
    for other in map(of, before):
        assert not too_few(staying.missing_in(other).family_count(), K)
        leavers = other.missing_in(staying).family_count()
        assert not too_few(leavers, K) or other.family_count() < K
    assert set(staying.people.tolist()) <= now
    assert staying.size + sum(result.counts.values()) == len(now) == result.received
    assert left(result)["mark"].to_list() == [
        n for f in frames for n in f["mark"] if n in staying.people
    ]


def test_a_lone_joiner_waits_and_is_counted_once_beside_the_small_groups() -> None:
    now = [*range(18), 23]  # 23 is new, and alone of a family that nobody knew
    given_ = pseudonymised(a_plan(FACTS, TOKENS), a_frame(now, slots=2))
    alone = assess(given_, coarser=coarser)
    assert left(alone).height == 38
    result = assess(given_, coarser=coarser, earlier=earlier(set(range(18))))
    assert left(result)["mark"].to_list() == [n for n in range(18) for _ in range(2)]
    assert isinstance(result, Assessed)
    assert dict(result.counts) == {"between-releases": 1}
    assert (result.rows, result.received) == (36, 38)


def test_who_waits_may_make_a_group_small_which_leaves_then_and_hides_in_another_family() -> None:
    known = [family for family in range(1, 30) if family % 3 or family in (6, 9)]
    # The third family of ZA1 is new: it waits, the other two are too few, and too few to leave.
    # One that is drawn beside them would be missing alone from the groups that survive.
    now = [person for family in [*known, 30] for person in (2 * family, 2 * family + 1)]
    given_ = pseudonymised(a_plan(FACTS), a_frame(now))
    assert left(assess(given_, coarser=coarser)).height == 46
    before = {person for person in now if person < 60}
    result = assess(given_, coarser=coarser, earlier=earlier(before))
    assert "ZA1" not in left(result)["payload.facts.district"]
    assert isinstance(result, Assessed)
    assert dict(result.counts) == {"between-releases": 2 * (1 + K), "small-group": 4}
    assert result.outputs[0].k_reached >= 10 - K


def test_an_output_without_limits_alone_hides_nobody() -> None:
    now = a_frame([*range(12), 99])
    result = assess(
        pseudonymised(a_plan(TOKENS), now), coarser=coarser, earlier=earlier(set(range(12)))
    )
    assert left(result)["mark"].to_list() == [*range(12), 99]
    assert isinstance(result, Assessed)
    assert dict(result.counts) == {}


def test_the_largest_limit_of_all_outputs_is_the_one_that_hides() -> None:
    wider = an_output("facts", replace(LIMITS, k=2), a_rule("district"), classes=SECURE)
    strict = replace(
        FACTS, name="strict", limits=replace(LIMITS, key_variables=(), k=4), columns=()
    )
    before, now = set(range(24)), [*range(24), 24, 26, 28]
    for outputs, stay in (((wider,), 27), ((wider, strict), 24)):
        frame = a_frame(now)
        result = assess(
            pseudonymised(a_plan(*outputs), frame), coarser=coarser, earlier=earlier(before)
        )
        assert left(result).height == stay


def test_of_nobody_nobody_is_hidden() -> None:
    for frames in ((), (a_frame([]),)):
        result = assess(
            pseudonymised(a_plan(FACTS), *frames), coarser=coarser, earlier=earlier({1, 2, 3})
        )
        assert isinstance(result, Assessed)
        told = members_of(result)
        for marks in (told.people, told.families):
            assert (marks.size, marks.dtype) == (0, np.uint64)


def test_who_waits_between_releases_is_no_sign_of_a_fault_to_the_tripwire() -> None:
    now = [*range(18), 20, 21, 23]  # ZB1 and ZA2 have enough; one of ZA1 as well
    given_ = replace(pseudonymised(a_plan(FACTS), a_frame(now)), counts={"objected": 4})
    result = assess(given_, coarser=coarser, earlier=earlier({*range(18)}))
    assert isinstance(result, Assessed)
    assert dict(result.counts) == {"objected": 4, "between-releases": 3}
    assert dict(footprints(result)["facts"].withheld) == {"objected": 4}
