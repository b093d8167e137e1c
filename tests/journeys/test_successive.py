"""Month after month: nobody stands out between two releases, and an unusual one waits."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.adapters import release_memory
from gateway.adapters.keyring import open_ring
from gateway.adapters.settings import read_settings
from gateway.disclosure import Members
from gateway.model.keys import KeyKind
from tests.journeys import borough
from tests.journeys.borough import COUNCIL, SHARE, STUDY
from tests.journeys.office import Office

SIZE = 6_000
REGISTER = "family_register"
K = 5


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return borough.borough(tmp_path_factory.mktemp("people"), SIZE)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, people: Path) -> Office:
    """An office that has made its first release."""
    made = borough.ready(tmp_path_factory.mktemp("months") / "office", people)
    with made.open():
        shared = made.ask(*SHARE, "--to", str(made.home / "outbox"))
        assert shared["state"] == "forwarded", shared
    return made


@pytest.fixture
def office(template: Office, tmp_path: Path) -> Iterator[Office]:
    shutil.copytree(template.home, tmp_path / "office")
    made = Office(tmp_path / "office", policies=template.policies)
    with made.open():
        yield made


def shared(office: Office) -> dict[str, object]:
    answer = office.run(*SHARE, "--to", str(office.home / "outbox"), "--json")
    return dict(json.loads(answer.out))


def counts(told: dict[str, object]) -> dict[str, int]:
    conservation = told["conservation"]
    assert isinstance(conservation, dict)
    return {"forwarded": conservation["forwarded"], **conservation["withheld"]}


def test_the_same_release_again_leaves_nearly_whole(office: Office) -> None:
    # Who is masked by an address is drawn anew each time, so that a few groups differ.
    told = shared(office)
    assert told["state"] == "forwarded"
    assert counts(told).get("between-releases", 0) < 0.1 * counts(told)["forwarded"]


def objection(people: Path, folder: Path) -> Path:
    """An objection of one person of the study who has not objected yet."""
    objected = {
        (row.get("forename", ""), row.get("surname", ""))
        for row in borough.rows_of(people / "objections.csv")
    }
    row = next(
        row
        for row in borough.rows_of(people / f"{REGISTER}.csv")
        if row["programme_arm"] in ("PROG", "COMP")
        and (row["forename"], row["surname"]) not in objected
        and row["dob"]
        and row["postcode"]
    )
    told = {"forename": row["forename"], "surname": row["surname"]}
    told |= {"date_of_birth": row["dob"], "postcode": row["postcode"]}
    return borough.write_rows(folder / "objection.csv", [told])


def test_a_lone_objector_does_not_stand_out(office: Office, people: Path, tmp_path: Path) -> None:
    first = remembered(office)
    office.must("object", "--purpose", STUDY, "--file", str(objection(people, tmp_path)))
    told = shared(office)
    assert told["state"] == "forwarded"
    second = remembered(office)[-1]
    leavers, joiners = first[-1].missing_in(second), second.missing_in(first[-1])
    assert leavers.size
    for moved in (leavers, joiners):
        assert moved.family_count() == 0 or moved.family_count() >= K


def remembered(office: Office) -> list[Members]:
    """Who was in each release, as the gateway remembers it, oldest first."""
    settings = read_settings(office.data, environ=office.environment())
    secret = open_ring(settings).symmetric(KeyKind.SUBJECT_INDEX).secret
    files = sorted((office.data / "memories").glob("*.mem"), key=lambda path: path.stat().st_mtime)
    return [release_memory.read_memory(path, path.stem, secret).members for path in files]


def test_a_register_that_was_halved_is_held_until_another_person_accepts(
    office: Office, people: Path, tmp_path: Path
) -> None:
    rows = borough.rows_of(people / f"{REGISTER}.csv")
    half = borough.write_rows(tmp_path / f"{REGISTER}.csv", rows[: len(rows) // 2])
    borough.receive(office, half, REGISTER, COUNCIL)
    held = shared(office)
    assert held["state"] == "held"
    refusal = held["refusal"]
    assert isinstance(refusal, list)
    assert "tripwire/rows" in {reason["code"] for reason in refusal}
    assert not list((office.home / "outbox").rglob(f"{held['release']}.*"))

    release, why = str(held["release"]), ("--reason", "Two schools left the programme.")
    own = office.run("accept", release, *why, "--as", "rosa", "--json")
    assert json.loads(own.out)["error"]["code"] == "operators/same-person"
    office.must("accept", release, *why, "--as", "april")
    assert shared(office)["state"] == "forwarded"
    office.must("ledger", "verify")


def test_what_was_accepted_counts_until_the_next_release_only(
    office: Office, people: Path, tmp_path: Path
) -> None:
    rows = borough.rows_of(people / f"{REGISTER}.csv")
    for part, expected in ((2, "held"), (4, "held")):
        file = borough.write_rows(tmp_path / f"{part}.csv", rows[: len(rows) // part])
        borough.receive(office, file, REGISTER, COUNCIL)
        held = shared(office)
        assert held["state"] == expected, held
        office.must(*("accept", str(held["release"]), "--reason", "It is so.", "--as", "april"))
        assert shared(office)["state"] == "forwarded"


def test_the_memory_is_sealed_and_a_changed_one_stops_the_release(office: Office) -> None:
    (memory,) = (office.data / "memories").glob("*.mem")
    content = bytearray(memory.read_bytes())
    assert STUDY.encode() not in content
    content[len(content) // 2] ^= 1
    memory.write_bytes(content)
    for _ in ("changed", "gone"):
        answer = office.run(*SHARE, "--to", str(office.home / "outbox"), "--json")
        assert json.loads(answer.out)["error"]["code"] == "store/memory-changed"
        memory.unlink(missing_ok=True)
