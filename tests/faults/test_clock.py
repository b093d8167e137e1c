"""A clock that is set back: nothing leaves by it, and a person may say that it is right.

Source: docs/adr/0319-nothing-leaves-while-the-clock-is-behind.md; security point 22.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from gateway.adapters import clock
from tests import moved_clock
from tests.journeys import borough
from tests.journeys.office import Office
from tests.service import serving

CHECKPOINT = ("ledger", "checkpoint", "--as", "ada")


@pytest.fixture
def shut(base: Office, tmp_path: Path) -> Office:
    """A copy that no process of ours has open."""
    return borough.copied(base, tmp_path / "office")


def test_no_release_is_made_by_a_clock_that_was_set_back(shut: Office) -> None:
    sharing = (*borough.SHARE, "--to", str(shut.home / "outbox"), "--json")
    moved_clock.done(shut, 0, CHECKPOINT)
    back = moved_clock.later(shut, -2, sharing, sharing, ("doctor",), (*borough.SHARE, "--dry-run"))
    for told in back[:2]:
        assert told.code == 7
        assert "clock/behind" in told.out
    assert back[2].code == 7
    assert "ill   clock: The newest checkpoint is later than" in back[2].out
    assert back[3].code == 0, "a rehearsal lets nothing leave"
    assert not list((shut.home / "outbox").rglob("*.gwp"))
    (right,) = moved_clock.done(shut, 0, sharing)
    assert right.document["state"] == "forwarded"


def test_a_checkpoint_says_that_the_clock_is_right_now(shut: Office) -> None:
    """It was ahead, and somebody put it right."""
    moved_clock.done(shut, 3, CHECKPOINT)
    sharing = (*borough.SHARE, "--to", str(shut.home / "outbox"), "--json")
    (held,) = moved_clock.later(shut, 0, sharing)
    assert held.code == 7
    moved_clock.done(shut, 0, CHECKPOINT)
    (told,) = moved_clock.done(shut, 0, sharing)
    assert told.document["state"] == "forwarded"
    assert moved_clock.done(shut, 0, ("ledger", "verify"))


def test_a_little_is_forgiven(office: Office) -> None:
    office.must(*CHECKPOINT)
    at = dt.datetime.now(dt.UTC)
    with serving.database_of(office) as database, database.read() as connection:
        assert not clock.is_behind(connection, at=at - dt.timedelta(minutes=4))
        assert clock.is_behind(connection, at=at - dt.timedelta(minutes=6))
