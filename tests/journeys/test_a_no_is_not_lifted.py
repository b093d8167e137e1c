"""A partner's newer file does not take back what an earlier one said against sharing."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys import borough
from tests.journeys.borough import COUNCIL, SHARE, STUDY
from tests.journeys.office import Office

REGISTER = "family_register"
DETAILS = {
    "forename": "forename",
    "surname": "surname",
    "dob": "date_of_birth",
    "postcode": "postcode",
    "nhs_number": "nhs_number",
    "sex": "sex",
}


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return borough.borough(tmp_path_factory.mktemp("people"), 3_000)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, people: Path) -> Office:
    return borough.ready(tmp_path_factory.mktemp("no") / "office", people)


@pytest.fixture
def office(template: Office, tmp_path: Path) -> Iterator[Office]:
    made = borough.copied(template, tmp_path / "office")
    with made.open():
        yield made


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def written(file: Path, rows: list[dict[str, str]]) -> Path:
    with file.open("w", newline="", encoding="utf-8") as opened:
        out = csv.DictWriter(opened, list(rows[0]))
        out.writeheader()
        out.writerows(rows)
    return file


def said_no(office: Office) -> int:
    """How many people a first release leaves out for a "no" of their own."""
    told = office.ask(*SHARE, "--to", str(office.home / "outbox"))
    assert told["state"] == "forwarded", told
    counts = told["conservation"]["withheld"]
    return int(counts.get("opted-out", 0)) + int(counts.get("objected", 0))


@pytest.fixture(scope="module")
def as_sent(template: Office, tmp_path_factory: pytest.TempPathFactory) -> int:
    made = borough.copied(template, tmp_path_factory.mktemp("sent") / "office")
    with made.open():
        return said_no(made)


def test_a_file_in_which_nobody_says_no_any_more_lifts_nothing(
    office: Office, people: Path, tmp_path: Path, as_sent: int
) -> None:
    assert as_sent > 0
    rows = rows_of(people / f"{REGISTER}.csv")
    for word in ("NONE", "CONSENT"):
        more = [row | {"participation": word} for row in rows]
        borough.receive(office, written(tmp_path / f"{word}.csv", more), REGISTER, COUNCIL)
    assert said_no(office) == as_sent


@pytest.mark.parametrize("lifted", [False, True])
def test_a_rights_officer_lifts_it_for_one_person_by_a_later_consent(
    office: Office, people: Path, tmp_path: Path, as_sent: int, lifted: bool
) -> None:
    rows = rows_of(people / f"{REGISTER}.csv")
    one = next(
        row
        for row in rows
        if (row["participation"], row["programme_arm"]) == ("NONE", "PROG")
        and row["nhs_number"]
        and sum(row["nhs_number"] == other["nhs_number"] for other in rows) == 1
    )
    said = {told: one[name] for name, told in DETAILS.items() if one.get(name)}
    identity = "".join(f"{name}: {value}\n" for name, value in said.items())
    consent = ("object", "--purpose", STUDY, "--kind", "consent", "--as", "rita")
    # A consent from before they said no lifts nothing.
    office.must(*consent, given=identity)
    for word in ("OPTOUT", "NONE"):
        more = [row | ({"participation": word} if row is one else {}) for row in rows]
        borough.receive(office, written(tmp_path / f"{word}.csv", more), REGISTER, COUNCIL)
    if lifted:
        office.must(*consent, given=identity)
    assert said_no(office) == as_sent + (0 if lifted else 1)
