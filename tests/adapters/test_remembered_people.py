"""The people of a release are remembered in parts, and believed only as they were written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from gateway.adapters import remembered_people
from gateway.adapters.remembered_people import RememberedPeople, sealed_memory
from gateway.adapters.spill import ScratchDirectory
from gateway.disclosure import Members
from gateway.errors import IntegrityError

HEAD = b'{"release": "rel-1"}'
KEY = bytes(range(32))


@dataclass(frozen=True)
class Parts:
    """People in parts of a few."""

    whole: Members
    rows: int

    def parts(self) -> Iterator[Members]:
        for start in range(0, self.whole.size, self.rows):
            end = start + self.rows
            yield Members(self.whole.people[start:end], self.whole.families[start:end])


def some(count: int) -> Members:
    chance = np.random.default_rng(7)
    people = np.unique(chance.integers(0, 2**64, count, dtype=np.uint64))
    return Members(people, people // np.uint64(3))


def written(path: Path, whole: Members, *, rows: int = 10) -> RememberedPeople:
    path.write_bytes(b"".join(sealed_memory(HEAD, Parts(whole, rows), KEY, "rel-1")))
    return RememberedPeople(path=path, release="rel-1", key=KEY)


@pytest.mark.parametrize("count", [0, 1, 7, 8, 40, 41])
def test_what_is_read_is_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(remembered_people, "PART_ROWS", 8)
    whole = some(count)
    kept = written(tmp_path / "a.mem", whole)
    assert kept.head() == HEAD
    assert kept.members().people.tolist() == whole.people.tolist()
    assert kept.members().families.tolist() == whole.families.tolist()
    with ScratchDirectory(tmp_path, budget=0) as scratch:
        ordered = kept.in_order(scratch)
        for _ in range(2):
            parts = list(ordered.parts())
            assert [part.size for part in parts] == [8] * (count // 8) + [count % 8] * (
                count % 8 > 0
            )
            people = [mark for part in parts for mark in part.people.tolist()]
            families = [mark for part in parts for mark in part.families.tolist()]
            assert (people, families) == (whole.people.tolist(), whole.families.tolist())


def test_one_byte_that_is_not_as_written_is_enough(tmp_path: Path) -> None:
    kept = written(tmp_path / "a.mem", some(5))
    octets = kept.path.read_bytes()
    changed = [
        octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :] for at in range(len(octets))
    ]
    cut = [octets[:at] for at in range(len(octets))]
    for wrong in (*changed, *cut, octets + b"x", octets + bytes(16)):
        kept.path.write_bytes(wrong)
        for read in (kept.head, kept.members, lambda: in_order(kept, tmp_path)):
            with pytest.raises(IntegrityError, match="store/memory-changed"):
                read()


def in_order(kept: RememberedPeople, room: Path) -> None:
    with ScratchDirectory(room) as scratch:
        kept.in_order(scratch)


def test_another_release_or_key_opens_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "a.mem", some(5)).path
    for wrong in (
        RememberedPeople(path=path, release="rel-2", key=KEY),
        RememberedPeople(path=path, release="rel-1", key=os.urandom(32)),
        RememberedPeople(path=tmp_path / "none.mem", release="rel-1", key=KEY),
    ):
        with pytest.raises(IntegrityError):
            wrong.head()
        with pytest.raises(IntegrityError):
            in_order(wrong, tmp_path)
    assert KEY.hex() not in repr(wrong)
