"""Alias rows stand only where a surname makes another token, and gaps are filled apart."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest

from gateway.pseudonymise import _dense, _filled, _Random
from tests.rooms.test_disclosure_groups import an_output


def random() -> _Random:
    return _Random(np.random.default_rng(3).bytes)


@pytest.mark.parametrize(
    ("tokens", "slots"),
    [(("TN-nhs", "TN-upn", "TN-nino"), 0), (("TN-nhs", "T01"), 2), (("T21",), 0), ((), 0)],
)
def test_there_are_alias_rows_only_if_a_token_is_made_of_a_surname(tokens, slots):
    output = dataclasses.replace(an_output("linkage", None), tokens=tokens, slots=2)
    assert output.alias_slots == slots


@pytest.mark.parametrize("missing", [(), (0,), (1, 3), (0, 1, 2, 3)])
def test_a_missing_token_is_filled_and_every_other_stays_in_its_row(missing):
    whole = [bytes([row]) * 16 for row in range(1, 5)]
    made = pl.Series("T", [None if n in missing else v for n, v in enumerate(whole)], pl.Binary)
    filled = _filled(made, 4, random())
    assert filled.null_count() == 0
    assert filled.n_unique() == 4
    assert set(filled.bin.size()) == {16}
    for row, value in enumerate(whole):
        assert (filled[row] == value) is (row not in missing)


def test_a_token_that_cannot_be_formed_is_random_in_every_row():
    filled = _filled(None, 5, random())
    assert (filled.n_unique(), set(filled.bin.size())) == (5, {16})


def test_dense_bytes_are_the_same_bytes():
    made = pl.Series("T", [bytes(range(16)), bytes(16)])
    assert _dense(made).arr.to_list().cast(pl.Binary).to_list() == made.to_list()
    numbers = pl.Series("n", [1, 2])
    assert _dense(numbers) is numbers
