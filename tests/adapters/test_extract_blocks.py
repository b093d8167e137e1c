"""Blocks of stored extracts: what is written comes back, and nothing broken is taken for rows."""

import contextlib
import datetime as dt
import io
import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters import _packed, extract_blocks
from gateway.adapters.extract_blocks import MAGIC, read_block, write_block
from gateway.adapters.extract_plain import unpacked_plainly
from gateway.errors import IntegrityError

DAYS = st.dates(dt.date(1000, 1, 1), dt.date(9999, 12, 31))
TEXTS = st.none() | st.text(max_size=20) | DAYS.map(str) | st.sampled_from(["", "x" * 300])
COLUMNS = {
    "text": TEXTS,
    "day text": st.none() | DAYS.map(str),
    "even": st.text(st.sampled_from("AB12"), min_size=9, max_size=9),
    "long even": st.text(st.sampled_from("AB12é"), min_size=15, max_size=15),
    "day": st.none() | DAYS,
    "number": st.none() | st.integers(-(2**63), 2**63 - 1),
    "small": st.integers(-3, 130),
    "flag": st.none() | st.booleans(),
    "share": st.none() | st.floats(allow_nan=False),
}
SCHEMA = {
    **dict.fromkeys(("text", "day text", "even", "long even"), pl.String),
    "day": pl.Date,
    "number": pl.Int64,
    "small": pl.Int64,
    "flag": pl.Boolean,
    "share": pl.Float64,
}
ROWS = st.lists(st.fixed_dictionaries(COLUMNS), max_size=40)
MANY = 700


@given(ROWS)
def test_every_cell_comes_back_as_it_was(rows):
    frame = pl.DataFrame(rows, schema=SCHEMA)
    back = read_block(write_block(frame))
    assert back.schema == frame.schema
    assert back.rows() == frame.rows()


@given(st.lists(TEXTS, max_size=60))
def test_the_plain_reader_reads_what_the_kernel_packed(texts):
    column = pl.Series(texts, dtype=pl.String)
    packed = _packed.pack(column.__arrow_c_stream__())
    assert unpacked_plainly(packed, len(texts)).to_list() == texts


@pytest.mark.parametrize("kind", ["references", "uneven", "with gaps", "long", "days", "far days"])
def test_columns_of_many_distinct_texts_come_back(kind):
    texts = {
        "references": [f"P{n:08}" for n in range(MANY)],
        "uneven": [f"P{n}" for n in range(MANY)],
        "with gaps": [None if n % 7 == 0 else f"P{n:08}" for n in range(MANY)],
        "long": [f"{n}" * 80 for n in range(MANY)],
        "days": [str(dt.date(1899, 1, 1) + dt.timedelta(n)) for n in range(MANY)],
        "far days": [str(dt.date(1000 + 12 * n, 12, 31)) for n in range(MANY)],
    }[kind]
    frame = pl.DataFrame({"texts": texts})
    assert read_block(write_block(frame)).equals(frame)


def test_every_day_of_four_centuries_is_its_own_text():
    days = pl.date_range(dt.date(1599, 12, 25), dt.date(2001, 1, 5), eager=True)
    frame = days.dt.to_string("%Y-%m-%d").alias("texts").to_frame()
    assert read_block(write_block(frame)).equals(frame)


@pytest.mark.parametrize(
    "text", ["2023-02-29", "0999-12-31", "2024-13-01", "2024-1-01", "2024-00-10"]
)
def test_a_text_that_is_no_real_day_stays_the_text_it_is(text):
    frame = pl.DataFrame(
        {"texts": [str(dt.date(2000, 1, 1) + dt.timedelta(n)) for n in range(300)]}
    )
    frame = pl.concat([frame, pl.DataFrame({"texts": [text]})])
    assert read_block(write_block(frame)).equals(frame)


def test_a_slice_of_a_column_is_written_as_the_slice():
    frame = pl.DataFrame({"texts": [f"{n:014}" for n in range(1_000)]}).slice(300, 500)
    assert read_block(write_block(frame)).equals(frame)


def test_equal_columns_are_stored_once():
    texts = [f"P{n:08}" for n in range(MANY)]
    one = write_block(pl.DataFrame({"a": texts}))
    two = write_block(pl.DataFrame({"a": texts, "b": texts}))
    assert len(two) < len(one) + 40
    assert read_block(two)["b"].to_list() == texts


def test_only_named_columns_are_read_in_the_order_asked_for():
    block = write_block(pl.DataFrame({"a": [1], "b": ["x"], "c": ["y"]}))
    assert read_block(block, ["c", "none", "a"]).rows() == [("y", 1)]


def test_a_block_of_an_older_store_is_read():
    frame = pl.DataFrame({"a": ["x", None], "b": [1, 2]})
    buffer = io.BytesIO()
    frame.write_ipc(buffer)
    assert read_block(buffer.getvalue()).equals(frame)
    assert read_block(buffer.getvalue(), ["b"]).columns == ["b"]


FRAME = pl.DataFrame(
    {
        "references": [f"P{n:08}" for n in range(MANY)],
        "codes": ["Y", None] * (MANY // 2),
        "day": [dt.date(2000, 1, 1)] * MANY,
        "number": [*range(MANY - 1), None],
    }
)


@given(st.data())
def test_a_block_with_a_changed_byte_is_refused_or_still_so_many_rows(data):
    block = bytearray(write_block(FRAME))
    place = data.draw(st.integers(0, len(block) - 1))
    block[place] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(IntegrityError):
        assert read_block(bytes(block)).height == MANY


@given(st.integers(0, 4_000))
def test_a_block_that_is_cut_short_is_refused(size):
    with pytest.raises(IntegrityError, match="store/not-as-recorded"):
        read_block(write_block(FRAME)[:size])


@pytest.mark.parametrize(
    "head",
    [
        {"rows": 1, "columns": [["a", "text", 7]], "bodies": []},
        {"rows": -1, "columns": [], "bodies": []},
        {"rows": 1, "columns": [["a", "text"]], "bodies": []},
        {"rows": 2**62, "columns": [["a", "text", 0]], "bodies": [3]},
        {"rows": 2, "columns": [["a", "other", 0]], "bodies": [3]},
        {"columns": []},
        [],
        7,
    ],
)
def test_a_head_that_promises_what_is_not_there_is_refused(head):
    told = json.dumps(head).encode()
    with pytest.raises(IntegrityError, match="store/not-as-recorded"):
        read_block(MAGIC + len(told).to_bytes(4, "little") + told + b"abc")


def test_texts_that_are_not_utf8_are_refused():
    block = write_block(pl.DataFrame({"a": [f"P{n:05}" for n in range(MANY)]}))
    with pytest.raises(IntegrityError, match="store/not-as-recorded"):
        read_block(block.replace(b"P00500", b"P\xff0500"))


@pytest.mark.parametrize("body", [b"", b"X", b"F\x00\x00", b"V\x05ab", b"W\xff\xff\xff", b"D\x01"])
def test_the_kernel_refuses_a_body_of_another_size(body):
    with pytest.raises(ValueError, match="not a packed column"):
        _packed.unpack(body, 1)


@pytest.mark.parametrize("day", [2**31 - 1, -(2**31) + 1, 2932897, -354286])
def test_the_kernel_refuses_a_day_without_a_text(day):
    with pytest.raises(ValueError, match="not a packed column"):
        _packed.unpack(b"D" + day.to_bytes(4, "little", signed=True), 1)


def test_without_the_kernel_a_packed_block_is_read_and_a_readable_one_written(monkeypatch):
    packed = write_block(FRAME)
    monkeypatch.setattr(extract_blocks, "fast", False)
    assert read_block(packed).equals(FRAME)
    plain = write_block(FRAME)
    assert read_block(plain).equals(FRAME)
    monkeypatch.setattr(extract_blocks, "fast", True)
    assert read_block(plain).equals(FRAME)
