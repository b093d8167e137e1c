"""Identifier cells at the last gate: the kernel answers what the columns' library answers."""

import base64
import os

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.disclosure import token_cells as cells_module
from gateway.disclosure.token_cells import of_token_form, token_cells


def token(octets: bytes) -> str:
    return base64.b32encode(octets).decode().rstrip("=").lower()


TOKENS = st.binary(min_size=16, max_size=16).map(token)
KNOWN = [token(bytes([n]) * 16) for n in range(40)]
LETTERS = st.text("abcxyz234567189AZ{`é\0 ", min_size=25, max_size=27)
CELLS = st.none() | TOKENS | LETTERS | st.sampled_from([*KNOWN, "", "a" * 26, "b" * 26, "a" * 13])


@pytest.fixture(params=["kernel", "plain"])
def path(request, monkeypatch):
    monkeypatch.setattr(cells_module, "fast", request.param == "kernel" and cells_module.fast)


def asked(texts, known=KNOWN):
    digests = of_token_form(pl.Series(known, dtype=pl.String))
    return token_cells(pl.Series(texts, dtype=pl.String), digests)


@pytest.mark.usefixtures("path")
class TestOnBothPaths:
    def test_what_the_writer_of_tokens_writes_is_a_token(self):
        assert asked([token(os.urandom(16)) for _ in range(500)]) == (0, 0)

    @pytest.mark.parametrize("place", range(26))
    @pytest.mark.parametrize("letter", ["1", "8", "A", "{", "`", "\0", "-"])
    def test_one_wrong_letter_anywhere_is_found(self, place, letter):
        good = token(bytes(range(16)))
        assert asked([good, good[:place] + letter + good[place + 1 :]]) == (1, 0)

    @pytest.mark.parametrize("last", "bcdfz23567")
    def test_a_last_letter_of_more_than_three_bits_is_none_of_ours(self, last):
        assert asked(["a" * 25 + last]) == (1, 0)

    @pytest.mark.parametrize("cell", [None, "", "a" * 25, "a" * 27, "a" * 52])
    def test_a_missing_short_or_long_cell_has_not_the_form(self, cell):
        assert asked([cell]) == (1, 0)

    def test_each_known_digest_is_met(self):
        assert asked([*KNOWN, *KNOWN[:3], token(os.urandom(16))]) == (0, 43)
        assert asked(KNOWN, known=[]) == (0, 0)
        assert asked([], known=KNOWN) == (0, 0)

    def test_a_part_of_a_column_is_looked_at_alone(self):
        digests = of_token_form(pl.Series(KNOWN))
        column = pl.Series(["x", *KNOWN[:5], "x"])
        assert token_cells(column[1:6], digests) == (0, 5)
        assert token_cells(column, digests) == (2, 5)


@given(st.lists(CELLS, max_size=120), st.lists(TOKENS | st.sampled_from(KNOWN), max_size=30))
def test_any_cells_are_counted_alike_on_both_paths(cells, known):
    quick = asked(cells, known)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells_module, "fast", False)
        assert asked(cells, known) == quick
