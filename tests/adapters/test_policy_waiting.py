"""Next year's version is approved ahead, and what is in force goes on until its first day."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.adapters import (
    backup,
    clock,
    ledger_search,
    policy_reading,
    policy_since,
    policy_store,
    policy_waiting,
)
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


def propose(office: Office, folder: Path, *words: str, starts: dt.date = FIRST_DAY) -> str:
    """Zed proposes the next version of Trafford's agreement, from a day on; what is told."""
    office.must("policy", "export", folder)
    path = folder / "agreements" / "trafford.toml"
    text = path.read_text()
    dates = re.findall(r"^(?:version|starts|ends) = .*$", text, re.MULTILINE)[:3]
    version = int(dates[0].split()[-1])
    ends = starts + dt.timedelta(days=300)
    for line, new in zip(
        dates, (f"version = {version + 1}", f"starts = {starts}", f"ends = {ends}"), strict=True
    ):
        assert f"\n{line}\n" in text
        text = text.replace(f"\n{line}\n", f"\n{new}\n", 1)
    path.write_text(text)
    told = office.must("policy", "propose", path, *words, "--as", "zed")
    return str(told["begins"])


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
        documents = policy_store.bundle(connection)
        found = policy_waiting.stands(connection, documents, TRAFFORD, on=at.date())
        return found is not None and found.starts <= at.date()


def begin(office: Office, database: Database, at: dt.datetime) -> list[int]:
    settings = read_settings(office.data, environ=office.environment())
    return [each.version for each in begin_due(settings, database, open_ring(settings), at=at)]


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


def test_while_a_restored_directory_is_in_hold_none_begins(
    office: Office, database: Database
) -> None:
    mark = office.data / backup.HELD
    mark.write_text('{"format": "", "created": "", "size": 0, "root": "", "files": {}}')
    assert begin(office, database, THE_DAY) == []
    mark.unlink()
    assert begin(office, database, THE_DAY) == [4]


def test_while_the_clock_is_behind_none_begins(
    office: Office, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dt.datetime] = []
    monkeypatch.setattr(clock, "is_behind", lambda _connection, *, at: not asked.append(at))
    assert begin(office, database, THE_DAY - dt.timedelta(days=1)) == []
    assert begin(office, database, THE_DAY) == []
    assert asked == [THE_DAY], "the clock is asked only where a version is due"
    assert version(database) == 3


def test_the_next_proposal_is_compared_with_what_is_in_force(
    office: Office, database: Database
) -> None:
    told = office.must("policy", "proposal", TRAFFORD)
    assert (
        told["begins"]
        == f"It begins on {policy_waiting.day(FIRST_DAY)}; until then version 3 goes on."
    )
    assert told["changes"][0] == "This is what differs from version 3 as it was approved."
    assert any(str(FIRST_DAY) in change for change in told["changes"][1:])


def test_a_withdrawal_takes_the_one_that_waits_too(office: Office, database: Database) -> None:
    with database.read() as connection:
        every = policy_store.proposals(connection, TRAFFORD)
    office.must("policy", "withdraw", TRAFFORD, "--as", "ben")
    with database.read() as connection:
        entries = list(ledger_search.naming(connection, {"policy-withdrawn"}, document=TRAFFORD))
    ended = [entry.facts["document_digest"] for _, entry in entries]
    assert sorted(ended) == sorted(each.policy_digest for each in every), "of each its own"
    assert waits(office) is None
    assert begin(office, database, THE_DAY) == []
    assert not in_force(database, NOW)


def narrowed(office: Office, folder: Path) -> Path:
    """The vocabulary with fewer people in a cohort that Trafford's agreement reads."""
    office.must("policy", "export", folder)
    vocabulary = folder / "vocabulary.toml"
    text = vocabulary.read_text()
    arms = ('programme_arm = ["PROG", "COMP"]', 'programme_arm = ["PROG"]')
    assert arms[0] in text
    vocabulary.write_text(text.replace(*arms))
    return vocabulary


def test_it_does_not_begin_once_what_was_signed_is_no_more_what_it_reads(
    office: Office, database: Database, tmp_path: Path
) -> None:
    office.must("policy", "propose", KIRKLEES, narrowed(office, tmp_path), "--as", "zed")
    office.must("policy", "approve", KIRKLEES, "--as", "kap")
    found = waits(office)
    assert found is not None
    assert not found["holds"]
    assert begin(office, database, THE_DAY) == []
    assert version(database) == 3


def test_what_it_shares_with_others_is_not_put_off(
    office: Office, database: Database, tmp_path: Path
) -> None:
    """A new word of the vocabulary stands at once; only the agreement's own text waits."""
    office.must("policy", "export", tmp_path / "words")
    vocabulary = tmp_path / "words" / "vocabulary.toml"
    text = vocabulary.read_text()
    begun = text.index("[cohorts.programme-and-comparison]")
    lines = text[begun:].splitlines()[1:]
    end = next(i for i, line in enumerate(lines) if line.startswith("["))
    vocabulary.write_text(text + "\n[cohorts.newer]\n" + "\n".join(lines[:end]) + "\n")
    told = propose(office, tmp_path / "again", str(vocabulary))
    assert "version 3 goes on" in told
    office.must("policy", "approve", TRAFFORD, "--as", "ben")
    with database.read() as connection:
        bundle = policy_reading.decision_inputs(connection).bundle
    assert "newer" in bundle.knowledge.vocabulary.cohorts
    assert (version(database), in_force(database, NOW)) == (3, True)
    assert begin(office, database, THE_DAY) == [4]
    assert in_force(database, THE_DAY)


def test_where_the_shared_part_ends_what_stands_nothing_waits(
    office: Office, database: Database, tmp_path: Path
) -> None:
    told = propose(office, tmp_path / "again", str(narrowed(office, tmp_path / "words")))
    assert told.startswith(
        f"It begins on {policy_waiting.day(FIRST_DAY)}; nothing is shared before."
    )
    office.must("policy", "approve", TRAFFORD, "--as", "ben")
    assert (version(database), waits(office)) == (4, None)


@pytest.mark.parametrize("again_of_the_present", [(), ("propose",), ("propose", "approve")])
def test_what_it_needs_is_not_taken_out_while_it_waits(
    office: Office, tmp_path: Path, again_of_the_present: tuple[str, ...]
) -> None:
    office.must("policy", "export", tmp_path)
    spare = tmp_path / "recipients" / "spare.toml"
    known = (tmp_path / "recipients" / "ons-research.toml").read_text()
    spare.write_text(known.replace('"ons-research"', '"spare"', 1))
    office.must("policy", "propose", KIRKLEES, spare, "--as", "zed")
    office.must("policy", "approve", KIRKLEES, "--as", "kap")
    path = tmp_path / "again" / "agreements" / "trafford.toml"
    propose(office, tmp_path / "again")
    path.write_text(path.read_text().replace('"ons-research"', '"spare"'))
    office.must("policy", "propose", path, "--as", "zed")
    office.must("policy", "approve", TRAFFORD, "--as", "ben")
    for again in again_of_the_present:
        office.must("policy", again, TRAFFORD, "--as", {"propose": "zed", "approve": "ben"}[again])
    assert waits(office) is not None
    without = ("--without", "recipients/spare.toml", "--as", "zed")
    office.refused("policy/still-needed", 3, "policy", "propose", KIRKLEES, *without)


def test_the_present_version_is_approved_again_and_the_next_one_waits_on(
    office: Office, database: Database
) -> None:
    office.must("policy", "propose", TRAFFORD, "--as", "zed")
    office.must("policy", "approve", TRAFFORD, "--as", "ben")
    assert waits(office) is not None
    assert begin(office, database, THE_DAY) == [4]


def test_an_amendment_says_that_it_takes_the_place_of_the_one_that_waits(
    office: Office, database: Database, tmp_path: Path
) -> None:
    told = propose(office, tmp_path, starts=NOW.date())
    assert told == (
        "It takes the place of version 4, which is approved and waits for "
        f"{policy_waiting.day(FIRST_DAY)}: that one never begins."
    )
    office.must("policy", "approve", TRAFFORD, "--as", "ben")
    assert (version(database), waits(office)) == (4, None)
    assert begin(office, database, THE_DAY) == []
    with database.read() as connection:
        past = policy_since.basis(connection, TRAFFORD)
    assert past.sure


def test_what_never_began_is_no_basis(office: Office, database: Database, tmp_path: Path) -> None:
    propose(office, tmp_path, starts=FIRST_DAY + dt.timedelta(days=1))
    office.must("policy", "approve", TRAFFORD, "--as", "ben")
    with database.read() as connection:
        past = policy_since.basis(connection, TRAFFORD)
    assert (past.version, past.sure) == (3, True)
    office.must("policy", "withdraw", TRAFFORD, "--as", "ben")
    with database.read() as connection:
        past = policy_since.basis(connection, TRAFFORD)
    assert (past.version, past.sure) == (3, True)


def test_one_that_has_not_begun_either_is_not_lost(
    office: Office, database: Database, tmp_path: Path
) -> None:
    """Approved where nothing stood: it is the text, and a still later one waits behind it."""
    office.must("policy", "withdraw", TRAFFORD, "--as", "ben")
    propose(office, tmp_path / "one")
    office.must("policy", "approve", TRAFFORD, "--as", "ben")
    later = FIRST_DAY + dt.timedelta(days=60)
    propose(office, tmp_path / "two", starts=later)
    office.must("policy", "approve", TRAFFORD, "--as", "ben")
    assert version(database) == 4
    assert waits(office) == {"version": 5, "starts": later.isoformat(), "holds": True}


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


@pytest.mark.parametrize(("days", "missed"), [(-30, False), (0, False), (1, False), (2, True)])
def test_a_day_is_told_unless_the_next_version_begins_before(days: int, missed: bool) -> None:
    """A last day after which a gap follows is told; one that the next version follows is not."""
    last = NOW.date()
    assert policy_waiting.succeeded_by(last + dt.timedelta(days=days), last) is not missed


def test_nothing_follows_where_nothing_waits() -> None:
    assert not policy_waiting.succeeded_by(None, NOW.date())
