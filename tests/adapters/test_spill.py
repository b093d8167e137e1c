"""Scratch room: the same rows come back, and what reaches the disk is sealed."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import polars as pl
import pytest

from gateway.adapters.scratch_file import PIECE
from gateway.adapters.spill import ScratchDirectory, room_of
from gateway.errors import IntegrityError, Unavailable

ROWS = pl.DataFrame({"name": ["CANARYPERSON"] * 500, "n": range(500)})


@pytest.mark.parametrize("budget", [0, 20_000, 1 << 30])
def test_rows_come_back_in_order_from_memory_or_disk(tmp_path, budget):
    with ScratchDirectory(tmp_path, budget=budget) as scratch:
        spill = scratch.spill(3)
        for part in (0, 2, 0):
            spill.put(part, ROWS)
        assert pl.concat(list(spill.partition(0))).equals(pl.concat([ROWS, ROWS]))
        assert list(spill.partition(1)) == []
        assert pl.concat(list(spill.partition(2))).equals(ROWS)
        assert len(spill) == 3


def test_an_empty_frame_takes_no_room(tmp_path):
    with ScratchDirectory(tmp_path, budget=0) as scratch:
        spill = scratch.spill(1)
        spill.put(0, ROWS.clear())
        assert list(spill.partition(0)) == []


def test_the_file_has_no_name_and_no_plaintext(tmp_path):
    with ScratchDirectory(tmp_path, budget=0) as scratch:
        spill = scratch.spill(1)
        spill.put(0, ROWS)
        assert list(tmp_path.iterdir()) == []
        content = os.pread(scratch.file._file.fileno(), 1 << 20, 0)
        assert len(content) > 1000
        assert b"CANARYPERSON" not in content


def test_memory_stays_within_the_budget_over_all_spills(tmp_path):
    with ScratchDirectory(tmp_path, budget=30_000) as scratch:
        first, second = scratch.spill(4), scratch.spill(4)
        for turn in range(40):
            first.put(turn % 4, ROWS)
            second.put(turn % 4, ROWS)
            assert first.held + second.held <= 30_000


def test_a_changed_block_is_never_read_as_rows(tmp_path):
    with ScratchDirectory(tmp_path, budget=0) as scratch:
        spill = scratch.spill(1)
        spill.put(0, ROWS)
        os.pwrite(scratch.file._file.fileno(), b"\x00\x01\x02", 40)
        with pytest.raises(IntegrityError, match="store/scratch-changed"):
            list(spill.partition(0))


def test_after_closing_nothing_can_be_read(tmp_path):
    scratch = ScratchDirectory(tmp_path, budget=0)
    spill = scratch.spill(1)
    spill.put(0, ROWS)
    scratch.close()
    with pytest.raises(Unavailable, match="store/scratch-closed"):
        list(spill.partition(0))


def test_a_full_disk_is_said_to_be_full():
    with ScratchDirectory("/proc", budget=0) as scratch:
        spill = scratch.spill(1)
        with pytest.raises(Unavailable, match="store/no-scratch-room"):
            spill.put(0, ROWS)


def test_bytes_come_back_with_size_and_digest(tmp_path):
    with ScratchDirectory(tmp_path) as scratch:
        spill = scratch.byte_spill()
        for block in (b"abc", b"", b"defg"):
            spill.write(block)
        assert spill.open().read() == b"abcdefg"
        assert b"".join(spill.chunks()) == b"abcdefg"
        assert spill.size == 7
        assert spill.sha256.startswith("7d1a54127b222502f5b79b5fb0803061")


@pytest.mark.parametrize("budget", [0, 1 << 30])
def test_a_partition_that_is_taken_gives_its_room_back(tmp_path, budget):
    with ScratchDirectory(tmp_path, budget=budget) as scratch:
        spill = scratch.spill(2)
        for part in (0, 1, 0):
            spill.put(part, ROWS)
        assert spill.rows == 3 * ROWS.height
        assert pl.concat(list(spill.take(0))).equals(pl.concat([ROWS, ROWS]))
        assert list(spill.partition(0)) == []
        assert spill.held == (room_of(ROWS) if budget else 0)
        assert pl.concat(list(spill.take(1))).equals(ROWS)
        assert spill.held == 0


def test_a_spill_that_nobody_holds_takes_no_room(tmp_path):
    with ScratchDirectory(tmp_path, budget=room_of(ROWS)) as scratch:
        scratch.spill(1).put(0, ROWS)
        second = scratch.spill(1)
        second.put(0, ROWS)
        assert second.held == room_of(ROWS)


def test_the_room_of_a_text_is_more_than_its_letters():
    assert room_of(pl.DataFrame({"name": ["AB"] * 10})) >= 160
    assert room_of(pl.DataFrame({"n": range(10)})) == 80


def test_bytes_larger_than_a_piece_come_back_from_blocks_of_any_size(tmp_path):
    content = os.urandom(3 * PIECE + 7)
    with ScratchDirectory(tmp_path) as scratch:
        spill = scratch.byte_spill()
        for start, end in ((0, 5), (5, 5), (5, PIECE), (PIECE, 3 * PIECE + 7)):
            spill.write(memoryview(content)[start:end])
        assert b"".join(spill.chunks()) == content
        assert spill.open().read() == content
        assert spill.size == len(content)


def test_a_piece_in_the_place_of_another_is_an_error(tmp_path):
    with ScratchDirectory(tmp_path) as scratch:
        first, second = (scratch.file.write(bytes([byte]) * 100) for byte in b"ab")
        room = memoryview(bytearray(100))
        with pytest.raises(IntegrityError, match="store/scratch-changed"):
            scratch.file.read(replace(first, offset=second.offset), room)


def test_several_threads_lose_and_mix_nothing(tmp_path):
    def fill(scratch: ScratchDirectory, value: int) -> tuple[int, list[int]]:
        spill, file = scratch.spill(3), scratch.byte_spill()
        for turn in range(60):
            spill.put(turn % 3, pl.DataFrame({"n": [value] * 3000}))
            file.write(bytes([value]) * 9000)
        seen = {int(n) for part in range(3) for frame in spill.take(part) for n in frame["n"]}
        return spill.rows, [*seen, *set(file.open().read())]

    with ScratchDirectory(tmp_path, budget=100_000) as scratch, ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda value: fill(scratch, value), range(8)))
    assert made == [(180_000, [value, value]) for value in range(8)]


def test_the_place_of_what_was_taken_is_used_again(tmp_path):
    with ScratchDirectory(tmp_path, budget=0) as scratch:
        spill, later = scratch.spill(2), scratch.spill(1)
        for part in (0, 1, 0):
            spill.put(part, ROWS)
        size = os.fstat(scratch.file._file.fileno()).st_size
        assert pl.concat(list(spill.take(0))).equals(pl.concat([ROWS, ROWS]))
        later.put(0, ROWS)
        later.put(0, ROWS)
        assert os.fstat(scratch.file._file.fileno()).st_size == size
        assert pl.concat(list(spill.partition(1))).equals(ROWS), "what was not taken is still there"
        assert pl.concat(list(later.take(0))).equals(pl.concat([ROWS, ROWS]))


def test_a_piece_of_what_lay_there_before_is_an_error(tmp_path):
    with ScratchDirectory(tmp_path) as scratch:
        before = scratch.file.write(b"a" * 100)
        held = os.pread(scratch.file._file.fileno(), 116, before.offset)
        scratch.file.free([before])
        after = scratch.file.write(b"b" * 100)
        assert after.offset == before.offset
        os.pwrite(scratch.file._file.fileno(), held, after.offset)
        with pytest.raises(IntegrityError, match="store/scratch-changed"):
            scratch.file.read(after, memoryview(bytearray(100)))
