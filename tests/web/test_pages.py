"""The pages without a browser: who sees what, and what never shows."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from gateway.adapters import jobs, uploads
from gateway.adapters.settings import Settings
from gateway.web import states, words
from gateway.web.desk import desk_of
from gateway.web.pages import uploading
from tests.journeys import borough
from tests.journeys.office import Office
from tests.web import office as offices
from tests.web.office import COUNCIL, POLICE, Browser

Clients = Callable[[str], Browser]
CELL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def sent(office_template: Office, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """An office to which the police and the council have sent a file each; one is bad."""
    home = tmp_path_factory.mktemp("sent")
    people = borough.borough(home / "people", 600)
    made = offices.copied(office_template, home / "office")
    lines = (people / "police_incidents.csv").read_text("utf-8").splitlines()
    (home / "bad.csv").write_text(
        "\n".join(
            [lines[0], *(_undated(line) if i % 2 else line for i, line in enumerate(lines[1:]))]
        )
    )
    with made.open():
        borough.receive(made, people / "family_register.csv", "family_register", COUNCIL)
        told = made.run(
            "receive", str(home / "bad.csv"), "--dataset", "police_incidents", "--from", POLICE
        )
        assert told.code == 4
    return made


@pytest.fixture
def office(sent: Office, tmp_path: Path) -> Office:
    return offices.copied(sent, tmp_path / "office")


def _undated(line: str) -> str:
    return re.sub(r"\d{4}-\d\d-\d\d", "soon", line)


def extract_of(client: Browser, address: str) -> str:
    found = re.search(rf'href="{address}/(extract-[a-z0-9]+)"', client.get(address).text)
    assert found
    return found[1]


def test_a_partner_sees_its_own_files_and_no_others(client_as: Clients) -> None:
    police, council = client_as("uploader"), client_as("uploader-2")
    theirs = extract_of(council, "/sent")
    assert council.get(f"/sent/{theirs}").status_code == 200
    foreign, unknown = police.get(f"/sent/{theirs}"), police.get("/sent/extract-none")
    assert foreign.status_code == unknown.status_code == 404
    assert _without_token(foreign) == _without_token(unknown)
    assert police.get(f"/sent/{theirs}/rows.csv").status_code == 404


def test_a_replaced_file_names_the_one_that_releases_read_and_is_not_called_used(
    client_as: Clients, office: Office, tmp_path: Path
) -> None:
    council, rosa = client_as("uploader-2"), client_as("release-officer")
    first = extract_of(council, "/sent")
    rows = borough.rows_of(borough.borough(tmp_path / "people", 600) / "family_register.csv")
    taken = []
    with office.open():
        for number in (1, 2, 3):
            later = borough.write_rows(tmp_path / f"{number}.csv", rows[:-number])
            told = borough.receive(office, later, "family_register", COUNCIL)
            taken.append(told["extract"])
    for page in (council.get(f"/sent/{first}").text, rosa.get(f"/extracts/{first}").text):
        read = page.partition("Releases read")[2].partition("</a>")[0]
        assert taken[-1] in read, "not the next one, which was replaced in its turn"
        assert "not used any more" in page
        assert "will be used" not in page
    assert "File accepted" not in council.get(f"/sent/{first}").text
    assert "File accepted" in council.get(f"/sent/{taken[-1]}").text


def _without_token(page: TestResponse) -> str:
    return re.sub(r'value="[0-9a-f]{64}"', "", page.text)


def test_findings_name_rows_columns_and_remedies_and_no_value(client_as: Clients) -> None:
    police = client_as("uploader")
    page = police.get(f"/sent/{extract_of(police, '/sent')}").text
    assert "Your file was not accepted" in page
    assert "Not a real date" in page
    assert "Agreed: Date, like 2026-03-31" in page
    assert "soon" not in page


def test_the_row_list_has_numbers_columns_and_rules(client_as: Clients) -> None:
    police = client_as("uploader")
    answer = police.get(f"/sent/{extract_of(police, '/sent')}/rows.csv")
    head, first, *_ = answer.text.splitlines()
    assert answer.headers["Content-Disposition"].endswith('-rows.csv"')
    assert head == "row,column,rule"
    assert re.fullmatch(r"2,[a-z_]+,[a-z_]+\.date", first)


def test_what_is_asked_names_clause_purpose_and_what_is_never_shared(client_as: Clients) -> None:
    page = client_as("uploader").get("/send/police_incidents").text
    assert "leaves as a ten-year age band (clause 6.3(a)i)" in page
    assert "Narrative is never needed" in page
    assert "leaves for no purpose" in page


def test_a_dataset_of_others_and_one_that_is_not_there_are_answered_alike(
    client_as: Clients,
) -> None:
    police = client_as("uploader")
    foreign, unknown = police.get("/send/school_attendance"), police.get("/send/nothing")
    assert foreign.status_code == unknown.status_code == 404
    assert _without_token(foreign) == _without_token(unknown)


def test_a_form_without_scripts_brings_the_very_bytes(
    client_as: Clients, data: Settings, app: Flask, sent: Office
) -> None:
    police = client_as("uploader")
    body = b"a,b\r\n" + bytes(range(256)) * 1500 + b"\r\n--not-the-boundary\r\n"
    answer = _posted(police, body)
    assert answer.status_code == 303
    upload = answer.headers["Location"].rpartition("/")[2]
    assert _opened(data, app, upload) == body
    assert "Your file is being checked" in police.get(answer.headers["Location"]).text
    assert client_as("uploader-2").get(answer.headers["Location"]).status_code == 404


def _posted(client: Browser, body: bytes, name: str = "mine.csv") -> TestResponse:
    page = client.get("/send/police_incidents/file").text
    action = re.search(r'action="(/send/[^"]+)"', page)
    assert action
    form = {"csrf_token": "not read", "file": (io.BytesIO(body), name)}
    return client.post(action[1], data=form, content_type="multipart/form-data")


def _opened(data: Settings, app: Flask, upload: str) -> bytes:
    from gateway.adapters.keyring import open_ring

    ring = open_ring(data)
    ring.unlock()
    with uploads.opened(data, ring, upload) as source:
        return source.read()


def test_no_file_an_empty_one_and_one_that_breaks_off_are_said(client_as: Clients) -> None:
    police = client_as("uploader")
    assert "Choose the file that you want to send" in _posted(police, b"", name="").text
    assert "The file is empty" in _posted(police, b"").text
    assert "did not arrive whole" in _broken_off(police).text


def _broken_off(client: Browser) -> TestResponse:
    page = client.get("/send/police_incidents/file").text
    action = re.search(r'action="(/send/[^"]+)"', page)
    assert action
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f.csv"\r\n\r\n'
    return client.post(
        action[1], data=part + b"a,b\r\n1,2", content_type="multipart/form-data; boundary=x"
    )


def test_nothing_of_a_broken_form_stays_or_is_checked(client_as: Clients, app: Flask) -> None:
    police = client_as("uploader")
    _broken_off(police)
    with desk_of(app).database.read() as connection:
        assert jobs.listed(connection) == []
    assert list((desk_of(app).settings.data / "uploads").rglob("*.age*")) == []


def test_a_party_sees_its_unfinished_files_and_ends_them_and_no_others(
    client_as: Clients, app: Flask
) -> None:
    police, council = client_as("uploader"), client_as("uploader-2")
    with app.app_context():
        begun = uploading.uploads().create(
            dataset="police_incidents", party=POLICE, by="police-nightly", length=900
        )
    address = f"/uploads/{begun.id}/end"
    assert address in police.get("/send").text
    assert "Unfinished files" not in council.get("/send").text
    assert council.post(address).status_code == 404
    assert police.post(address).status_code == 303
    assert "Unfinished files" not in police.get("/send").text


def test_every_page_of_a_list_is_reachable_and_nonsense_is_the_first(client_as: Clients) -> None:
    team = client_as("analyst")
    for address in ("/extracts", "/releases", "/jobs"):
        for asked in ("", "?page=2", "?page=-1", "?page=x", "?page=99999999999"):
            assert team.get(address + asked).status_code == 200, address + asked


def test_the_release_pages_rehearse_before_they_release(client_as: Clients, app: Flask) -> None:
    officer = client_as("release-officer")
    assert officer.post("/releases/new", data={}).status_code == 422
    assert officer.post("/releases/new", data={"what": CELL}).status_code == 422
    asked = {"what": f"{borough.AGREEMENT}/{borough.STUDY}"}
    there = officer.post("/releases/new", data=asked).headers["Location"]
    job = there.rpartition("/")[2]
    assert "Waiting for a worker" in officer.get(there).text
    # Its rehearsal is not over: there is nothing to check, and nothing to run.
    assert officer.get(f"/releases/new/{job}").status_code == 400
    assert officer.post(f"/releases/new/{job}").status_code == 400
    with desk_of(app).database.read() as connection:
        assert [each.kind for each in jobs.listed(connection)] == ["rehearse"]


def test_only_a_release_officer_asks_for_a_release(client_as: Clients) -> None:
    for role in ("analyst", "auditor", "editor", "approver"):
        assert client_as(role).get("/releases").status_code == 200
        assert client_as(role).get("/releases/new").status_code == 403
        assert client_as(role).post("/releases/new", data={}).status_code == 403
    assert client_as("uploader").get("/releases").status_code == 403


def test_a_role_that_may_not_is_told_so_in_words_for_people(client_as: Clients) -> None:
    told = client_as("uploader").get("/releases").text
    assert "Your role may not see this page." in told
    assert "access/not-permitted" in told
    for leaked in ("release-read", "analyst", "Roles that may"):
        assert leaked not in told


def test_a_recipients_person_is_told_what_the_account_is_for(client_as: Clients) -> None:
    assert "Your account is of a recipient." in client_as("recipient").get("/").text


def test_room_is_said_in_lower_case() -> None:
    assert [words.size(each) for each in (0, 1, 10)] == ["0 bytes", "1 byte", "10 bytes"]
    assert words.size(1_200_000) == "1.2 MB"


def test_text_of_documents_and_addresses_is_inert(client_as: Clients) -> None:
    team = client_as("analyst")
    for address in (f"/extracts/{CELL}", f"/releases/{CELL}", f"/jobs/{CELL}", f"/{CELL}"):
        answer = team.get(address)
        assert answer.status_code == 404
        assert CELL not in answer.text


def test_no_page_has_scripts_or_styles_of_its_own(client_as: Clients) -> None:
    police, team = client_as("uploader"), client_as("release-officer")
    pages = [police.get(each) for each in ("/", "/send", "/send/police_incidents/file", "/sent")]
    pages += [team.get(each) for each in ("/", "/extracts", "/releases", "/releases/new", "/jobs")]
    for page in pages:
        assert page.status_code == 200
        assert (
            re.findall(r"<script(?![^>]* src=)[^>]*>|<style|\sstyle=|\son[a-z]+=", page.text) == []
        )
        assert re.findall(r'(?:src|href)="(?:https?:)?//', page.text) == []
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_a_problem_is_a_page_for_people_and_a_document_for_machines(app: Flask) -> None:
    stranger = app.test_client()
    page, document = stranger.get("/nothing-here"), stranger.get("/api/nothing-here")
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert "Page not found" in page.text
    assert (document.status_code, document.mimetype) == (404, "application/problem+json")


@pytest.mark.parametrize("path", ["/api/v1//extracts", "/agreements//new"])
def test_no_stranger_chooses_where_a_redirect_leads(app: Flask, path: str) -> None:
    answer = app.test_client().get(path, headers={"Host": "elsewhere.example"})
    assert answer.status_code == 404
    assert "elsewhere.example" not in answer.headers.get("Location", "")


def test_nobody_is_said_to_have_signed_what_a_person_typed() -> None:
    assert "portal" in states.RELEASES["acknowledged"].meaning


def test_every_state_has_its_words() -> None:
    from gateway.adapters.jobs import JobKind, JobState
    from gateway.adapters.release_store import ReleaseState
    from gateway.adapters.uploads import UploadState
    from gateway.model.words import Withheld

    assert set(JobState) <= set(states.JOBS)
    assert set(JobKind) <= set(states.JOB_KINDS)
    assert set(ReleaseState) <= set(states.RELEASES)
    assert set(UploadState) <= set(states.UPLOADS)
    assert set(Withheld) <= set(states.WITHHELD)
    assert set(states.EXTRACTS) == {"accepted", "quarantined", "rejected", "destroyed"}
