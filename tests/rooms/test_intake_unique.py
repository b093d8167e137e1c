"""Repeated values are found whatever is spilled, and none is missed."""

from __future__ import annotations

import io
from collections import Counter

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from gateway.intake import Repetitions, keyed_hashes, rules_of
from gateway.model import Contract, ContractColumn

CONTRACT = Contract(
    id="x",
    title="x",
    version=1,
    parties=("x",),
    columns=(
        ContractColumn(name="a", field="a", type="text", unique=True),
        ContractColumn(name="b", field="b", type="text"),
    ),
    unique_together=(("a", "b"),),
)
CELL = st.sampled_from(["", "x", "y", "z", "xy"])


@given(
    st.lists(st.lists(st.tuples(CELL, CELL), max_size=12), max_size=6),
    st.sampled_from([1, 5, 1_000]),
    st.booleans(),
    st.integers(0, 2**64 - 1),
)
def test_repeated_rows_are_those_that_a_count_of_values_gives(
    blocks: list[list[tuple[str, str]]], held: int, spilled: bool, seed: int
) -> None:
    rows = [tuple(cell or None for cell in row) for block in blocks for row in block]
    for rule in [rule for rule in rules_of(CONTRACT) if rule.together]:
        seen = Repetitions(io.BytesIO() if spilled else None, held=held)
        first = 0
        for block in blocks:
            cells = [[cell or None for cell in row] for row in block]
            raw = pl.DataFrame(cells, {"a": pl.String, "b": pl.String}, orient="row")
            seen.add(keyed_hashes(raw, rule, seed, first))
            first += len(block)
        keys = [row[:1] if len(rule.together) == 1 else row for row in rows]
        counts = Counter(keys)
        wanted = [n for n, key in enumerate(keys) if None not in key and counts[key] > 1]
        assert seen.rows().tolist() == wanted
