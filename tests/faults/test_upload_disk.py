"""A disk that fills up during an upload: what was counted is kept, and it goes on later."""

from __future__ import annotations

import errno
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters import upload_segments
from gateway.adapters.database import Database
from gateway.adapters.settings import Settings
from gateway.adapters.uploads import Uploads
from gateway.errors import Unavailable
from tests.adapters.test_uploads import CONTENT, PARTY, begun, files, read, sent, settings, store
from tests.databases import database
from tests.journeys.office import REPOSITORY

__all__ = ["database", "settings", "store"]
APART = ("unshare", "--map-root-user", "--mount")


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'gateway.sqlite'}"


def test_a_disk_that_fills_up_loses_nothing_that_was_counted(tmp_path: Path) -> None:
    if subprocess.run([*APART, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a disk of their own")
    run = subprocess.run(
        [*APART, sys.executable, "-m", "tests.faults.small_upload_disk", str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(run.stdout)
    assert told == {
        "full": "upload/not-written",
        "kept": 1 << 20,
        "files": [".sealed"],
        "state": "complete",
        "same": True,
    }


def test_a_failed_sync_is_never_retried_as_success(
    settings: Settings, store: Uploads, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel forgets what a failed fsync could not write: the piece goes, the offset stays."""
    upload = begun(store)

    def fails(descriptor: int) -> None:
        raise OSError(errno.EIO, "no")

    with monkeypatch.context() as broken:
        broken.setattr(upload_segments.os, "fsync", fails)
        with pytest.raises(Unavailable, match="upload/not-written"):
            sent(store, upload, 0, CONTENT)
    assert files(store) == []
    assert store.head(upload, party=PARTY).offset == 0
    sent(store, upload, 0, CONTENT)
    with read(settings, upload) as content:
        assert content == CONTENT


@pytest.mark.parametrize("after", ["seal", "rename"])
def test_a_crash_between_the_steps_counts_nothing_twice(
    settings: Settings, store: Uploads, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    class Crash(BaseException):
        """What a killed process does: nothing more."""

    upload = begun(store)
    sent(store, upload, 0, CONTENT[:1000])
    kept = set(files(store))

    def crashes(*_: Any, **__: Any) -> Any:
        raise Crash

    with monkeypatch.context() as broken:
        # Files stay where they are, as they would.
        broken.setattr(Path, "unlink", lambda *_, **__: None)
        where = upload_segments if after == "seal" else Uploads
        broken.setattr(where, "_sync" if after == "seal" else "_counted", crashes)
        with pytest.raises(Crash):
            store.append(upload, 1000, io.BytesIO(CONTENT[1000:]), party=PARTY)
    left = set(files(store)) - kept
    assert left, "the crash has left something"
    assert store.head(upload, party=PARTY).offset == 1000
    assert store.tidy() == len(left)
    assert set(files(store)) == kept
    sent(store, upload, 1000, CONTENT[1000:])
    with read(settings, upload) as content:
        assert content == CONTENT
