"""Two releases side by side point at nobody."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from unittest.mock import patch

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.spill import ScratchDirectory
from gateway.disclosure import (
    Members,
    assess,
    hidden,
    members_in_order,
    members_of,
    steadying,
    succession,
    too_few,
)
from gateway.disclosure.succession import (
    InOrder,
    Marks,
    among,
    distinct,
    drawn,
    members,
    side_by_side,
)
from gateway.minimise import coarser
from gateway.model.stages import Assessed
from tests.rooms.test_disclosure_groups import a_plan, an_output, pseudonymised

K = 5


def of(*people: tuple[int, int]) -> Members:
    """People, each with a family."""
    return members(
        np.array([person for person, _ in people], dtype=np.uint64),
        np.array([family for _, family in people], dtype=np.uint64),
    )


def singles(*numbers: int) -> Members:
    """People without a family: each is one."""
    return of(*((number, number) for number in numbers))


@dataclass(frozen=True)
class Parted:
    """The same people in parts; some of them are empty."""

    whole: Members
    ends: tuple[int, ...]

    def parts(self) -> Iterator[Members]:
        rest = self.whole
        for end in self.ends:
            part, rest = rest.parted(np.uint64(end))
            yield part
        yield rest


def without(now: Members, gone: Marks) -> Members:
    return now.keeping(~np.isin(now.people, gone))


# Person n belongs to family n // 3, whichever release they are in.
releases = st.sets(st.integers(0, 90), min_size=3 * K, max_size=90).map(
    lambda chosen: of(*((person, person // 3) for person in chosen))
)


ends = st.lists(st.integers(0, 90), max_size=4).map(lambda found: tuple(sorted(found)))


@settings(max_examples=300, deadline=None)
@given(now=releases, earlier=st.lists(releases, max_size=4), k=st.integers(1, K), ends=ends)
def test_no_pair_of_releases_differs_by_fewer_than_k_families(
    now: Members, earlier: list[Members], k: int, ends: tuple[int, ...]
) -> None:
    parted = [Parted(each, ends[number % 3 :]) for number, each in enumerate(earlier)]
    gone = hidden(Parted(now, ends), parted, k=k, entropy=os.urandom)
    assert gone.tolist() == sorted(set(gone.tolist()))
    staying = without(now, gone)
    assert not too_few(staying.family_count(), k)
    for before in earlier:
        assert not too_few(staying.missing_in(before).family_count(), k)
        leavers = before.missing_in(staying)
        # Only an earlier release that was smaller than k itself can have fewer.
        assert not too_few(leavers.family_count(), k) or before.family_count() < k


@given(now=releases, earlier=st.lists(releases, max_size=4), ends=ends)
def test_who_is_withheld_does_not_depend_on_the_parts_in_which_it_is_read(
    now: Members, earlier: list[Members], ends: tuple[int, ...]
) -> None:
    parted: list[InOrder] = [Parted(each, ends[at % 3 :]) for at, each in enumerate(earlier)]
    ours = hidden(Parted(now, ends), parted, k=K, entropy=bytes)
    assert ours.tolist() == hidden(now, earlier, k=K, entropy=bytes).tolist()


@given(first=releases, second=releases, ends=ends, others=ends)
def test_two_releases_are_read_over_the_same_ranges(
    first: Members, second: Members, ends: tuple[int, ...], others: tuple[int, ...]
) -> None:
    pairs = list(side_by_side(Parted(first, ends), Parted(second, others)))
    for at, whole in enumerate((first, second)):
        assert np.concatenate([pair[at].people for pair in pairs]).tolist() == whole.people.tolist()
        families = np.concatenate([pair[at].families for pair in pairs])
        assert families.tolist() == whole.families.tolist()
    for before, after in itertools.pairwise(pairs):
        last = max(part.people[-1] for part in before if part.size)
        assert all(part.people[0] > last for part in after if part.size)


@given(now=releases, earlier=st.lists(releases, max_size=3))
def test_only_people_who_could_have_left_are_withheld(now: Members, earlier: list[Members]) -> None:
    gone = hidden(now, earlier, k=K, entropy=os.urandom).tolist()
    assert set(gone) <= set(now.people.tolist())
    assert len(set(gone)) == len(gone)


def test_an_unchanged_cohort_leaves_whole() -> None:
    now = singles(*range(100))
    assert hidden(now, [now], k=K, entropy=os.urandom).size == 0


def test_a_first_release_leaves_whole() -> None:
    assert hidden(singles(*range(100)), [], k=K, entropy=os.urandom).size == 0


def test_a_lone_leaver_is_joined_by_other_families() -> None:
    before, now = singles(*range(100)), singles(*(n for n in range(100) if n != 17))
    gone = hidden(now, [before], k=K, entropy=os.urandom)
    assert gone.size == K - 1
    assert 17 not in gone


def test_who_waits_after_a_lone_leaver_waits_on_while_nothing_else_changes() -> None:
    now = singles(*(n for n in range(100) if n != 17))
    released = [singles(*range(100))]
    waiting = hidden(now, released, k=K, entropy=os.urandom)
    for _ in range(4):
        released.append(now.keeping(~among(now.people, waiting)))
        again = hidden(now, released, k=K, entropy=os.urandom)
        assert again.tolist() == waiting.tolist(), "nobody else is drawn"


def test_a_whole_group_that_is_suppressed_hides_nobody_who_left_another() -> None:
    """The father's group falls below k and goes; of the child's group one row is missing."""
    before = of(*((n, n) for n in range(100)), (200, 17))
    could = of(*((n, n) for n in range(100) if n != 17))
    suppressed = range(17 - K + 1, 17)
    now = could.keeping(~np.isin(could.people, np.array(suppressed, dtype=np.uint64)))
    # Together with the suppressed the leaver's family is one of k: told by itself it is alone.
    assert hidden(now, [before], k=K, entropy=os.urandom).size == 0
    gone = hidden(now, [before], k=K, entropy=os.urandom, could=could)
    assert gone.size == K - 1
    assert not set(gone.tolist()) & set(suppressed)


def released(groups: np.ndarray, families: np.ndarray, people: list[int]) -> list[int]:
    """The people of groups of K families or more."""
    held = {g: {families[p] for p in people if groups[p] == g} for g in set(groups.tolist())}
    return [p for p in people if len(held[groups[p]]) >= K]


def test_no_lone_family_is_missing_from_groups_that_survive() -> None:
    random, seen = np.random.default_rng(7), 0
    for _ in range(150):
        families = np.repeat(np.arange(60), random.integers(1, 5, 60))
        groups = random.choice(8, families.size, p=random.dirichlet(np.full(8, 1.5)))
        first = released(groups, families, list(range(families.size)))
        left = int(random.integers(60))
        could = [p for p in range(families.size) if families[p] != left]
        if left not in families[first]:
            continue
        while True:
            second = released(groups, families, could)
            gone = hidden(
                of(*((p, int(families[p])) for p in second)),
                [of(*((p, int(families[p])) for p in first))],
                k=K,
                entropy=os.urandom,
                could=of(*((p, int(families[p])) for p in could)),
            )
            if not gone.size:
                break
            could = [p for p in could if p not in set(gone.tolist())]
        survive = set(groups[second].tolist())
        missing = {int(families[p]) for p in set(first) - set(second) if groups[p] in survive}
        assert len(missing) != 1
        seen += bool(missing)
    assert seen > 100


def test_a_lone_leaver_whose_family_stays_is_joined_by_other_families_too() -> None:
    before = of(*((n, n // 3) for n in range(90)))
    now = of(*((n, n // 3) for n in range(90) if n != 17))
    gone = hidden(now, [before], k=K, entropy=os.urandom)
    families = {int(n) // 3 for n in gone}
    assert len(families) == K - 1
    assert 17 // 3 not in families
    # Whole families leave with them, so that no other member is alone either.
    assert gone.size == 3 * (K - 1)


def test_a_lone_joiner_waits_and_their_family_does_not() -> None:
    before = of(*((n, n // 3) for n in range(90) if n != 17))
    now = of(*((n, n // 3) for n in range(90)))
    assert hidden(now, [before], k=K, entropy=os.urandom).tolist() == [17]


def test_enough_leavers_and_joiners_hide_in_each_other() -> None:
    before, now = singles(*range(100)), singles(*range(10, 110))
    assert hidden(now, [before], k=K, entropy=os.urandom).size == 0


def test_fewer_than_k_families_do_not_leave_at_all() -> None:
    now = of(*((n, n // 3) for n in range(9)))
    assert hidden(now, [], k=K, entropy=os.urandom).size == 9


def test_an_earlier_release_smaller_than_k_stops_nothing_else() -> None:
    now, tiny, whole = singles(*range(100)), singles(700, 701), singles(*range(99))
    assert hidden(now, [tiny, whole], k=K, entropy=os.urandom).tolist() == [99]


def test_every_family_is_as_likely_to_be_drawn() -> None:
    counts = Counter[int]()
    for _ in range(4000):
        # In parts, and one of them in both.
        parts = (np.array([0, 1, 2, 3, 4]), np.array([4, 5, 6, 7]))
        counts.update(drawn((part.astype(np.uint64) for part in parts), 2, os.urandom).tolist())
    assert all(count == pytest.approx(1000, rel=0.2) for count in counts.values())
    assert len(counts) == 8


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 5))))
def test_marks_stand_once_and_in_order_each_person_beside_their_family(
    drawn_people: list[tuple[int, int]],
) -> None:
    family_of = dict(drawn_people)
    told = of(*((person, family_of[person]) for person, _ in drawn_people))
    assert dict(zip(told.people.tolist(), told.families.tolist(), strict=True)) == family_of
    assert told.people.tolist() == sorted(family_of)
    assert distinct(told.families).tolist() == sorted(set(family_of.values()))


@pytest.mark.parametrize("together", [1, 7, 1000])
def test_people_in_order_part_by_part_are_all_people_in_order(tmp_path, monkeypatch, together):
    monkeypatch.setattr(steadying, "PART_ROWS", together)
    marks = np.random.default_rng(5).integers(0, 2**64, 90, dtype=np.uint64)
    marks[:3] = marks[3], 0, 2**64 - 1  # somebody twice, and the ends
    rows = pl.DataFrame({"mark": marks, "unit": marks // 3, "link_id": range(90)})
    plan = a_plan(an_output("out", None))
    assessed = assess(pseudonymised(plan, rows[:40], rows[40:]), coarser=coarser)
    assert isinstance(assessed, Assessed)
    whole = members_of(assessed)
    with ScratchDirectory(tmp_path, budget=0) as scratch:
        parts = list(members_in_order(assessed, scratch).parts())
    assert len(parts) > (together < 90)
    assert np.concatenate([part.people for part in parts]).tolist() == whole.people.tolist()
    assert np.concatenate([part.families for part in parts]).tolist() == whole.families.tolist()


@given(st.lists(st.integers(0, 400)), st.lists(st.integers(0, 400)))
def test_membership_is_what_numpy_says_in_blocks_of_any_size(
    marks: list[int], others: list[int]
) -> None:
    asked, ordered = (np.array(each, dtype=np.uint64) for each in (marks, sorted(others)))
    with patch.object(succession, "_BLOCK", 7):
        assert among(asked, ordered).tolist() == np.isin(asked, ordered).tolist()
