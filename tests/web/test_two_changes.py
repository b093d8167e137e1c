"""Two people change one document that several agreements share: neither change is lost."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Callable

import pytest

from gateway.adapters import policy_store
from gateway.adapters.database import Database
from gateway.adapters.jobs import Job, JobKind
from gateway.adapters.settings import Settings
from tests.web.office import Browser
from tests.web.test_new_agreement import worked
from tests.web.test_taking_out import AGREEMENT, documents
from tests.web.test_workshop import begun, said

Clients = Callable[[str], Browser]
SHARED = "recipients/gm-research.toml"


def noting(data: Settings, lead: Browser, word: str) -> str:
    """A draft that adds a comment to the shared document, saved over its current text."""
    draft = begun(lead)
    text = f"{documents(data)[0][SHARED]}# {word}\n"
    form = {"path": SHARED, "text": text, "revision": "1", "reason": "A note."}
    assert lead.post(f"/drafts/{draft}/text", data=form).status_code == 303
    return draft


def proposed(data: Settings, lead: Browser, draft: str) -> Job:
    asked = lead.post(f"/drafts/{draft}/propose", data={"revision": "2"})
    return worked(data, str(asked.location), JobKind.PROPOSE)


def approved(data: Settings, approver: Browser, proposal: Job) -> Job:
    digest = {"policy_digest": str(proposal.outcome["policy_digest"])}
    asked = approver.post(f"/agreements/{AGREEMENT}/approve", data=digest)
    return worked(data, str(asked.location), JobKind.APPROVE)


def another_meaning(data: Settings) -> None:
    """A shared document is changed, as the approved proposal of another agreement would."""
    written = documents(data)[0]["vocabulary.toml"]
    text = written.replace('meaning = "First given name."', 'meaning = "Any given name."')
    assert text != written
    database = Database(data.database_url)
    with database.begin() as connection:
        policy_store.set_heads(connection, {"vocabulary.toml": text}, at=dt.datetime.now(dt.UTC))
    database.close()


@pytest.fixture
def first(data: Settings, client_as: Clients) -> str:
    """A change that was proposed and is about to be approved, beside a draft like it."""
    lead = client_as("editor")
    other = noting(data, lead, "second")
    mine = proposed(data, lead, noting(data, lead, "first"))
    assert approved(data, client_as("approver"), mine).outcome["state"] == "approved"
    return other


def test_a_draft_over_a_text_that_has_changed_is_not_proposed(
    data: Settings, client_as: Clients, first: str
) -> None:
    lead = client_as("editor")
    page = said(lead.get(f"/drafts/{first}").text)
    assert "Propose it to the approvers" not in page
    job = proposed(data, lead, first)
    assert job.outcome["refusal"][0]["code"] == "policy/stale", job.outcome
    told = said(lead.get(f"/jobs/{job.id}").text)
    assert SHARED in told
    assert "Begin again from the current text" in told
    assert documents(data)[0][SHARED].endswith("# first\n")


def test_a_proposal_under_which_a_text_has_changed_is_not_approved(
    data: Settings, client_as: Clients
) -> None:
    lead, approver = client_as("editor"), client_as("approver")
    drafts = [noting(data, lead, word) for word in ("first", "second")]
    proposals = [proposed(data, lead, draft) for draft in drafts]
    assert all(each.outcome["state"] == "proposed" for each in proposals)
    # Both give the agreement one digest, as comments do: the newest is what is approved.
    assert approved(data, approver, proposals[1]).outcome["state"] == "approved"
    late = proposed(data, lead, noting(data, lead, "third"))
    assert approved(data, approver, late).outcome["state"] == "approved"
    lines = documents(data)[0][SHARED].splitlines()
    assert lines[-2:] == ["# second", "# third"]


def test_a_proposal_that_can_no_longer_be_signed_says_so(
    data: Settings, client_as: Clients
) -> None:
    lead, approver = client_as("editor"), client_as("approver")
    proposal = proposed(data, lead, noting(data, lead, "first"))
    page = f"/agreements/{AGREEMENT}/proposal"
    assert "Approve and sign" in approver.get(page).text
    another_meaning(data)
    shown = approver.get(page).text
    assert "can no longer be signed" in said(shown)
    assert "Approve and sign" not in shown
    assert approved(data, approver, proposal).outcome["refusal"][0]["code"] == "policy/stale"


def test_an_agreement_that_is_no_more_what_was_approved_says_what_differs(
    data: Settings, client_as: Clients
) -> None:
    auditor = client_as("auditor")
    page = f"/agreements/{AGREEMENT}"
    assert "Since it was approved" not in said(auditor.get(page).text)
    another_meaning(data)
    told = said(auditor.get(page).text)
    assert "Nothing leaves under it until it is proposed and signed again" in told
    assert re.search(r"Since it was approved: .*forename.*Any given name", told), told[:1500]


@pytest.mark.parametrize("approved_meanwhile", [True, False])
def test_only_the_proposal_that_was_read_is_taken_back_and_no_agreement_with_it(
    data: Settings, client_as: Clients, approved_meanwhile: bool
) -> None:
    approver = client_as("approver")
    proposal = proposed(data, client_as("editor"), noting(data, client_as("editor"), "first"))
    read = str(proposal.outcome["policy_digest"])
    if approved_meanwhile:
        assert approved(data, approver, proposal).outcome["state"] == "approved"
    form = {"policy_digest": read if approved_meanwhile else "0" * 64}
    asked = approver.post(f"/agreements/{AGREEMENT}/withdraw", data=form)
    job = worked(data, str(asked.location), JobKind.WITHDRAW)
    code = "policy/approved-meanwhile" if approved_meanwhile else "policy/other-proposal"
    assert job.outcome["refusal"][0]["code"] == code
    page = said(approver.get(f"/agreements/{AGREEMENT}").text)
    assert "Withdraw this agreement now" in page
    assert "It was withdrawn" not in page


@pytest.mark.parametrize("path", ["/outside/run-me.sh", "recipients/../../x.toml", "keys/x.toml"])
def test_a_text_at_no_place_of_a_document_is_not_saved(
    data: Settings, client_as: Clients, path: str
) -> None:
    lead = client_as("editor")
    draft = begun(lead)
    form = {"path": path, "text": "x = 1\n", "revision": "1", "reason": "Mine."}
    answer = lead.post(f"/drafts/{draft}/text", data=form)
    assert answer.status_code == 422
    assert "not a place of a governed document" in said(answer.text)
    assert path not in answer.text
    assert "revision 1" in lead.get(f"/drafts/{draft}").text


def test_another_agreement_is_not_changed_along_with_ones_own(
    data: Settings, client_as: Clients
) -> None:
    lead = client_as("editor")
    draft = begun(lead)
    path = "agreements/kirklees.toml"
    text = documents(data)[0][path].replace('title = "', 'title = "The ', 1)
    form = {"path": path, "text": text, "revision": "1", "reason": "Theirs."}
    answer = lead.post(f"/drafts/{draft}/text", data=form)
    assert answer.status_code == 409
    assert "Propose that agreement for itself" in said(answer.text)
    assert 'title = "The ' in html.unescape(answer.text), "what was written is still there"
    assert f"<option>{path}</option>" not in lead.get(f"/drafts/{draft}/text").text
    assert "revision 1" in lead.get(f"/drafts/{draft}").text


def test_a_draft_is_dropped_as_it_was_read_and_then_not_proposed(
    data: Settings, client_as: Clients
) -> None:
    lead = client_as("editor")
    draft = noting(data, lead, "newer")
    assert lead.post(f"/drafts/{draft}/drop", data={"revision": "1"}).status_code == 409
    asked = lead.post(f"/drafts/{draft}/propose", data={"revision": "2"})
    assert lead.post(f"/drafts/{draft}/drop", data={"revision": "2"}).status_code == 303
    job = worked(data, str(asked.location), JobKind.PROPOSE)
    assert job.outcome["refusal"][0]["code"] == "policy/draft-closed", job.outcome
    waits = client_as("approver").get(f"/agreements/{AGREEMENT}/proposal").text
    assert "A note." not in said(waits)
