"""A lead sees what a draft would change before anybody approves it; nobody sees one person."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters import jobs
from gateway.adapters.database import Database
from gateway.adapters.jobs import Job, JobKind, JobState
from gateway.adapters.settings import Settings
from gateway.service.worker import Terms, work
from tests.journeys import borough
from tests.journeys.office import Office
from tests.web.office import Browser
from tests.web.test_workshop import PAYLOAD, STUDY, begun, field, said

Clients = Callable[[str], Browser]


@pytest.fixture
def stored(office: Office, tmp_path: Path) -> Office:
    """An office that holds the extracts of the study."""
    people = borough.borough(tmp_path / "people", 1_500)
    with office.open():
        for dataset, party in borough.EXTRACTS:
            borough.receive(office, people / f"{dataset}.csv", dataset, party)
    return office


def finished(data: Settings, address: str) -> Job:
    """The job behind an address, done by a real worker."""
    stop, pause = threading.Event(), threading.Event()
    terms = Terms(kinds=(JobKind.PREVIEW,))
    worker = threading.Thread(target=work, args=(data, terms, stop))
    worker.start()
    database = Database(data.database_url)
    try:
        for _ in range(1_200):
            with database.read() as connection:
                found = jobs.find(connection, address.rpartition("/")[2])
            if found.state in (JobState.DONE, JobState.FAILED):
                return found
            pause.wait(0.1)
        raise AssertionError("the worker did not come to an end")
    finally:
        stop.set()
        worker.join()
        database.close()


def previewed(data: Settings, editor: Browser, draft: str, revision: str) -> Job:
    answer = editor.post(f"/drafts/{draft}/preview", data={"revision": revision})
    assert answer.status_code == 303, answer.text
    return finished(data, answer.location)


def test_an_editor_previews_a_draft_and_an_approver_reads_it(
    stored: Office, data: Settings, client_as: Clients
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    editor.post(f"/drafts/{draft}/field/{STUDY}/{PAYLOAD}", data=field(revision="1"))
    assert "Preview its impact" in editor.get(f"/drafts/{draft}").text
    job = previewed(data, editor, draft, "2")
    assert job.state is JobState.DONE, job.code
    told: dict[str, Any] = {each["purpose"]: each for each in job.outcome["purposes"]}
    assert told[STUDY]["state"] == "changed", told[STUDY]
    assert "intensity" in told[STUDY]["new_fields"]
    for reader in (editor, client_as("approver")):
        page = said(reader.get(f"/jobs/{job.id}").text)
        assert "With the draft" in page
        assert "No recipient has ever received" in page
        assert "Groups of too few families" in page
        assert f"/jobs/{job.id}" in reader.get(f"/drafts/{draft}").text


def test_a_preview_of_a_draft_that_was_saved_again_is_refused(
    stored: Office, data: Settings, client_as: Clients
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    editor.post(f"/drafts/{draft}/field/{STUDY}/{PAYLOAD}", data=field(revision="1"))
    job = previewed(data, editor, draft, "1")
    assert job.outcome["refusal"][0]["code"] == "policy/draft-moved"
    assert "It was not previewed" in editor.get(f"/jobs/{job.id}").text


def test_only_an_editor_asks_for_a_preview(client_as: Clients) -> None:
    draft = begun(client_as("editor"))
    for role in ("approver", "release-officer", "auditor"):
        answer = client_as(role).post(f"/drafts/{draft}/preview", data={"revision": "1"})
        assert answer.status_code == 403, role
