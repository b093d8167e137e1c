"""Sender and recipient may be killed at any moment of dispatch and receipt: the quick form.

`python -m tests.faults.delivery_kills 300` is the full one.
Source: security points 15 and 23; docs/explanation/service.md.
"""

from __future__ import annotations

from pathlib import Path

from tests.delivery import pair as pairs
from tests.faults.delivery_kills import kill_deliveries

KILLS = 5
DRAWN = 20_262


def test_each_package_arrives_once_whoever_is_killed(people: Path, tmp_path: Path) -> None:
    port = pairs.free_port()
    target = {"address": f"http://{pairs.HOST}:{port}", "client": pairs.CLIENT}
    pair = pairs.made(tmp_path, people, channel="https", delivery=target, port=port)
    told = kill_deliveries(pair, KILLS, seed=DRAWN)
    assert told["releases"] >= 1
    assert told["packages"] == 2 * told["releases"]
