"""What is written down about who asked, who was held, and who decided: seen from outside.

Source: security points 3, 7, 16 and 20; docs/how-to/object.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.adapters import dry_runs
from gateway.adapters.database import Database
from gateway.adapters.keyring_grants import GRANTS
from gateway.adapters.register_queue import MATCHES
from tests.faults.soundness import ledger_facts, table
from tests.journeys import borough
from tests.journeys.borough import AGREEMENT, SHARE, STUDY
from tests.journeys.office import Office

OBJECT = ("object", "--purpose", STUDY, "--agreement", AGREEMENT)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return borough.borough(tmp_path_factory.mktemp("people"), 3000)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, people: Path) -> Office:
    return borough.ready(tmp_path_factory.mktemp("oversight") / "office", people)


@pytest.fixture
def office(base: Office, tmp_path: Path) -> Iterator[Office]:
    with borough.copied(base, tmp_path / "office").open() as opened:
        yield opened


@pytest.fixture(scope="module")
def somebody(people: Path) -> dict[str, str]:
    """A grown-up of the study's cohort, with every detail, of whom there is one."""
    rows = borough.rows_of(people / "family_register.csv")
    wanted = ("forename", "surname", "dob", "postcode", "nhs_number")
    fit = (
        row
        for row in rows
        if all(row[name] for name in wanted)
        and len(row["forename"]) > 5
        and row["programme_arm"] in {"PROG", "COMP"}
        and row["participation"] in {"", "NONE", "CONSENT"}
    )
    return next(fit)


def slipped(row: dict[str, str], **changed: str) -> str:
    """The same person as somebody wrote them down by telephone: a letter lost, no number."""
    told = {
        "forename": row["forename"][:2] + row["forename"][3:],
        "surname": row["surname"],
        "date_of_birth": row["dob"],
        "postcode": row["postcode"],
    }
    return json.dumps(told | changed)


def shared(office: Office, name: str = "outbox") -> dict[str, Any]:
    answer = office.run(*SHARE, "--to", str(office.home / name), "--json")
    assert answer.code == 0, answer.out + answer.err
    document: dict[str, Any] = answer.document
    return document


def withheld(document: dict[str, Any]) -> dict[str, int]:
    counts: dict[str, int] = document["conservation"]["withheld"]
    return {reason: counts.get(reason, 0) for reason in ("objected", "doubtful-match")}


def queue(office: Office, *words: str) -> list[dict[str, Any]]:
    waiting: list[dict[str, Any]] = office.ask("objections", *words)["matches"]
    return waiting


def test_a_doubtful_match_is_queued_by_reference_and_nobody_is_named(
    office: Office, somebody: dict[str, str]
) -> None:
    office.must(*OBJECT, given=slipped(somebody))
    told = shared(office)
    assert withheld(told)["doubtful-match"] >= 1
    waiting = queue(office)
    assert len(waiting) == withheld(told)["doubtful-match"]
    assert {match["release"] for match in waiting} == {told["release"]}
    assert all(match["because"] and match["extracts"] for match in waiting)
    (queued,) = ledger_facts(office, "register-matches-queued")
    assert (queued["release"], queued["entries"]) == (told["release"], len(waiting))
    stored = json.dumps(table(office, MATCHES), default=str)
    listed = office.must("objections").out + office.must("objections", "--json").out
    for name in ("forename", "surname", "dob", "postcode", "nhs_number", "person_id"):
        assert somebody[name] not in stored
        assert somebody[name] not in listed


def test_the_same_doubt_stands_in_the_queue_once(office: Office, somebody: dict[str, str]) -> None:
    office.must(*OBJECT, given=slipped(somebody))
    shared(office)
    first = queue(office)
    shared(office, "again")
    assert queue(office) == first


def test_two_people_are_told_apart_by_a_rights_officer_and_only_by_one(
    office: Office, somebody: dict[str, str]
) -> None:
    office.must(*OBJECT, given=slipped(somebody))
    held = withheld(shared(office))
    names = [match["match"] for match in queue(office)]
    for name in names:
        assert office.run("objections", "settle", name, "--other").code == 3
        assert office.run("objections", "settle", name, "--other", "--as", "rosa").code == 3
    assert withheld(shared(office, "still")) == held
    for name in names:
        office.must("objections", "settle", name, "--other", "--as", "rita")
    freed = withheld(shared(office, "freed"))
    assert freed["doubtful-match"] == held["doubtful-match"] - len(names)
    assert freed["objected"] == held["objected"]
    assert queue(office) == []
    assert {match["state"] for match in queue(office, "--all")} == {"match-other"}
    settled = ledger_facts(office, "register-match-settled")
    assert [entry["operator"] for entry in settled] == ["rita"] * len(names)


def test_anyone_may_say_that_it_is_the_same_person(
    office: Office, somebody: dict[str, str]
) -> None:
    office.must(*OBJECT, given=slipped(somebody))
    held = withheld(shared(office))
    for match in queue(office):
        office.must("objections", "settle", match["match"], "--same")
    certain = withheld(shared(office, "certain"))
    assert certain["objected"] == held["objected"] + held["doubtful-match"]
    assert certain["doubtful-match"] == 0


def test_a_match_that_was_exchanged_in_the_database_is_not_settled(
    office: Office, somebody: dict[str, str]
) -> None:
    office.must(*OBJECT, given=slipped(somebody))
    shared(office)
    (name, *_) = [match["match"] for match in queue(office)]
    database = Database(f"sqlite:///{office.data / 'gateway.sqlite'}")
    with database.begin() as connection:
        connection.execute(MATCHES.update().where(MATCHES.c.id == name).values(reference="00" * 16))
    database.close()
    answer = office.run("objections", "settle", name, "--other", "--as", "rita")
    assert answer.code == 7
    assert "register/not-trustworthy" in answer.err
    assert ledger_facts(office, "register-match-settled") == []


def test_both_sides_are_opened_for_a_rights_officer_after_it_is_written_down(
    office: Office, somebody: dict[str, str]
) -> None:
    office.must(*OBJECT, given=slipped(somebody))
    shared(office)
    names = [match["match"] for match in queue(office)]
    assert office.run("objections", "show", names[0], "--as", "rosa").code == 3
    assert ledger_facts(office, "register-match-read") == []
    both = [office.ask("objections", "show", name, "--as", "rita") for name in names]
    assert somebody["person_id"] in {each["person"]["person_id"] for each in both}
    assert all(each["entry"]["surname"] == somebody["surname"] for each in both)
    read = ledger_facts(office, "register-match-read")
    assert [(entry["subject"], entry["operator"]) for entry in read] == [
        (name, "rita") for name in names
    ]


def test_an_objection_that_is_not_upheld_no_longer_counts(
    office: Office, somebody: dict[str, str]
) -> None:
    before = withheld(shared(office))
    certain = {name: somebody[name] for name in ("forename", "surname", "nhs_number")}
    receipt = office.must(*OBJECT, "--json", given=json.dumps(certain)).document["receipt"]
    assert withheld(shared(office, "held"))["objected"] == before["objected"] + 1
    answer = ("objections", "answer", receipt, "--state")
    office.must(*answer, "upheld", "--as", "rita")
    assert withheld(shared(office, "upheld"))["objected"] == before["objected"] + 1
    assert office.run(*answer, "not-upheld", "--as", "rosa").code == 3
    office.must(*answer, "not-upheld", "--as", "rita")
    assert withheld(shared(office, "answered")) == before


def test_a_dry_run_touches_no_study_key_and_ten_a_day_are_enough(office: Office) -> None:
    keys = len(ledger_facts(office, "key-used"))
    for _ in range(2):
        office.must(*SHARE, "--dry-run", "--reason", "question")
    assert len(ledger_facts(office, "key-used")) == keys
    assert {entry["code"] for entry in ledger_facts(office, "dry-run")} == {"question"}
    row = table(office, dry_runs.DRY_RUNS)[0]
    rows = [{k: v for k, v in row.items() if k != "id"}] * (dry_runs.A_DAY - 2)
    database = Database(f"sqlite:///{office.data / 'gateway.sqlite'}")
    with database.begin() as connection:
        connection.execute(sa.insert(dry_runs.DRY_RUNS), rows)
    database.close()
    recorded = len(ledger_facts(office, "dry-run"))
    no = office.run(*SHARE, "--dry-run", "--json")
    assert no.code == 3
    assert [each["code"] for each in no.document["refusal"]] == ["sharing/too-many-dry-runs"]
    assert len(ledger_facts(office, "dry-run")) == recorded


REFUSED_LATE = {
    "an officer without the role": ("kit", "operators/not-permitted"),
    "the custodian who granted the key": ("gus", "operators/same-person"),
    "the editor of the agreement": ("eddy", "operators/not-apart"),
    "anyone, while nobody has granted the key": ("rosa", "keys/no-grant"),
}


@pytest.mark.parametrize("who", REFUSED_LATE)
def test_a_refusal_after_the_decision_stands_in_the_ledger(office: Office, who: str) -> None:
    officer, code = REFUSED_LATE[who]
    if officer == "eddy":
        roles = ("--role", "editor", "--role", "release-officer")
        office.must("operators", "add", officer, *roles, "--as", "ada")
        office.must("policy", "propose", AGREEMENT, "--as", officer)
        office.must("policy", "approve", AGREEMENT, "--as", "april")
    if code in {"keys/no-grant", "operators/same-person"}:
        without_grants(office)
    if officer == "gus":
        roles = ("--role", "custodian", "--role", "release-officer")
        office.must("operators", "add", officer, *roles, "--as", "ada")
        digest = office.run(*SHARE, "--json").document["policy_digest"]
        words = ("--purpose", STUDY, "--policy", digest, "--until", "2099-01-01")
        office.must("keys", "grant", "study-nis-2026-1", *words, "--as", officer)
    no = office.run(*SHARE[:-1], officer, "--json")
    assert no.code == 3
    assert [each["code"] for each in no.document["refusal"]] == [code]
    assert no.document["release"].startswith("rel-")
    assert len(no.document["policy_digest"]) == 64
    entry = ledger_facts(office, "release-refused")[-1]
    assert (entry["release"], entry["code"]) == (no.document["release"], code)
    assert entry["operator"] == officer


def without_grants(office: Office) -> None:
    """The office as it is when nobody has granted a key."""
    database = Database(f"sqlite:///{office.data / 'gateway.sqlite'}")
    with database.begin() as connection:
        connection.execute(GRANTS.delete())
    database.close()


def test_keys_that_a_release_too_risky_has_used_are_written_down(
    tmp_path: Path,
) -> None:
    few = borough.borough(tmp_path / "few", 60)
    with borough.ready(tmp_path / "office", few).open() as office:
        no = office.run(*SHARE, "--to", str(tmp_path / "outbox"), "--json")
        assert no.code == 3
        codes = {reason["code"] for reason in no.document["refusal"]}
        assert codes == {"disclosure/group-too-small"}
        (used,) = ledger_facts(office, "key-used")
        assert used["release"] == no.document["release"]
        assert used["policy_digest"] == no.document["policy_digest"]
        assert used["count"] > 0
        assert [entry["release"] for entry in ledger_facts(office, "release-refused")] == [
            no.document["release"]
        ]
