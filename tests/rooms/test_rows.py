"""Rows leave in one random order over the whole output; files hold only what survives."""

import io

import numpy as np
import polars as pl
import pyarrow.parquet
import pytest

from gateway.adapters.spill import ScratchDirectory
from gateway.model import scattering
from gateway.sealing.rows import permuted, write_csv, write_parquet


def seen(frame):
    assert frame.width


def entropy(seed):
    return np.random.default_rng(seed).bytes


@pytest.mark.parametrize("rows", [10, 60_000_000])
def test_every_row_leaves_exactly_once(tmp_path, rows):
    frames = [pl.DataFrame({"n": range(start, start + 5)}) for start in range(0, 10, 5)]
    with ScratchDirectory(tmp_path) as scratch:
        out = pl.concat(permuted(frames, rows=rows, scratch=scratch, entropy=entropy(1)))
    assert sorted(out["n"]) == list(range(10))


@pytest.mark.parametrize(("rows", "fan"), [(4, 32), (6_000_000, 32), (6_000_000, 3)])
def test_every_order_is_equally_likely(tmp_path, monkeypatch, rows, fan):
    monkeypatch.setattr(scattering, "FAN", fan)
    counts: dict[tuple, int] = {}
    generator = entropy(7)
    with ScratchDirectory(tmp_path) as scratch:
        for _ in range(2400):
            frames = [pl.DataFrame({"n": [0, 1]}), pl.DataFrame({"n": [2, 3]})]
            out = permuted(frames, rows=rows, scratch=scratch, entropy=generator)
            order = tuple(pl.concat(out)["n"])
            counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 24
    chi_square = sum((count - 100) ** 2 / 100 for count in counts.values())
    assert chi_square < 60


def test_csv_is_rfc_4180_and_the_scan_sees_every_frame_first():
    order: list[object] = []

    class Target(io.BytesIO):
        def write(self, block, /):
            order.append("bytes")
            return super().write(block)

    target = Target()
    frames = [pl.DataFrame({"a": ['x,"y"', "=1+1"], "b": [None, "z"]})] * 2
    rows = write_csv(frames, target, scan=lambda frame: order.append(frame.height))
    assert rows == 4
    assert target.getvalue() == b'a,b\n"x,""y""",\n=1+1,z\n"x,""y""",\n=1+1,z\n'
    assert order == [2, "bytes", 2, "bytes"]


def test_a_refusing_scan_lets_no_byte_of_that_frame_out():
    def refuse(frame):
        raise RuntimeError("found something")

    target = io.BytesIO()
    with pytest.raises(RuntimeError):
        write_csv([pl.DataFrame({"a": ["x"]})], target, scan=refuse)
    assert target.getvalue() == b""


def test_parquet_has_no_dictionary_statistics_or_schema_metadata():
    target = io.BytesIO()
    frames = [pl.DataFrame({"a": ["x", "y"] * 50, "n": range(100)})] * 3
    assert write_parquet(frames, target, scan=seen) == 300
    held = pyarrow.parquet.ParquetFile(io.BytesIO(target.getvalue()))
    assert held.metadata.metadata is None
    for group in range(held.metadata.num_row_groups):
        for column in range(2):
            chunk = held.metadata.row_group(group).column(column)
            assert not chunk.has_dictionary_page
            assert chunk.statistics is None
    assert pl.from_arrow(held.read()).height == 300


@pytest.mark.parametrize("name", ["a", "parquet-cpp-arrow version 1"])
def test_parquet_does_not_tell_its_writer(name):
    target = io.BytesIO()
    assert write_parquet([pl.DataFrame({name: ["x", None]})], target, scan=seen) == 2
    held = pyarrow.parquet.ParquetFile(io.BytesIO(target.getvalue()))
    assert held.metadata.created_by == ""
    assert target.getvalue().count(b"parquet-cpp") == name.count("parquet-cpp") * 2
    assert pl.read_parquet(io.BytesIO(target.getvalue()))[name].to_list() == ["x", None]


def test_row_groups_are_large_however_small_the_blocks(monkeypatch):
    monkeypatch.setattr("gateway.sealing.rows.GROUP_ROWS", 10)
    target = io.BytesIO()
    frames = [pl.DataFrame({"n": [1, 2, 3, 4]})] * 6
    assert write_parquet(frames, target, scan=seen) == 24
    assert pyarrow.parquet.ParquetFile(target).metadata.num_row_groups == 2
