"""What an answer took for a moment goes back to the system, though what lasts lies above it.

Source: docs/explanation/service.md, "What the web takes"; malloc_trim(3).
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gateway.service import web_process

# Each block is larger than what Python keeps in pools of its own; one in 64 lasts.
WITH_HOLES = """
import re
from pathlib import Path
from gateway.service.gunicorn_worker import give_back

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) >> 10

blocks = [bytes(4000) for _ in range(16_000)]
lasting = blocks[::64]
taken = resident()
del blocks
kept = resident()
give_back()
print(taken, kept, resident(), len(lasting))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the C library of Linux, glibc")
def test_what_is_free_between_what_lasts_goes_back() -> None:
    environ = {**os.environ, **web_process.FRUGAL}
    done = subprocess.run(
        [sys.executable, "-c", WITH_HOLES], env=environ, capture_output=True, text=True, check=True
    )
    taken, kept, left, lasting = map(int, done.stdout.split())
    assert lasting == 250
    assert kept > taken - 20, "the blocks were not held between what lasts"
    assert left < kept - 40
