"""An emergency disclosure through a running service shows its person nowhere but in the package.

Two people ask for, confirm and account for a disclosure of the canary over HTTP, with a
risk, a way to reach them and a reason that all name details of hers. Every page that
anybody may read at each step is searched, and the log at its most talkative, the
counts, every cell of the database and every file, on SQLite and on PostgreSQL, with all
that the server of that database keeps itself.

Source: security points 8, 12, 19 and 21; requirement R29; docs/adr/0299.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from gateway.adapters.database import Database
from gateway.web.route_table import stated
from tests.databases import Server, postgresql_server
from tests.journeys import borough, urgent
from tests.journeys.office import Office
from tests.service import serving
from tests.service.callers import Person, callers
from tests.service.serving import Service
from tests.silence.canary import CANARY, in_file, sightings, sightings_below
from tests.silence.test_service_is_silent import row_in
from tests.web import office as offices
from tests.web.test_emergency import MASH, state

__all__ = ["postgresql_server"]
TYPED = {
    "forename": CANARY["forename"],
    "surname": CANARY["surname"],
    "date_of_birth": CANARY["dob"],
    "nhs_number": CANARY["nhs_number"],
    "postcode": CANARY["postcode"],
    "risk_statement": f"Threats were heard at {CANARY['address_line1']}",
    "contact_route": f"Ask for {CANARY['lead_practitioner']}, duty desk",
}
# Who takes part, oversees or runs the place.
CONCERNED = ("pia", "rosa", "aude", "ada")
REASON = f"{CANARY['forename']} {CANARY['surname']} could not wait for the panel."
SEARCHED = {name: value for name, value in CANARY.items() if name != "house_no"}
# What is asked at each step, as everybody: whatever can be read.
READ = [each for each in stated() if each.method == "GET"]


@dataclass
class Stage:
    """The service, who works at it, and what was shown where it should not be."""

    service: Service
    office: Office
    people: Mapping[str, Person]
    known: dict[str, str] = field(default_factory=dict)
    shown: dict[str, list[str]] = field(default_factory=dict)
    asked: int = 0

    def look(self, step: str, *whose: str) -> None:
        """Read every page with what is known by now in its address; as everybody, or some."""
        for route in READ:
            path = re.sub(r"<(?:[^<>:]+:)?([^<>]+)>", self._part, route.path)
            for who in whose or self.people:
                self.searched(f"{step}: {who} {path}", self.people[who].get(path))

    def searched(self, where: str, answer: httpx.Response) -> httpx.Response:
        """Search one answer; a fault of the service is one of the test."""
        assert answer.status_code < 500, (where, answer.text[:300])
        told = answer.content + repr(answer.headers.multi_items()).encode()
        if found := sightings(told, SEARCHED):
            self.shown[where] = found
        self.asked += answer.status_code == 200
        return answer

    def _part(self, part: re.Match[str]) -> str:
        return self.known.get(part[1], "nothing-there")


@dataclass(frozen=True)
class Place:
    """Where the records lie: an address, and what its server has written since they began."""

    url: str
    written: Callable[[], Iterable[Path]]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    if request.param == "sqlite":
        yield Place("", tuple)
        return
    server: Server = request.getfixturevalue("postgresql_server")
    mark = tmp_path_factory.mktemp("begun") / "mark"
    mark.touch()
    url = server.create()
    yield Place(url, lambda: server.files_since(url, mark.stat().st_mtime))
    server.drop(url)


@pytest.fixture(scope="module")
def stage(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("urgent")
    people = urgent.people_of(home)
    register = people / "family_register.csv"
    columns = register.read_text().split("\n", 1)[0].split(",")
    register.write_bytes(register.read_bytes().rstrip(b"\n") + b"\n" + row_in(columns) + b"\n")
    office = offices.built(home / "office", database_url=place.url)
    urgent.prepare(office, people)
    with serving.serving(office, GATEWAY_LOG_LEVEL="debug") as service:
        known = callers(office, service)
        everybody = {who: Person(service.url, headers) for who, headers in known.items()}
        yield Stage(service, office, everybody, {"agreement": borough.AGREEMENT})


@pytest.fixture(scope="module")
def story(stage: Stage) -> str:
    """The disclosure from the first word to the overseer's; its id."""
    pia, rosa, aude = (stage.people[name] for name in ("pia", "rosa", "aude"))
    asked = stage.searched("asked", pia.post("/emergency/new", {"to": MASH, **TYPED}))
    assert asked.status_code == 303, asked.text
    emergency = asked.headers["Location"].rpartition("/")[2]
    stage.known["emergency"] = emergency
    _until(lambda: state(stage.office, emergency) != "asked")
    assert state(stage.office, emergency) == "found"
    stage.look("found", *CONCERNED)
    stage.searched("alone", pia.post(f"/emergency/{emergency}/confirm"))
    stage.searched("confirmed", rosa.post(f"/emergency/{emergency}/confirm"))
    _until(lambda: state(stage.office, emergency) != "confirmed")
    told = stage.office.ask("emergency", "list")["emergencies"][0]
    assert told["state"] == "disclosed", told
    stage.known |= {"release": told["release"], "package": told["packages"][0]}
    stage.look("disclosed", *CONCERNED)
    for person in (pia, rosa):
        long = stage.searched("no reason", person.post(_page(stage, "reason"), {"reason": ""}))
        assert long.status_code == 422
        filed = stage.searched("reason", person.post(_page(stage, "reason"), {"reason": REASON}))
        assert filed.status_code == 303
    assert stage.searched("seen", aude.post(_page(stage, "seen"))).status_code == 303
    stage.look("accounted for")
    return emergency


def test_no_page_at_any_step_shows_a_detail_to_anybody(stage: Stage, story: str) -> None:
    assert stage.shown == {}
    assert stage.asked > 300, "pages were really read"


def test_the_package_alone_holds_her(stage: Stage, story: str, tmp_path: Path) -> None:
    """Else the search would prove nothing: it was she who was disclosed."""
    every = stage.office.ask("emergency", "list")["emergencies"]
    (told,) = (each for each in every if each["id"] == story)
    (left,) = urgent.opened(stage.office, told, tmp_path / "mash")
    assert left["surname"] == CANARY["surname"]
    assert left["risk_statement"] == TYPED["risk_statement"]


def test_only_an_overseer_with_the_key_reads_the_reasons(stage: Stage, story: str) -> None:
    with stage.office.open():
        told = stage.office.must("emergency", "seen", story, "--as", "aude").out
    assert told.count(REASON) == 2


def test_a_form_that_is_turned_away_comes_back_to_its_sender_alone(
    stage: Stage, story: str
) -> None:
    again = stage.people["pia"].post("/emergency/new", {"to": MASH, **TYPED, "contact_route": ""})
    assert again.status_code == 422
    assert again.headers["Cache-Control"] == "no-store"
    assert sightings(again.content, SEARCHED)
    assert sightings(stage.people["pia"].get("/emergency/new").content, SEARCHED) == []


def test_another_spelling_of_her_is_told_to_nobody(stage: Stage, story: str) -> None:
    """A person who is not certainly found: the answer is the same sentence as for anybody."""
    pia = stage.people["pia"]
    other = {**TYPED, "date_of_birth": "1971-02-03"}
    asked = stage.searched("doubt", pia.post("/emergency/new", {"to": MASH, **other}))
    assert asked.status_code == 303, asked.text
    emergency = asked.headers["Location"].rpartition("/")[2]
    _until(lambda: state(stage.office, emergency) != "asked")
    assert state(stage.office, emergency) == "refused"
    page = stage.searched("doubt", pia.get(f"/emergency/{emergency}"))
    assert "Nobody in the stored extracts is certainly this person" in page.text
    assert stage.shown == {}


def test_no_line_of_the_log_and_no_count_shows_a_detail(stage: Stage, story: str) -> None:
    said = stage.service.said()
    lines = [json.loads(line) for line in said.splitlines()]
    kinds = {line.get("kind") for line in lines}
    assert kinds >= {"seek", "disclose"}
    assert sightings(said, SEARCHED) == []
    status, counted = stage.service.get("/metrics")
    assert status == 200
    assert sightings(counted, SEARCHED) == []


def test_no_cell_and_no_file_shows_a_detail(stage: Stage, story: str, place: Place) -> None:
    assert sightings_below(stage.office.data, SEARCHED) == []
    written = list(place.written())
    seen = [f"{path.name}: {name}" for path in written for name in in_file(path, SEARCHED)]
    assert seen == [], "the server's files, its logs among them"
    database = Database(serving.settings_of(stage.office).database_url)
    try:
        with database.read() as connection:
            tables = sa.inspect(connection).get_table_names()
            assert "emergencies" in tables
            for table in tables:
                rows = connection.execute(sa.text(f'SELECT * FROM "{table}"')).all()
                assert sightings(repr([tuple(each) for each in rows]), SEARCHED) == [], table
    finally:
        database.close()


def _page(stage: Stage, act: str) -> str:
    return f"/emergency/{stage.known['emergency']}/{act}"


def _until(so: Callable[[], bool]) -> None:
    serving.until(so, bool)
