"""Columns come back from the scratch room as they were, whatever they are made of."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters import extract_blocks
from gateway.adapters.scratch_columns import Columns
from gateway.adapters.scratch_file import PIECE
from gateway.adapters.spill import ScratchDirectory

WHOLE = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)


def again(frame: pl.DataFrame, *names: str) -> pl.DataFrame:
    packed, octets = Columns().packed(frame)
    wanted = (names or frame.columns).__contains__
    return packed.unpacked(wanted, memoryview(b"".join(octets)))


def whole_numbers(kind):
    bits, signed = int(str(kind()).lstrip("UInt")), str(kind()).startswith("I")
    least, most = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    near = st.integers(max(least, -300), min(most, 300))
    return st.lists(st.none() | near | st.integers(least, most), min_size=1, max_size=40)


@pytest.mark.parametrize("kind", WHOLE)
@given(data=st.data())
def test_whole_numbers_of_every_width_come_back(kind, data):
    frame = pl.DataFrame({"n": pl.Series(data.draw(whole_numbers(kind)), dtype=kind)})
    assert again(frame).equals(frame)
    assert again(frame).schema == frame.schema


@given(st.lists(st.none() | st.text(max_size=40), min_size=1, max_size=60), st.booleans())
def test_texts_come_back_with_and_without_the_kernel(texts, kernel):
    frame = pl.DataFrame({"t": pl.Series(texts, dtype=pl.String)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extract_blocks, "fast", kernel and extract_blocks.fast)
        assert again(frame).equals(frame)


KINDS = {
    "date": pl.Series([dt.date(2026, 4, 1), None, dt.date(1899, 1, 1)]),
    "float": pl.Series([0.1, None, float("inf")]),
    "bool": pl.Series([True, None, False]),
    "few": pl.Series(["PROG", None, "COMP"], dtype=pl.Categorical),
    "nothing": pl.Series([None, None, None]),
    "bytes": pl.Series([b"a", None, b"\x00" * 20]),
    "digests": pl.Series([bytes(range(n, n + 16)) for n in range(3)]).bin.reinterpret(
        dtype=pl.Array(pl.UInt8, 16), endianness="little"
    ),
    "some digests": pl.Series([[1] * 16, None, [2] * 16], dtype=pl.Array(pl.UInt8, 16)),
    "decimal": pl.Series(["1.10", None, "2.00"]).cast(pl.Decimal(10, 2)),
    "listed": pl.Series([["a"], None, []], dtype=pl.List(pl.String)),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_column_comes_back_whole_and_as_a_slice(name):
    frame = pl.DataFrame({name: KINDS[name], "n": [7, 8, 9]})
    assert again(frame).equals(frame)
    assert again(frame).schema == frame.schema
    assert again(frame[1:]).equals(frame[1:])
    assert again(frame, name).columns == [name]


def test_a_category_keeps_its_number_while_only_the_place_is_held():
    frame = pl.DataFrame({"c": pl.Series(["LAST", "FIRST"], dtype=pl.Categorical)})
    packed, octets = Columns().packed(frame)
    del frame
    pl.Series(["OTHER", "FIRST", "LAST"], dtype=pl.Categorical)
    back = packed.unpacked("c".__eq__, memoryview(b"".join(octets)))
    assert back["c"].cast(pl.String).to_list() == ["LAST", "FIRST"]


def test_many_frames_alike_share_what_their_bytes_mean():
    columns = Columns()
    frames = [pl.DataFrame({"n": [n, 200], "t": ["a", f"b{n}"]}) for n in range(3)]
    packed = [columns.packed(frame)[0].columns for frame in frames]
    assert packed[0] is packed[1] is packed[2]
    wider = columns.packed(pl.DataFrame({"n": [-1, 2**40], "t": ["a", "b"]}))[0].columns
    assert wider[1] is packed[0][1]
    assert wider[0] is not packed[0][0]


def test_a_reader_of_one_column_opens_no_piece_of_another(tmp_path):
    rows = PIECE // 4
    numbers = pl.int_range(rows, eager=True)
    frame = pl.DataFrame({"a": numbers * 2**10, "b": numbers * 2**33})
    with ScratchDirectory(tmp_path, budget=0) as scratch:
        spill = scratch.spill(1)
        spill.put(0, frame)
        opened = []
        read = scratch.file.read
        scratch.file.read = lambda piece, into: (opened.append(piece.number), read(piece, into))
        (narrow,) = spill.partition(0, "b".__eq__)
        assert narrow.equals(frame.select("b"))
        assert len(opened) == 2
        (both,) = spill.partition(0)
        assert both.equals(frame)
