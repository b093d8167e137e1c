"""Each row comes into its partition, in the order of coming, and never in crumbs."""

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.spill import ScratchDirectory
from gateway.model import scattering
from gateway.model.scattering import FAN, scatter


def by_value(partitions):
    return lambda frame, _low, _high: frame["n"].to_numpy() % partitions


@settings(max_examples=30, deadline=None)
@given(
    partitions=st.one_of(
        st.integers(1, 4), st.integers(FAN - 1, FAN + 2), st.integers(33, 50), st.just(1200)
    ),
    sizes=st.lists(st.integers(0, 90), max_size=12),
    together=st.sampled_from([1, 50, 65_536]),
)
def test_rows_lie_where_their_number_says_in_the_order_in_which_they_came(
    tmp_path_factory, partitions, sizes, together
):
    ends = np.cumsum([0, *sizes]).tolist()
    everyone = pl.DataFrame(
        {"n": np.arange(ends[-1]) * 7919, "said": [str(n) for n in range(ends[-1])]}
    )
    frames = [everyone[start:end] for start, end in itertools.pairwise(ends)]
    kept, scattering.TOGETHER_ROWS = scattering.TOGETHER_ROWS, together
    try:
        with ScratchDirectory(tmp_path_factory.getbasetemp(), budget=2_000) as scratch:
            spill = scatter(frames, by_value(partitions), scratch=scratch, partitions=partitions)
            assert (len(spill), spill.rows) == (partitions, everyone.height)
            for index in range(partitions):
                found = [row for frame in spill.partition(index) for row in frame.rows()]
                assert found == everyone.filter(pl.col("n") % partitions == index).rows()
    finally:
        scattering.TOGETHER_ROWS = kept


def test_who_draws_lots_draws_again_among_the_partitions_of_a_heap(tmp_path):
    rng = np.random.default_rng(3)
    asked = []

    def drawn(frame, low, high):
        asked.append((low, high))
        return rng.integers(low, high, frame.height)

    frames = [pl.DataFrame({"n": range(10_000)})] * 4
    with ScratchDirectory(tmp_path) as scratch:
        spill = scatter(frames, drawn, scratch=scratch, partitions=100)
        sizes = [sum(f.height for f in spill.partition(i)) for i in range(100)]
    assert asked[:4] == [(0, 100)] * 4
    assert set(asked[4:]) == {(low, low + 10) for low in range(0, 100, 10)}
    assert sum((size - 400) ** 2 / 400 for size in sizes) < 160, "as likely to one as to another"


@pytest.mark.parametrize("partitions", [100, 1000])
def test_no_partition_is_made_of_crumbs(tmp_path, partitions):
    """Going straight to its partition, each would leave a piece there at every sealing: 20."""
    frames = [pl.DataFrame({"n": np.arange(1000) + 1000 * i}) for i in range(100)]
    with ScratchDirectory(tmp_path, budget=100_000 * 8 // 20) as scratch:
        spill = scatter(frames, by_value(partitions), scratch=scratch, partitions=partitions)
        pieces = [sum(1 for _ in spill.partition(index)) for index in range(partitions)]
    assert sum(pieces) < 6 * partitions
