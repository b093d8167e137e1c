"""Sender and recipient may be killed at any moment of dispatch and receipt: the quick form.

`python -m tests.faults.delivery_kills 300` is the full one.
Source: security points 15 and 23; docs/explanation/service.md.
"""

from __future__ import annotations

from pathlib import Path

from tests.databases import own_server
from tests.faults.delivery_kills import kill_deliveries, pushing

KILLS = 5
DRAWN = 20_262


def test_each_package_arrives_once_whoever_is_killed(people: Path, tmp_path: Path) -> None:
    told = kill_deliveries(pushing(tmp_path, people), KILLS, seed=DRAWN)
    assert told["releases"] >= 1
    assert told["packages"] == 2 * told["releases"]


def test_and_so_it_is_with_both_on_postgresql(people: Path, tmp_path: Path) -> None:
    with own_server() as server:
        both = pushing(tmp_path, people, (server.create(), server.create()))
        told = kill_deliveries(both, KILLS, seed=DRAWN + 1)
    assert told["releases"] >= 1
    assert told["packages"] == 2 * told["releases"]
