"""A change of what several agreements read: its approver sees whom it reaches."""

from __future__ import annotations

from collections.abc import Callable

from gateway.adapters.settings import Settings
from tests.web.office import Browser
from tests.web.test_taking_out import AGREEMENT, documents
from tests.web.test_two_changes import proposed
from tests.web.test_workshop import begun, said

Clients = Callable[[str], Browser]
STUDY = "recipients/ons-research.toml"
KIRKLEES = "Kirklees Stronger Families"


def drafted(data: Settings, lead: Browser, path: str, old: str, new: str) -> str:
    draft = begun(lead)
    text = documents(data)[0][path]
    assert old in text
    form = {"path": path, "text": text.replace(old, new), "revision": "1", "reason": "Changed."}
    assert lead.post(f"/drafts/{draft}/text", data=form).status_code == 303
    return draft


def test_lead_and_approver_see_which_other_agreements_a_recipient_reaches(
    data: Settings, client_as: Clients
) -> None:
    lead, approver = client_as("editor"), client_as("approver")
    draft = drafted(data, lead, STUDY, "expires = 20", "expires = 21")
    proposed(data, lead, draft)
    for page in (
        lead.get(f"/drafts/{draft}").text,
        approver.get(f"/agreements/{AGREEMENT}/proposal").text,
    ):
        told = said(page).partition("Other agreements that it reaches")[2]
        assert KIRKLEES in told, told[:400]
        assert "Trafford" not in told.partition("Who has to sign")[0].partition("History")[0][:400]


def test_a_case_of_another_agreement_that_would_break_is_told(
    data: Settings, client_as: Clients
) -> None:
    lead = client_as("editor")
    draft = drafted(data, lead, STUDY, "expires = 20", "expires = 19")
    told = said(lead.get(f"/drafts/{draft}").text).partition("Other agreements that it reaches")[2]
    assert KIRKLEES in told
    assert "Comes out otherwise than expected" in told


def test_a_change_of_the_agreement_alone_reaches_no_other(
    data: Settings, client_as: Clients
) -> None:
    lead = client_as("editor")
    draft = drafted(data, lead, "agreements/trafford.toml", 'title = "', 'title = "The new ')
    assert "Other agreements that it reaches" not in lead.get(f"/drafts/{draft}").text
