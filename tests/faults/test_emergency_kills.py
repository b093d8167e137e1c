"""An emergency disclosure that dies half way: the next word finishes it, and one package leaves.

Source: security points 15 and 23; requirement R29.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import kills, soundness
from tests.journeys import borough, urgent
from tests.journeys.office import Office

KILLS = 5


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


def left(office: Office) -> Counter[str]:
    """How often each package was forwarded."""
    return Counter(
        facts["package"] for facts in soundness.ledger_facts(office, "package-forwarded")
    )


def whole(office: Office, made: int) -> None:
    """As many disclosures as packages, each once, each recorded before it left."""
    disclosed = [
        facts["release"] for facts in soundness.ledger_facts(office, "emergency-disclosed")
    ]
    assert len(disclosed) == len(set(disclosed)) == made
    assert left(office) == Counter(f"{release}.disclosure" for release in disclosed)
    soundness.check_ledger(office)
    with urgent.tables(office) as connection:
        kept = connection.execute(urgent.EMERGENCIES.select()).mappings().all()
    assert [row["sealed"] for row in kept if row["state"] != "found"] == [None] * made


def test_a_confirmation_may_be_killed_at_any_moment(office: Office, people: Path) -> None:
    words = ("emergency", "confirm", "", "--as", "rosa", "--json")
    first = urgent.asked(office, urgent.somebody(people))
    length = kills.timed(office, (*words[:2], first, *words[3:]))
    urgent.file_reasons(office, first, "pia", "rosa")
    hit = 0
    for number, after in enumerate(kills.moments(KILLS, length), start=1):
        emergency = urgent.asked(office, urgent.somebody(people, number))
        hit += kills.killed(office, (*words[:2], emergency, *words[3:]), after)[0]
        (told,) = [
            e for e in office.ask("emergency", "list")["emergencies"] if e["id"] == emergency
        ]
        if told["state"] != "disclosed":
            answer = urgent.confirm(office, emergency)
            assert answer.code == 0, answer.out + answer.err
        else:
            office.run(*borough.SHARE)  # whatever runs next forwards what was recorded
        urgent.file_reasons(office, emergency, "pia", "rosa")
        whole(office, number + 1)
    assert hit >= 2


def test_two_who_confirm_at_once_send_one_package(office: Office, people: Path) -> None:
    emergency = urgent.asked(office, urgent.somebody(people))
    both = [
        office.apart("emergency", "confirm", emergency, "--as", name, "--json")
        for name in ("rosa", "percy", "rosa")
    ]
    for running in both:
        _out, err = running.communicate()
        soundness.without_traceback(err)
    assert any(running.returncode == 0 for running in both)
    whole(office, 1)
    (told,) = office.ask("emergency", "list")["emergencies"]
    assert {each["person"] for each in told["reasons"]} == {"pia", told["confirmed_by"]}
