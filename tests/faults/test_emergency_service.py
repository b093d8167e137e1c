"""The service may be killed at any act of an emergency disclosure: the quick form.

`python -m tests.faults.emergency_kills 100` is the full one.
Source: security points 15, 20 and 23; requirement R29; docs/explanation/service.md.
"""

from __future__ import annotations

from pathlib import Path

from tests.databases import postgresql_server, postgresql_url
from tests.faults.emergency_kills import kill_around, made

__all__ = ["postgresql_server", "postgresql_url"]
KILLS = 8
DRAWN = 20_261


def test_whatever_is_killed_each_disclosure_is_made_once(tmp_path: Path) -> None:
    told = kill_around(*made(tmp_path, ""), KILLS, seed=DRAWN)
    assert sum(told.values()) >= KILLS


def test_the_same_with_the_records_in_postgresql(tmp_path: Path, postgresql_url: str) -> None:
    told = kill_around(*made(tmp_path, postgresql_url), KILLS, seed=DRAWN + 1)
    assert sum(told.values()) >= KILLS
