"""The service may be killed at any moment, piece by piece or whole: the quick form.

`python -m tests.faults.service_kills 1000` is the full one.
Source: security points 15, 20 and 23; docs/explanation/service.md.
"""

from __future__ import annotations

from pathlib import Path

from tests.faults.service_kills import kill_under_load
from tests.web import office as offices

KILLS = 6
DRAWN = 20_260


def test_nothing_is_lost_or_doubled_whatever_is_killed_under_load(
    people: Path, tmp_path: Path
) -> None:
    office = offices.built(tmp_path / "office")
    told = kill_under_load(office, people, KILLS, seed=DRAWN)
    assert told["extracts"] >= 3
    assert told["releases"] >= 1
