"""A change of passphrase that a power cut ends at any step leaves one whole ring.

Source: security points 7 and 23.
"""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.adapters.keyring import KeyRing
from gateway.errors import Unavailable
from gateway.model.keys import KeyKind

AT = dt.datetime(2026, 11, 22, 9, 30, tzinfo=dt.UTC)
FIRST, SECOND = b"first long passphrase", b"second long passphrase"
REPOSITORY = Path(__file__).resolve().parents[2]
SYMMETRIC = (KeyKind.SUBJECT_INDEX, KeyKind.BLIND_INDEX)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("ring") / "keys"
    ring = KeyRing.create(directory, FIRST, sender="trafford")
    for kind in SYMMETRIC:
        ring.make(kind, at=AT)
    ring.make(KeyKind.STUDY_ROOT, owner="nis", epoch="2026-1", at=AT)
    return directory


@pytest.fixture
def ring(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template, tmp_path / "keys")
    return tmp_path / "keys"


def changed(directory: Path, *, last: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.passphrase_run", str(directory), str(last)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


def secrets_of(directory: Path, passphrase: bytes) -> list[bytes]:
    opened = KeyRing(directory, lambda: passphrase)
    opened.unlock()
    return [opened.secret(record.id, record.kind) for record in opened.records()]


def opens(directory: Path, passphrase: bytes) -> bool:
    try:
        KeyRing(directory, lambda: passphrase).unlock()
    except Unavailable as no:
        if no.code != "keys/wrong-passphrase":
            raise
        return False
    return True


@pytest.fixture(scope="module")
def steps(template: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many steps on the ring's files a whole change takes."""
    whole = tmp_path_factory.mktemp("whole") / "keys"
    shutil.copytree(template, whole)
    done = changed(whole, last=-1)
    assert done.returncode == 0, done.stderr
    assert secrets_of(whole, SECOND) == secrets_of(template, FIRST)
    assert not opens(whole, FIRST)
    assert sorted(path.name for path in whole.iterdir()) == sorted(
        path.name for path in template.iterdir()
    )
    return int(done.stdout)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.45, 0.5, 0.55, 0.6, 0.7, 0.75, 0.8, 0.85, 0.95])
def test_a_change_that_is_killed_leaves_every_key_under_one_passphrase(
    template: Path, ring: Path, steps: int, share: float
) -> None:
    done = changed(ring, last=max(1, int(steps * share)))
    assert done.returncode == -9, done.stderr
    passphrase = SECOND if opens(ring, SECOND) else FIRST
    assert secrets_of(ring, passphrase) == secrets_of(template, FIRST)
    other = FIRST if passphrase is SECOND else SECOND
    assert not opens(ring, other)
    assert not list(ring.glob("*.next"))


def test_a_killed_change_is_simply_repeated(template: Path, ring: Path, steps: int) -> None:
    assert changed(ring, last=steps // 3).returncode == -9
    again = changed(ring, last=-1)
    assert again.returncode == 0, again.stderr
    assert secrets_of(ring, SECOND) == secrets_of(template, FIRST)


def test_a_key_destroyed_after_a_killed_change_is_gone_from_every_file(
    ring: Path, steps: int
) -> None:
    assert changed(ring, last=int(steps * 0.7)).returncode == -9
    KeyRing(ring, lambda: SECOND).destroy("study-nis-2026-1")
    assert not list(ring.glob("study-nis*"))
