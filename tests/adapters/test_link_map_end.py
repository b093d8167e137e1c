"""A link map ends on the day that the agreement says, and its key with it."""

import datetime as dt
import sqlite3

import pytest

from gateway.adapters.release_sweep import link_map_ends
from tests.journeys import borough


@pytest.mark.parametrize(
    ("until", "ends"),
    [
        ("receipt+30d", dt.date(2026, 5, 31)),
        ("receipt+0d", dt.date(2026, 5, 1)),
        ("2027-03-31", dt.date(2027, 3, 31)),
    ],
)
def test_the_last_day_is_a_date_or_counted_from_the_forwarding(until, ends):
    assert link_map_ends(until, dt.date(2026, 5, 1)) == ends


def test_a_map_that_has_ended_goes_with_its_key_and_others_stay(tmp_path):
    people = borough.borough(tmp_path / "people", 14_000)
    office = borough.ready(tmp_path / "office", people)
    maps = office.data / "link-maps"
    with office.open():
        first = office.ask(*borough.SHARE, "--to", str(tmp_path / "out"))["release"]
        second = office.ask(*borough.SHARE, "--to", str(tmp_path / "out"))["release"]
        assert {path.stem for path in maps.iterdir()} == {first, second}
        long_ago = (dt.datetime.now(dt.UTC) - dt.timedelta(days=31)).isoformat()
        with sqlite3.connect(office.data / "gateway.sqlite") as store:
            store.execute("update packages set forwarded = ? where release = ?", (long_ago, first))
        store.close()
        third = office.ask(*borough.SHARE, "--to", str(tmp_path / "out"))["release"]
        keys = {key["key"] for key in office.ask("keys", "list")["keys"]}
    assert {path.stem for path in maps.iterdir()} == {second, third}
    assert f"link-map-{first}" not in keys
    assert f"link-map-{second}" in keys
    office.must("ledger", "verify")
