"""A process that is stopped before anybody holds its writer ends, and leaves nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyrage

STOPPED = """
import sys
from pathlib import Path
from gateway.adapters.store import SealedWriter
writer = SealedWriter(Path(sys.argv[1]), sys.argv[2])
writer.write(b"a block that nobody ends")
raise SystemExit(6)
"""


def test_a_stop_between_opening_and_holding_a_writer_ends_at_once(tmp_path: Path) -> None:
    public = str(pyrage.x25519.Identity.generate().to_public())
    path = tmp_path / "extracts" / "x.age"
    words = [sys.executable, "-c", STOPPED, str(path), public]
    ended = subprocess.run(words, timeout=60, check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (6, "")
    assert list(path.parent.iterdir()) == []
