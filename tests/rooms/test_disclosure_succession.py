"""Two releases side by side point at nobody, and an unusual one is seen."""

from __future__ import annotations

import os
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.disclosure import hidden, movement, too_few
from gateway.disclosure.succession import Units, drawn

K = 5


def units(*values: int) -> Units:
    return np.array(values, dtype=np.uint64)


def left_over(now: Units, gone: Units) -> Units:
    return np.setdiff1d(now, gone)


families = st.sets(st.integers(0, 60), min_size=K, max_size=60).map(
    lambda chosen: np.array(sorted(chosen), dtype=np.uint64)
)


@settings(max_examples=300, deadline=None)
@given(now=families, earlier=st.lists(families, max_size=4), k=st.integers(1, K))
def test_no_pair_of_releases_differs_by_fewer_than_k_families(
    now: Units, earlier: list[Units], k: int
) -> None:
    staying = left_over(now, hidden(now, earlier, k=k, entropy=os.urandom))
    assert not too_few(staying.size, k)
    for before in earlier:
        moved = movement(before, staying)
        assert not too_few(moved.joiners.size, k)
        assert not too_few(moved.leavers.size, k)


@given(now=families, earlier=st.lists(families, max_size=3))
def test_only_families_that_could_have_left_are_withheld(now: Units, earlier: list[Units]) -> None:
    gone = hidden(now, earlier, k=K, entropy=os.urandom)
    assert set(gone.tolist()) <= set(now.tolist())
    assert len(set(gone.tolist())) == gone.size


def test_an_unchanged_cohort_leaves_whole() -> None:
    now = np.arange(100, dtype=np.uint64)
    assert hidden(now, [now], k=K, entropy=os.urandom).size == 0


def test_a_first_release_leaves_whole() -> None:
    assert hidden(np.arange(100, dtype=np.uint64), [], k=K, entropy=os.urandom).size == 0


def test_a_lone_leaver_is_joined_by_others() -> None:
    before = np.arange(100, dtype=np.uint64)
    now = before[before != 17]
    gone = hidden(now, [before], k=K, entropy=os.urandom)
    assert gone.size == K - 1
    assert 17 not in gone


def test_a_lone_joiner_waits() -> None:
    before = np.arange(100, dtype=np.uint64)
    now = np.arange(101, dtype=np.uint64)
    assert hidden(now, [before], k=K, entropy=os.urandom).tolist() == [100]


def test_enough_leavers_and_joiners_hide_in_each_other() -> None:
    before = np.arange(100, dtype=np.uint64)
    now = np.arange(10, 110, dtype=np.uint64)
    assert hidden(now, [before], k=K, entropy=os.urandom).size == 0


def test_fewer_than_k_families_do_not_leave_at_all() -> None:
    now = units(1, 2, 3)
    assert hidden(now, [], k=K, entropy=os.urandom).tolist() == [1, 2, 3]


def test_an_earlier_release_smaller_than_k_stops_nothing_else() -> None:
    now = np.arange(100, dtype=np.uint64)
    tiny, whole = units(700, 701), np.arange(99, dtype=np.uint64)
    assert hidden(now, [tiny, whole], k=K, entropy=os.urandom).tolist() == [99]


def test_every_family_is_as_likely_to_be_drawn() -> None:
    counts = Counter[int]()
    for _ in range(4000):
        counts.update(drawn(np.arange(8, dtype=np.uint64), 2, os.urandom).tolist())
    assert all(count == pytest.approx(1000, rel=0.2) for count in counts.values())
    assert len(counts) == 8
