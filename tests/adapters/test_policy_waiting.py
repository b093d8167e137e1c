"""Next year's version is approved ahead, and what is in force goes on until its first day."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.adapters import ledger_search, policy_reading, policy_since, policy_waiting
from gateway.adapters.database import Database
from gateway.adapters.keyring import open_ring
from gateway.adapters.settings import read_settings
from gateway.wiring.beginning import begin_due
from tests.adapters.keys_process import REPOSITORY, Office, Offices

TRAFFORD, KIRKLEES = "trafford-stronger-families", "kirklees-stronger-families"
NOW = dt.datetime.now(dt.UTC)
FIRST_DAY = NOW.date() + dt.timedelta(days=40)
THE_DAY = NOW + dt.timedelta(days=40)
STAFF = {
    "zed": ("editor", "trafford-council"),
    "ben": ("approver", "trafford-council"),
    "kap": ("approver", "kirklees-council"),
}


@pytest.fixture(scope="module")
def template(offices: Offices, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Both agreements are approved; a later version of Trafford's waits for its first day."""
    home = tmp_path_factory.mktemp("template")
    shutil.copytree(REPOSITORY / "policies", home / "policies")
    office = offices.new(home, policies=home / "policies")
    office.must("init", "--name", "trafford-council")
    office.must("operators", "add", "ada", "--role", "administrator")
    for name, (role, controller) in STAFF.items():
        flags = ("--role", role, "--controller", controller)
        office.must("operators", "add", name, *flags, "--as", "ada")
    for agreement, approver in ((TRAFFORD, "ben"), (KIRKLEES, "kap")):
        office.must("policy", "propose", agreement, "--as", "zed")
        office.must("policy", "approve", agreement, "--as", approver)
    propose(office, home / "ahead")
    office.must("policy", "approve", TRAFFORD, "--as", "ben")
    return office


def propose(office: Office, folder: Path, *, starts: dt.date = FIRST_DAY, title: str = "") -> None:
    """Zed proposes the next version of Trafford's agreement, from a day on."""
    office.must("policy", "export", folder)
    path = folder / "agreements" / "trafford.toml"
    text = path.read_text()
    for line in ("version = 3", "starts = 2026-04-01"):
        assert f"\n{line}\n" in text
    text = text.replace("\nversion = 3\n", "\nversion = 4\n", 1)
    text = text.replace("\nstarts = 2026-04-01\n", f"\nstarts = {starts}\n", 1)
    later = starts + dt.timedelta(days=300)
    text = text.replace("\nends = 2027-03-31\n", f"\nends = {later}\n", 1)
    path.write_text(text + title)
    office.must("policy", "propose", path, "--as", "zed")


@pytest.fixture
def office(offices: Offices, template: Office, tmp_path: Path) -> Office:
    return offices.copied(template, tmp_path / "home")


@pytest.fixture
def database(office: Office) -> Iterator[Database]:
    with office.database() as opened:
        yield opened


def version(database: Database) -> int:
    with database.read() as connection:
        found: int = policy_reading.decision_inputs(connection).bundle.agreements[TRAFFORD].version
        return found


def in_force(database: Database, at: dt.datetime) -> bool:
    with database.read() as connection:
        return policy_waiting.in_force(connection, TRAFFORD, on=at.date()) is not None


def begin(office: Office, database: Database, at: dt.datetime) -> list[int]:
    ring = open_ring(read_settings(office.data, environ=office.environment()))
    return [each.version for each in begin_due(database, ring, at=at)]


def waits(office: Office) -> dict[str, object] | None:
    rows = office.must("policy", "status")["agreements"]
    found: dict[str, object] | None
    (found,) = (row["later"] for row in rows if row["agreement"] == TRAFFORD)
    return found


def test_what_is_in_force_goes_on_until_the_first_day(office: Office, database: Database) -> None:
    assert (version(database), in_force(database, NOW)) == (3, True)
    assert waits(office) == {"version": 4, "starts": FIRST_DAY.isoformat(), "holds": True}
    assert begin(office, database, THE_DAY - dt.timedelta(days=1)) == []
    assert (version(database), in_force(database, NOW)) == (3, True)


def test_on_its_first_day_it_takes_its_place_once(office: Office, database: Database) -> None:
    assert begin(office, database, THE_DAY) == [4]
    assert begin(office, database, THE_DAY) == []
    assert (version(database), in_force(database, THE_DAY)) == (4, True)
    assert waits(office) is None
    with database.read() as connection:
        entries = list(ledger_search.naming(connection, {"policy-begun"}, document=TRAFFORD))
        past = policy_since.basis(connection, TRAFFORD)
    assert [entry.facts["version"] for _, entry in entries] == [4]
    assert (past.version, past.sure) == (4, True)


def test_the_next_proposal_is_compared_with_what_is_in_force(
    office: Office, database: Database
) -> None:
    told = office.must("policy", "proposal", TRAFFORD)
    assert told["begins"] == f"It begins on {FIRST_DAY}; until then version 3 goes on."
    assert told["changes"][0] == "This is what differs from version 3 as it was approved."
    assert any(str(FIRST_DAY) in change for change in told["changes"][1:])


def test_a_withdrawal_takes_the_one_that_waits_too(office: Office, database: Database) -> None:
    office.must("policy", "withdraw", TRAFFORD, "--as", "ben")
    assert waits(office) is None
    assert begin(office, database, THE_DAY) == []
    assert not in_force(database, NOW)


def test_it_does_not_begin_once_what_was_signed_is_no_more_what_it_reads(
    office: Office, database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "theirs"
    office.must("policy", "export", folder)
    vocabulary = folder / "vocabulary.toml"
    text = vocabulary.read_text()
    arms = ('programme_arm = ["PROG", "COMP"]', 'programme_arm = ["PROG"]')
    assert arms[0] in text
    vocabulary.write_text(text.replace(*arms))
    office.must("policy", "propose", KIRKLEES, vocabulary, "--as", "zed")
    office.must("policy", "approve", KIRKLEES, "--as", "kap")
    found = waits(office)
    assert found is not None
    assert not found["holds"]
    assert begin(office, database, THE_DAY) == []
    assert version(database) == 3


def test_another_version_takes_the_place_of_the_one_that_waits(
    office: Office, database: Database, tmp_path: Path
) -> None:
    propose(office, tmp_path / "again", starts=FIRST_DAY - dt.timedelta(days=10))
    office.must("policy", "approve", TRAFFORD, "--as", "ben")
    found = waits(office)
    assert found is not None
    assert found["starts"] == (FIRST_DAY - dt.timedelta(days=10)).isoformat()
    assert begin(office, database, THE_DAY) == [4]
    assert waits(office) is None


def test_where_nothing_is_in_force_its_texts_stand_at_once(
    office: Office, database: Database, tmp_path: Path
) -> None:
    office.must("policy", "withdraw", TRAFFORD, "--as", "ben")
    propose(office, tmp_path / "again")
    office.must("policy", "approve", TRAFFORD, "--as", "ben")
    assert version(database) == 4
    assert waits(office) is None
