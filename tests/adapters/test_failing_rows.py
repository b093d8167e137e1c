"""The list of failing rows: what was written is read back, and nothing else is."""

from __future__ import annotations

import struct
import zlib
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.extract_files import FailingRows
from gateway.adapters.failing_rows import failing_rows, framed, head, rows_kept
from gateway.errors import IntegrityError

RULES = [("surname", "surname.required"), ("count", "count.number"), ("", "sums")]
FOUND = st.lists(st.tuples(st.integers(1, 2**32 - 1), st.integers(0, len(RULES) - 1)))


def block(found: list[tuple[int, int]]) -> bytes:
    rows = array("I", (row for row, _ in found))
    rules = array("H", (rule for _, rule in found))
    return framed(rows.tobytes(), rules.tobytes())


def written(path: Path, *blocks: bytes) -> None:
    file = FailingRows(path, head(RULES))
    for each in blocks:
        file.write(each)
    file.finish()


@given(blocks=st.lists(FOUND, max_size=4))
def test_what_was_written_is_read_back_in_its_order(
    tmp_path_factory: pytest.TempPathFactory, blocks: list[list[tuple[int, int]]]
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    written(folder / "x.rows", *map(block, blocks))
    read = [line for batch in failing_rows(folder, "x") for line in batch]
    assert read == [(row, *RULES[rule]) for found in blocks for row, rule in found]


def test_a_long_list_is_read_in_batches(tmp_path: Path) -> None:
    written(tmp_path / "x.rows", block([(row, 0) for row in range(1, 20_001)]))
    batches = list(failing_rows(tmp_path, "x"))
    assert max(map(len, batches)) < 10_000
    assert [row for batch in batches for row, _, _ in batch] == list(range(1, 20_001))


def test_nothing_is_kept_where_no_row_failed(tmp_path: Path) -> None:
    written(tmp_path / "x.rows")
    assert not rows_kept(tmp_path, "x")
    assert list(failing_rows(tmp_path, "x")) == []


def _sized(octets: bytes) -> bytes:
    return struct.pack(">I", len(octets)) + octets


@pytest.mark.parametrize(
    "foreign",
    {
        "a rule without a name": block([(1, len(RULES))]),
        "no numbers": _sized(b"somebody@example.org"),
        "half a number": _sized(zlib.compress(b"\0" * 7)),
        "something after it": _sized(zlib.compress(b"\0" * 6) + b"more"),
        "cut": block([(1, 0)])[:-1],
        "longer than it is": struct.pack(">I", 1000) + b"x",
        "far too long": struct.pack(">I", 1 << 31),
        "a bomb": _sized(zlib.compress(bytes(65 << 20), 1)),
    }.items(),
    ids=lambda each: each[0],
)
def test_a_block_of_another_form_is_refused_and_not_quoted(
    tmp_path: Path, foreign: tuple[str, bytes]
) -> None:
    written(tmp_path / "x.rows", foreign[1])
    with pytest.raises(IntegrityError) as caught:
        list(failing_rows(tmp_path, "x"))
    assert "somebody" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_list_in_an_older_form_counts_as_not_kept(tmp_path: Path) -> None:
    (tmp_path / "x.rows").write_bytes(_sized(b"ARROW1\0\0") + bytes(4))
    assert not rows_kept(tmp_path, "x")
    assert not rows_kept(tmp_path, "y")
