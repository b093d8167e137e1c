"""Few distinct texts: each row has the number of its own text, or there is no answer."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity import few

LONG = ["same start and end of the text " + middle + " the end of it" for middle in ("a", "b", "c")]
TEXTS = st.none() | st.text(max_size=14) | st.sampled_from([*LONG, "", "x", "x\0"])


@pytest.fixture(params=["kernel", "plain"])
def path(request, monkeypatch):
    if request.param == "plain":
        monkeypatch.setattr(few, "fast", False)
    return request.param


def found(texts):
    return few.few_texts(pl.Series(texts, dtype=pl.String))


@pytest.mark.usefixtures("path")
class TestOnBothPaths:
    def test_each_row_has_the_number_of_its_text(self):
        texts = [*LONG, None, "x", *LONG[::-1], None, "x\0", "x", ""]
        answer = found(texts)
        assert answer is not None
        assert [answer.table[int(n)] for n in answer.numbers] == texts
        assert sum(answer.counts()) == len(texts)

    def test_two_hundred_and_fifty_six_are_few_and_one_more_are_not(self):
        texts = [f"{n}" for n in range(few.MOST)]
        assert found(texts) is not None
        assert found([*texts, "more"]) is None
        assert found([*texts, None]) is None

    def test_no_rows_have_no_texts(self):
        answer = found([])
        assert answer is not None
        assert answer.table.len() == 0


@given(st.lists(TEXTS, max_size=200))
def test_any_texts_are_numbered_as_they_are(texts):
    answer = found(texts)
    assert answer is not None
    assert answer.spread(answer.table).to_list() == texts
    assert answer.table.n_unique() == answer.table.len()


def test_a_column_that_is_no_text_has_no_answer():
    assert few.few_texts(pl.Series([1, 2])) is None
