"""A key ring whose writers die or work at the same time is whole to whoever reads it.

Source: security points 7, 8 and 23; docs/adr/0309-a-key-loses-its-name-first.md.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.adapters.keyring import KeyRing
from gateway.errors import UsageError
from gateway.model.keys import KeyKind

AT = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
KEY = "study-nis-2026-1"
ALL_SYNCS = 8

ACT = """
import datetime as dt, os, signal, sys
from pathlib import Path
from gateway.adapters.keyring import KeyRing
from gateway.model.keys import KeyKind

ring = KeyRing(Path(sys.argv[1]), lambda: b"a long enough passphrase")
ring.unlock()
left, sync = int(sys.argv[2]), os.fsync

def die_at(descriptor):
    global left
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    sync(descriptor)

os.fsync = die_at
at = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
"""
ACTS = {
    "make": "ring.make(KeyKind.STUDY_ROOT, owner='nis', epoch='2026-1', at=at)",
    "settle": "ring.settle('study-nis-2026-1')",
    "destroy": "ring.destroy('study-nis-2026-1')",
}
CROWD = """
for number in range(150):
    key = ring.make(KeyKind.LINK_MAP, owner=f"rel-{number}", at=at)
    ring.destroy(key.id)
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    made = tmp_path / "keys"
    KeyRing.create(made, b"a long enough passphrase", sender="office")
    return made


def opened(directory: Path) -> KeyRing:
    return KeyRing(directory, lambda: b"a long enough passphrase")


def started(directory: Path, act: str, syncs: int) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-c", ACT + act, str(directory), str(syncs)]
    return subprocess.Popen(words, stderr=subprocess.PIPE)


def died(directory: Path, act: str, syncs: int) -> bool:
    """Do something to the ring and die at its so-many-th sync; whether it came to that."""
    with started(directory, act, syncs) as process:
        _, said = process.communicate()
    assert process.returncode in {0, -9}, said
    return process.returncode == -9


@contextlib.contextmanager
def crowd(directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Somebody who makes and destroys keys in the same ring, all the time."""
    with started(directory, CROWD, 1 << 30) as process:
        yield process
        _, said = process.communicate()
    assert process.returncode == 0, said


@pytest.mark.parametrize("act", ACTS)
def test_a_ring_is_whole_wherever_its_writer_died(directory: Path, act: str) -> None:
    came = []
    for syncs in range(ALL_SYNCS):
        with contextlib.suppress(UsageError):
            opened(directory).destroy(KEY)
        if act != "make":
            ready = {"owner": "nis", "epoch": "2026-1", "at": AT}
            opened(directory).put(KeyKind.STUDY_ROOT, b"r" * 32, **ready)
        came.append(died(directory, ACTS[act], syncs))
        ring = opened(directory)
        ring.unlock()
        assert [path.name for path in directory.glob(".draft-*")] == []
        for record in ring.records():
            secret = ring.secret(record.id, record.kind, pending=True)
            assert len(secret) == 32
            assert act == "make" or secret == b"r" * 32
    assert came[0]
    assert not came[-1]


def test_whoever_reads_the_ring_finds_each_key_whole_or_gone(directory: Path) -> None:
    ring, seen = opened(directory), set[str]()
    ring.make(KeyKind.PACKAGE_SIGNING, epoch="1", at=AT)
    with crowd(directory) as other:
        while other.poll() is None:
            records = ring.records()
            assert "package-signing-1" in {record.id for record in records}
            for record in records:
                with contextlib.suppress(UsageError):
                    assert len(ring.secret(record.id, record.kind)) == 32
            seen |= {record.id for record in records}
    assert len(seen) > 10
