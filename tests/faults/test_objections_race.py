"""An objection that lands while the service makes a release is honoured, or the release is held.

`python -m tests.faults.objections_race 500` is the full form of this.
Source: UK GDPR Art 21(1); security points 15 and 16.
"""

from __future__ import annotations

from pathlib import Path

from tests.faults.objections_race import interleave
from tests.journeys import borough
from tests.journeys.office import Office

ROUNDS = 8
DRAWN = 20_261


def test_no_objection_is_ignored_whenever_it_lands(
    base: Office, people: Path, tmp_path: Path
) -> None:
    office = borough.copied(base, tmp_path / "office")
    told = interleave(office, people, ROUNDS, seed=DRAWN)
    assert told.total() == ROUNDS
    assert told["came after"] < ROUNDS, "every objection came too late to be tried"
