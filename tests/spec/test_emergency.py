"""What the notices say of telling without asking: "to protect you or others from harm".

Source: privacy notice (Trafford); requirement R29; agreements, clause 8.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys import borough, urgent
from tests.journeys.office import Office
from tests.silence.canary import sightings_below


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return urgent.people_of(tmp_path_factory.mktemp("borough"))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, people: Path) -> Office:
    return urgent.founded(tmp_path_factory.mktemp("urgent") / "office", people)


@pytest.fixture
def office(template: Office, tmp_path: Path) -> Iterator[Office]:
    with borough.copied(template, tmp_path / "office").open() as opened:
        yield opened


def test_to_protect_you_or_others_from_harm_we_may_tell_those_who_protect(
    office: Office, people: Path, tmp_path: Path
) -> None:
    """Even where you objected: one of us asks, another agrees, and only they learn of it."""
    row = urgent.somebody(people)
    emergency = urgent.asked(office, row)
    alone = urgent.confirm(office, emergency, by="pia")
    assert alone.document["error"]["code"] == "emergency/same-person"
    told = urgent.confirm(office, emergency).document
    (left,) = urgent.opened(office, told, tmp_path / "mash")
    assert left["surname"] == row["surname"]
    assert [path.parent.name for path in (office.data / "outbox").rglob("*.gwp")] == [urgent.MASH]


def test_we_tell_only_the_minimum_and_only_about_you(office: Office, people: Path) -> None:
    told = urgent.disclosed(office, urgent.somebody(people))
    release = office.ask("releases", told["release"], "--as", "rita")
    assert (release["record"]["received"], release["record"]["forwarded"]) == (1, 1)
    assert [package["rows"] for package in release["packages"]] == [1]


def test_we_write_down_why_and_answer_for_it(office: Office, people: Path) -> None:
    told = urgent.disclosed(office, urgent.somebody(people))
    assert {each["person"] for each in told["reasons"]} == {"pia", "rosa"}
    assert office.run(*borough.SHARE, "--json").code == 3
    urgent.file_reasons(office, told["id"], "pia", "rosa")
    seen = office.ask("emergency", "seen", told["id"], "--as", "aude")
    assert set(seen["read"]) == {"pia", "rosa"}


def test_nobody_else_can_read_it_anywhere(office: Office, people: Path) -> None:
    """Neither while it waits nor after: not in a file, not in the ledger, not in an answer."""
    row = urgent.somebody(people, 1)
    waiting = urgent.asked(office, row)
    details = {"risk": urgent.RISK, "contact": urgent.CONTACT, "number": row["nhs_number"]}
    assert list(sightings_below(office.data, details)) == []
    answer = urgent.confirm(office, waiting)
    assert answer.code == 0, answer.out + answer.err
    assert list(sightings_below(office.data, details)) == []
    for value in details.values():
        assert value not in answer.out + answer.err
