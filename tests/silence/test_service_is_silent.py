"""A canary sent to a running service by every way in shows nowhere: no answer, log, count or file.

The service is a real `gateway serve` at its most talkative. The canary comes in files that
are accepted, quarantined and refused, and then in every path, query, header and body of
every route, as a stranger, as a partner's program and as staff.

Source: security points 10, 12, 19 and 21; style rule 11.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
import sqlalchemy as sa

from gateway.adapters.database import Database
from gateway.adapters.jobs import JobKind
from gateway.web import create_app
from gateway.web.cookies import SESSION
from gateway.web.desk import desk_of
from gateway.web.route_table import Route, stated
from tests.journeys import borough
from tests.journeys.office import Office
from tests.service import serving
from tests.service.partner import Partner
from tests.service.serving import Service
from tests.silence.canary import CANARY, register, row, sightings, sightings_below
from tests.silence.test_receive_is_silent import EVERY, FILES
from tests.web import office as offices

ROUTES = stated()
WHO = ("", *offices.LOGINS, "machine")
SENT = ("every detail spoilt", "spoilt in most rows", "not a table", "a ragged row")
SAID = f"{CANARY['forename']} {CANARY['surname']} {CANARY['nhs_number']} {CANARY['postcode']}"


@dataclass
class Stage:
    """The running service, what is known in it by now, and how to come in as somebody."""

    service: Service
    office: Office
    ids: Mapping[str, str]
    headers: Mapping[str, Mapping[str, str]]
    client: httpx.Client

    def ask(self, who: str, route: Route, *, named: bool) -> httpx.Response:
        """Ask a route with the canary in everything that a caller may choose."""
        path = re.sub(
            r"<(?:[^<>:]+:)?([^<>]+)>", lambda part: self._part(part[1], named), route.path
        )
        headers = {
            **self.headers[who],
            "User-Agent": CANARY["surname"],
            "Referer": f"{self.service.url}/?{CANARY['nino']}",
            "X-Forwarded-For": CANARY["postcode"],
            "X-Request-Id": CANARY["nhs_number"],
            "Idempotency-Key": CANARY["person_id"],
            "Upload-Metadata": f"filename {CANARY['forename']}",
            "Accept-Language": CANARY["surname"],
        }
        self.client.cookies.clear()
        return self.client.request(
            route.method,
            f"{self.service.url}{path}",
            params={"q": SAID, "page": CANARY["nhs_number"], "dataset": CANARY["surname"]},
            headers=headers,
            content=b"" if route.method == "GET" else self._body(headers, route.path),
        )

    def _part(self, name: str, named: bool) -> str:
        return quote(SAID, safe="") if named else self.ids.get(name, "nothing-there")

    def _body(self, headers: dict[str, str], path: str) -> bytes:
        names = (
            "login",
            "password",
            "code",
            "purpose",
            "agreement",
            "dataset",
            "note",
            "policy_digest",
            *CANARY,
        )
        said = {**dict.fromkeys(names, SAID), **CANARY}
        if path.startswith("/api/"):
            headers["Content-Type"] = "application/json"
            return json.dumps(said).encode()
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return "&".join(f"{name}={quote(value)}" for name, value in said.items()).encode()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("silent")
    office = offices.built(home / "office")
    people = borough.borough(home / "people", 1500)
    with serving.serving(office, GATEWAY_LOG_LEVEL="debug") as service:
        ids = taken_in(service, office, people)
        with httpx.Client(timeout=60) as client:
            yield Stage(service, office, ids, callers(office, service), client)


def taken_in(service: Service, office: Office, people: Path) -> dict[str, str]:
    """Send the canary in files of all kinds, object as the canary, run a release."""
    partner = Partner(service.url, offices.MACHINES[offices.COUNCIL][0])
    register_file = (people / "family_register.csv").read_bytes().rstrip(b"\n")
    columns = register_file.split(b"\n", 1)[0].decode().split(",")
    good = register_file + b"\n" + row_in(columns) + b"\n"
    files = [("family_progress", (people / "family_progress.csv").read_bytes())]
    files += [("family_register", FILES[name]) for name in SENT] + [("family_register", good)]
    for dataset, content in files:
        upload = partner.send(content, dataset)
        told = serving.until(
            lambda upload=upload: partner.upload(upload),
            lambda each: each["state"] in ("done", "failed"),
        )
    assert told["state"] == "done", told
    asked = {"forename": CANARY["forename"], "surname": CANARY["surname"]}
    asked |= {"date_of_birth": CANARY["dob"], "nhs_number": CANARY["nhs_number"]}
    given = "".join(f"{name}: {value}\n" for name, value in asked.items())
    with office.open():
        office.must("object", "--purpose", borough.STUDY, given=given)
    job = serving.ask(office, JobKind.SHARE)
    done = serving.finished(office, job)
    assert done.outcome["state"] == "forwarded", done
    ids = {"upload": upload, "extract": told["extract"], "job": job}
    ids |= {"release": done.outcome["release"], "dataset": "family_register"}
    return ids | {"agreement": borough.AGREEMENT, "purpose": borough.STUDY}


def row_in(columns: list[str]) -> bytes:
    """The canary's row in the order of a file's own columns."""
    header, line = register([row()]).decode().splitlines()[0], row()
    cells = dict(zip(header.split(","), line.split(","), strict=True))
    return ",".join(cells.get(name, "") for name in columns).encode()


def callers(office: Office, service: Service) -> dict[str, dict[str, str]]:
    """The headers by which each caller is known."""
    app = create_app(offices.settings_of(office), passwords=offices.CHEAP)
    told: dict[str, dict[str, str]] = {"": {}}
    try:
        for role in offices.LOGINS:
            browser = offices.signed_in(app, offices.LOGINS[role])
            cookie = browser.get_cookie(SESSION)
            assert cookie is not None
            told[role] = {"Cookie": f"{SESSION}={cookie.value}", "X-CSRF-Token": browser.token}
            told[role]["Origin"] = service.url
    finally:
        desk_of(app).database.close()
    told["machine"] = offices.bearer(service.url, offices.MACHINES[offices.COUNCIL][0])
    return told


@pytest.mark.parametrize("who", WHO)
def test_no_answer_repeats_a_detail_whatever_was_sent_and_whoever_asks(
    stage: Stage, who: str
) -> None:
    shown = {}
    statuses = set()
    # Signing out comes last: it would make a stranger of whoever asks.
    # What an editor types into a draft is kept as typed, and shown: it is to govern.
    asked = [each for each in ROUTES if who != "editor" or each.method == "GET"]
    for route in sorted(asked, key=lambda each: "out" in each.path):
        for named in (False, True):
            answer = stage.ask(who, route, named=named)
            statuses.add(answer.status_code)
            told = answer.content + repr(answer.headers.multi_items()).encode()
            assert answer.status_code < 500, (route.method, route.path, answer.text[:300])
            if found := sightings(told, EVERY):
                shown[f"{route.method} {route.path} {named}"] = found
    assert shown == {}
    assert statuses & {200, 303, 401, 403}


def test_no_line_of_the_log_and_no_count_shows_a_detail(stage: Stage) -> None:
    said = stage.service.said()
    events = {json.loads(line)["event"] for line in said.splitlines() if line.startswith("{")}
    assert events >= {"answered", "job-begins", "job-ended", "process-ready"}
    assert [line for line in said.splitlines() if not line.startswith("{")] == []
    assert sightings(said, EVERY) == []
    status, counted = stage.service.get("/metrics")
    assert status == 200
    assert sightings(counted, EVERY) == []


def test_no_file_and_no_cell_of_the_database_shows_a_detail(stage: Stage) -> None:
    assert sightings_below(stage.office.data, EVERY) == []
    database = Database(serving.settings_of(stage.office).database_url)
    try:
        with database.read() as connection:
            for table in sa.inspect(connection).get_table_names():
                rows = connection.execute(sa.text(f'SELECT * FROM "{table}"')).all()
                assert sightings(repr([tuple(each) for each in rows]), EVERY) == [], table
    finally:
        database.close()


def test_the_canary_was_really_taken_in(stage: Stage) -> None:
    """Silence is easy for a service that takes nothing in."""
    database = Database(serving.settings_of(stage.office).database_url)
    with database.read() as connection:
        states = set(connection.execute(sa.text("SELECT state FROM extracts")).scalars())
    database.close()
    assert states >= {"accepted", "rejected"}
