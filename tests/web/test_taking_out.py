"""A recipient or a dataset that nothing needs any more is taken out as a whole, by two people."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.adapters import policy_removal, policy_store
from gateway.adapters.database import Database
from gateway.adapters.jobs import JobKind
from gateway.adapters.settings import Settings
from tests.web.office import Browser
from tests.web.test_new_agreement import worked
from tests.web.test_workshop import begun, said

Clients = Callable[[str], Browser]
SPARE = "recipients/greater-manchester-police-partnership.toml"
AGREEMENT = "trafford-stronger-families"


@pytest.fixture
def lead(client_as: Clients) -> Browser:
    """The governance lead, who writes."""
    return client_as("editor")


def take_out(lead: Browser, draft: str, kind: str, path: str, revision: str = "1") -> str:
    """The draft with a document taken out, or the page that says why not."""
    form = {"path": path, "revision": revision, "reason": "Nobody needs it any more."}
    answer = lead.post(f"/drafts/{draft}/documents/{kind}/remove", data=form)
    return "" if answer.status_code == 303 else said(answer.text)


@pytest.mark.parametrize(
    ("kind", "path", "needed"),
    [
        (
            "recipient",
            "recipients/gm-research.toml",
            ("Needed by agreements/trafford.toml", "local-attendance-research", '"gm-research"'),
        ),
        (
            "dataset",
            "datasets/police_incidents.toml",
            ("Needed by vocabulary.toml", "local-incident-research", '"police_incidents"'),
        ),
    ],
)
def test_what_is_still_needed_stays_and_all_that_needs_it_is_named(
    lead: Browser, kind: str, path: str, needed: tuple[str, ...]
) -> None:
    draft = begun(lead)
    page = take_out(lead, draft, kind, path)
    assert "It cannot be taken out while something needs it" in page
    for told in needed:
        assert told in page, told
    assert "removes" not in said(lead.get(f"/drafts/{draft}").text)


def test_a_recipient_is_taken_out_by_two_people_and_its_text_is_kept(
    data: Settings, lead: Browser, client_as: Clients
) -> None:
    draft = begun(lead)
    assert take_out(lead, draft, "recipient", SPARE) == ""
    page = said(lead.get(f"/drafts/{draft}").text)
    assert "removes recipient Greater Manchester Police, Partnership team" in page
    assert SPARE in said(lead.get(f"/drafts/{draft}/documents").text)
    asked = lead.post(f"/drafts/{draft}/propose", data={"revision": "2"})
    job = worked(data, str(asked.location), JobKind.PROPOSE)
    assert job.outcome["state"] == "proposed", job.outcome
    assert SPARE in documents(data)[0], "a proposal takes nothing out"
    approver = client_as("approver")
    page = said(approver.get(f"/agreements/{AGREEMENT}/proposal").text)
    assert "removes recipient Greater Manchester Police, Partnership team" in page
    digest = {"policy_digest": str(job.outcome["policy_digest"])}
    asked = approver.post(f"/agreements/{AGREEMENT}/approve", data=digest)
    assert worked(data, str(asked.location), JobKind.APPROVE).outcome["state"] == "approved"
    now, gone = documents(data)
    assert SPARE not in now
    assert 'id = "greater-manchester-police-partnership"' in gone[SPARE]
    version = lead.get(f"/agreements/{AGREEMENT}/versions").text.split("/versions/")[1]
    shown = said(lead.get(f"/agreements/{AGREEMENT}/versions/{version.split(chr(34))[0]}").text)
    assert "removes recipient Greater Manchester Police, Partnership team" in shown
    assert "Nobody needs it any more." in shown


def test_what_a_draft_takes_out_can_be_kept_after_all(data: Settings, lead: Browser) -> None:
    draft = begun(lead)
    assert take_out(lead, draft, "recipient", SPARE) == ""
    assert lead.get(f"/drafts/{draft}/documents/recipient?path={SPARE}").status_code == 400
    keep = {"path": SPARE, "revision": "2", "reason": "They need it."}
    assert lead.post(f"/drafts/{draft}/documents/keep", data=keep).status_code == 303
    assert "removes" not in said(lead.get(f"/drafts/{draft}").text)
    again = lead.post(f"/drafts/{draft}/documents/keep", data=keep | {"revision": "3"})
    assert again.status_code == 400


@pytest.mark.parametrize("path", ["agreements/kirklees.toml", "cases/kirklees.toml"])
def test_nobody_takes_out_an_agreement_or_its_cases(
    data: Settings, lead: Browser, path: str
) -> None:
    draft = begun(lead)
    form = {"path": path, "text": "", "revision": "1", "reason": "Away."}
    assert lead.post(f"/drafts/{draft}/text", data=form).status_code == 303
    asked = lead.post(f"/drafts/{draft}/propose", data={"revision": "2"})
    job = worked(data, str(asked.location), JobKind.PROPOSE)
    assert job.outcome["refusal"][0]["code"] == "policy/not-taken-out", job.outcome
    assert path in documents(data)[0]


def documents(data: Settings) -> tuple[dict[str, str], dict[str, str]]:
    """The current documents, and the last texts of those that were taken out."""
    database = Database(data.database_url)
    with database.read() as connection:
        found = policy_store.bundle(connection), policy_removal.last_texts(connection)
    database.close()
    return found
