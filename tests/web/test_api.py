"""The API from a file to its receipt, and from a purpose to a rehearsal, as each caller sees it."""

from __future__ import annotations

import base64
import io
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from gateway.adapters import receipts
from gateway.adapters.jobs import JobKind
from gateway.adapters.keyring import open_ring
from gateway.adapters.settings import Settings
from gateway.adapters.trust_export import sender_descriptor
from gateway.errors import IntegrityError
from gateway.sealing import MANIFEST_TYP, parse_trust, sign_compact
from gateway.service.worker import Terms, work
from gateway.web import create_app
from gateway.web.desk import desk_of
from tests.journeys import borough
from tests.journeys.office import Office
from tests.web import office as offices
from tests.web.office import COUNCIL, POLICE, Browser, Machine, signed_in

DATASET = "family_register"
STUDY = {"purpose": "national-impact-study", "agreement": "trafford-stronger-families"}
CANARY = "Zebedeecanary"
KINDS = (JobKind.CHECK,)


@pytest.fixture(scope="module")
def home(office_template: Office, tmp_path_factory: pytest.TempPathFactory) -> Office:
    return offices.copied(office_template, tmp_path_factory.mktemp("api") / "office")


@pytest.fixture(scope="module")
def settings(home: Office) -> Settings:
    return offices.settings_of(home)


@pytest.fixture(scope="module")
def app(settings: Settings) -> Iterator[Flask]:
    """The application, and a real worker that does what it asks for."""
    stop = threading.Event()
    worker = threading.Thread(target=work, args=(settings, Terms(kinds=KINDS), stop))
    worker.start()
    made = create_app(settings, passwords=offices.CHEAP)
    yield made
    stop.set()
    worker.join()
    desk_of(made).database.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An extract of the council with two rows that cannot be taken in."""
    people = borough.borough(tmp_path_factory.mktemp("people"), 300)
    rows = borough.rows_of(people / f"{DATASET}.csv")
    date = next(name for name in rows[0] if "birth" in name or name == "dob")
    for row in rows[:2]:
        row[date] = CANARY
    return borough.write_rows(people / "bad.csv", rows).read_bytes()


def waited(ask: Machine | Browser, job: str) -> Any:
    """A job that is over."""
    for _ in range(1200):
        told = ask.get(f"/api/v1/jobs/{job}").get_json()
        if told["state"] in {"done", "failed"}:
            return told
        time.sleep(0.1)
    raise AssertionError(told)


@pytest.fixture(scope="module")
def council(app: Flask) -> Machine:
    return Machine(app, offices.MACHINES[COUNCIL][0], COUNCIL)


@pytest.fixture(scope="module")
def extract(council: Machine, file: bytes) -> str:
    """The extract that the file became."""
    sent = council.post(f"/api/v1/extracts?dataset={DATASET}", data=file)
    assert sent.status_code == 202, sent.data
    done = waited(council, sent.get_json()["job"])
    assert done["state"] == "done", done
    told = council.get(sent.headers["Location"]).get_json()
    assert (told["state"], told["extract"]) == ("done", done["outcome"]["extract"])
    return str(told["extract"])


def test_a_partner_reads_what_came_of_its_file(council: Machine, extract: str) -> None:
    told = council.get(f"/api/v1/extracts/{extract}").get_json()
    assert (told["dataset"], told["party"]) == (DATASET, COUNCIL)
    assert told["rows"] == told["accepted"] + told["quarantined"]
    assert any(finding["rows"] == 2 for finding in told["findings"])
    listed = council.get("/api/v1/extracts?limit=5").get_json()["extracts"]
    assert extract in [each["extract"] for each in listed]


def test_the_list_of_failing_rows_holds_no_value(council: Machine, extract: str) -> None:
    answer = council.get(f"/api/v1/extracts/{extract}/rows")
    assert answer.mimetype == "text/csv"
    lines = answer.get_data(as_text=True).splitlines()
    assert lines[0] == "row,column,rule"
    assert [line.partition(",")[0] for line in lines[1:3]] == ["1", "2"]
    assert CANARY.lower() not in answer.get_data(as_text=True).lower()


def test_a_partner_is_told_where_it_sees_its_own(council: Machine) -> None:
    told = council.get("/api/v1/extracts/ext-nothing").get_json()
    assert told["code"] == "store/unknown-extract"
    assert "GET /api/v1/extracts" in told["remedy"]
    assert "`" not in told["remedy"]


def test_another_partner_is_answered_as_if_there_were_none(
    app: Flask, extract: str, council: Machine
) -> None:
    police = Machine(app, offices.MACHINES[POLICE][0], POLICE)
    for rest in ("", "/rows", "/receipt"):
        theirs = police.get(f"/api/v1/extracts/{extract}{rest}")
        none = police.get(f"/api/v1/extracts/extract-nothing{rest}")
        assert (theirs.status_code, theirs.data) == (404, none.data)
    assert extract not in police.get("/api/v1/extracts").get_data(as_text=True)
    sent = council.get("/api/v1/extracts").get_json()
    assert all(each["party"] == COUNCIL for each in sent["extracts"])


def test_the_data_team_sees_every_partys_and_the_editor_none(app: Flask, extract: str) -> None:
    seen = signed_in(app, offices.LOGINS["analyst"]).get(f"/api/v1/extracts/{extract}")
    assert seen.get_json()["party"] == COUNCIL
    editor = signed_in(app, offices.LOGINS["editor"])
    assert editor.get(f"/api/v1/extracts/{extract}").status_code == 403


def test_the_receipt_is_signed_and_verifies_by_the_descriptor(
    council: Machine, extract: str, settings: Settings
) -> None:
    answer = council.get(f"/api/v1/extracts/{extract}/receipt")
    signed = answer.get_data(as_text=True)
    assert answer.mimetype == "application/jose"
    ring = open_ring(settings)
    trust = parse_trust(sender_descriptor(ring))
    told = receipts.verify(signed, trust=trust)
    other = sign_compact(b"{}", typ=MANIFEST_TYP, signer=ring.signer("package-signing"))
    known = council.get(f"/api/v1/extracts/{extract}").get_json()
    for name in ("extract", "dataset", "party", "state", "rows", "accepted", "content_digest"):
        assert told[name] == known[name]
    head, body, signature = signed.split(".")
    changed = base64.urlsafe_b64decode(body + "==").replace(b'"rows":', b'"rows":1')
    forged = base64.urlsafe_b64encode(changed).rstrip(b"=").decode()
    for bad in (f"{head}.{forged}.{signature}", other, signed[:-4]):
        with pytest.raises(IntegrityError):
            receipts.verify(bad, trust=trust)


def test_the_command_verifies_a_receipt(
    council: Machine, extract: str, home: Office, tmp_path: Path
) -> None:
    receipt = tmp_path / "receipt.jws"
    receipt.write_bytes(council.get(f"/api/v1/extracts/{extract}/receipt").data)
    told = home.ask("receipt", str(receipt), "--trust", str(home.trust()))
    assert told["extract"] == extract
    receipt.write_bytes(receipt.read_bytes()[:-2])
    assert home.run("receipt", str(receipt), "--trust", str(home.trust())).code == 6


def test_the_same_post_with_the_same_key_is_done_once(council: Machine, file: bytes) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}
    path = f"/api/v1/extracts?dataset={DATASET}"
    first = council.post(path, data=file, headers=key)
    again = council.post(path, data=io.BytesIO(file), headers=key)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.get_json() == again.get_json()
    other = council.post(path, data=file + b"x", headers=key)
    assert (other.status_code, other.get_json()["code"]) == (422, "idempotency/other-request")
    waited(council, first.get_json()["job"])


def test_a_key_in_another_form_is_400(council: Machine) -> None:
    answer = council.post(
        f"/api/v1/extracts?dataset={DATASET}", data=b"x", headers={"Idempotency-Key": "short"}
    )
    assert (answer.status_code, answer.get_json()["code"]) == (400, "idempotency/key-form")


def test_an_upload_that_was_created_twice_under_one_key_is_one(council: Machine) -> None:
    named = base64.b64encode(DATASET.encode()).decode()
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": "5",
        "Upload-Metadata": f"dataset {named}",
        "Idempotency-Key": str(uuid.uuid4()),
    }
    places = {council.post("/api/v1/uploads", headers=headers).headers["Location"] for _ in "ab"}
    assert len(places) == 1
    other = council.post("/api/v1/uploads", headers=headers | {"Upload-Length": "6"})
    assert other.status_code == 422


def test_an_officer_rehearses_a_release(app: Flask, extract: str) -> None:
    officer = signed_in(app, offices.LOGINS["release-officer"])
    key = {"Idempotency-Key": str(uuid.uuid4())}
    wanted = STUDY | {"dry_run": True}
    asked = officer.post("/api/v1/releases", json=wanted, headers=key)
    assert asked.status_code == 202, asked.data
    again = officer.post("/api/v1/releases", json=wanted, headers=key)
    assert again.get_json() == asked.get_json()
    told = officer.get(asked.headers["Location"]).get_json()
    assert (told["job"], told["kind"]) == (asked.get_json()["job"], "rehearse")
    assert officer.get("/api/v1/releases").get_json() == {"releases": []}
    assert officer.get("/api/v1/releases/rel-none").status_code == 404


def test_only_an_officer_asks_for_a_release(app: Flask, council: Machine) -> None:
    assert council.post("/api/v1/releases", json=STUDY).status_code == 401
    for role in ("analyst", "editor", "uploader", "administrator"):
        asked = signed_in(app, offices.LOGINS[role]).post("/api/v1/releases", json=STUDY)
        assert asked.status_code == 403


def test_a_partner_sees_no_job_of_another(app: Flask, council: Machine, extract: str) -> None:
    officer = signed_in(app, offices.LOGINS["release-officer"])
    job = officer.post("/api/v1/releases", json=STUDY | {"dry_run": True}).get_json()["job"]
    hidden = council.get(f"/api/v1/jobs/{job}")
    none = council.get("/api/v1/jobs/job-none")
    assert (hidden.status_code, hidden.data) == (404, none.data)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"purpose": "a"}',
        b'{"purpose": "a", "agreement": "b", "Canary": 1}',
        b'{"purpose": "a", "agreement": "b", "dry_run": "yes"}',
        b'{"purpose": "a", "purpose": "b", "agreement": "b"}',
        b'{"purpose": "a", "agreement": "b", "on": "2026-01-01"}',
        b'{"purpose": "Canary Person", "agreement": "b"}',
        b"\xff\xfe",
        b"[" * 20000,
    ],
)
def test_a_document_that_is_not_described_is_400_and_not_repeated(app: Flask, body: bytes) -> None:
    officer = signed_in(app, offices.LOGINS["release-officer"])
    answer = officer.post("/api/v1/releases", data=body, content_type="application/json")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "request/malformed")
    assert b"anary" not in answer.data


def test_no_answer_log_or_stored_file_holds_a_persons_value(
    council: Machine, extract: str, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    answers = [
        council.get(f"/api/v1/extracts/{extract}{rest}").data for rest in ("", "/rows", "/receipt")
    ]
    answers += [council.get(path).data for path in ("/api/v1/extracts", "/api/openapi.json")]
    answers.append(council.get(f"/api/v1/extracts/{CANARY}").data)
    answers.append(council.get(f"/api/v1/jobs/{CANARY}").data)
    answers.append(council.get(f"/api/v1/{CANARY}?{CANARY}={CANARY}").data)
    answers.append(council.post(f"/api/v1/extracts?dataset={CANARY}", data=b"x").data)
    answers.append(council.post(f"/api/v1/releases?{CANARY}", json={CANARY: CANARY}).data)
    assert [a for a in answers if CANARY.lower().encode() in a.lower()] == []
    assert CANARY.lower() not in caplog.text.lower()
    home = Path(settings.data)
    stored = [path for path in home.rglob("*") if path.is_file() and path.suffix != ".age"]
    held = [path.name for path in stored if CANARY.lower().encode() in path.read_bytes().lower()]
    assert held == []
