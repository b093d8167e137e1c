"""The main job with its records in PostgreSQL: found, receive, object, share, verify."""

from __future__ import annotations

from pathlib import Path

from tests.databases import postgresql_server, postgresql_url
from tests.journeys import borough
from tests.journeys.borough import SHARE, STUDY

__all__ = ["postgresql_server", "postgresql_url"]
SIZE = 14_000


def test_a_release_is_made_and_proved_on_postgresql(tmp_path: Path, postgresql_url: str) -> None:
    people = borough.borough(tmp_path / "people", SIZE)
    office = borough.founded(tmp_path / "office", database_url=postgresql_url)
    with office.open():
        borough.permit_study(office)
        for dataset, party in borough.EXTRACTS:
            told = borough.receive(office, people / f"{dataset}.csv", dataset, party)
            assert told["state"] == "accepted"
        office.must("object", "--purpose", STUDY, "--file", str(people / "objections.csv"))
        shared = office.ask(*SHARE, "--to", str(office.home / "outbox"))
        assert shared["state"] == "forwarded"
        assert all(Path(package["path"]).is_file() for package in shared["packages"])
        assert office.ask("ledger", "verify")["ok"]
        assert office.ask("database", "current")["back_end"] == "PostgreSQL"
    assert not list(office.data.glob("*.sqlite*"))


def test_a_second_data_directory_cannot_be_founded_on_the_same_database(
    tmp_path: Path,
    postgresql_url: str,
) -> None:
    first = borough.Office(tmp_path / "first", settings={"GATEWAY_DATABASE_URL": postgresql_url})
    second = borough.Office(tmp_path / "second", settings=first.settings)
    for office in (first, second):
        office.home.mkdir(mode=0o700)
    first.must("init", "--name", "office")
    size = first.ask("ledger", "verify")["size"]
    answer = second.run("init", "--name", "office", "--json")
    assert answer.code == 2
    assert answer.document["error"]["code"] == "init/database-in-use"
    assert first.ask("ledger", "verify")["size"] == size
