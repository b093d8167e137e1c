"""A new agreement by form, from the template to in force: no page on the way is a dead end."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import pytest

from gateway.adapters import jobs
from gateway.adapters.database import Database
from gateway.adapters.jobs import Job, JobKind, JobState
from gateway.adapters.settings import Settings
from gateway.service.worker import Terms, work
from tests.web.office import Browser
from tests.web.test_draft_agreements import PURPOSE, text_of
from tests.web.test_workshop import begun, done, said

Clients = Callable[[str], Browser]
NAME, TITLE = "early-help-research", "Early help research in Trafford"
NEW = {
    "title": TITLE,
    "id": NAME,
    "benefits": "Families get help that is known to work.",
    "areas": "Trafford",
    "method": "Stronger Families gateway",
    "contact": "information.governance@trafford.example",
    "dpia": "DPIA-2026-014",
    "starts": "2026-11-01",
    "ends": "2099-10-31",
    "review": "2099-01-31",
    "controller": ["trafford-council"],
    "parties": ["trafford-schools", "gm-research-unit"],
}
FIELD = {
    "column": "school_attendance.unauthorised",
    "treat": "other",
    "other": "band:1,5,15,30",
    "clause": "9.1(a)",
    "revision": "2",
    "reason": "The study asks for it.",
}


@pytest.fixture
def lead(client_as: Clients) -> Browser:
    """The governance lead, who writes."""
    return client_as("editor")


def started(lead: Browser) -> str:
    """A draft of the new agreement, without a purpose."""
    answer = lead.post("/agreements/new", data=NEW)
    assert answer.status_code == 303, said(answer.text)
    return str(answer.location).rpartition("/")[2]


def with_purpose(lead: Browser, **changed: object) -> str:
    """The draft with its purpose and one field."""
    draft = started(lead)
    answer = lead.post(f"/drafts/{draft}/purposes/new", data=PURPOSE | changed)
    assert answer.status_code == 303, said(answer.text)
    answer = lead.post(f"/drafts/{draft}/field/attendance-research/payload", data=FIELD)
    assert answer.status_code == 303, said(answer.text)
    return draft


def worked(data: Settings, address: str, kind: JobKind) -> Job:
    """The job behind an address, done by a real worker."""
    stop, pause = threading.Event(), threading.Event()
    worker = threading.Thread(target=work, args=(data, Terms(kinds=(kind,)), stop))
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


def proposed(data: Settings, lead: Browser, draft: str, revision: str = "3") -> Job:
    answer = lead.post(f"/drafts/{draft}/propose", data={"revision": revision})
    return worked(data, str(answer.location), JobKind.PROPOSE)


def test_an_agreement_without_a_purpose_says_what_comes_next(lead: Browser) -> None:
    page = lead.get(f"/drafts/{started(lead)}").text
    assert "It has no purpose yet" in said(page)
    assert "/purposes/new" in page


def test_each_fault_of_a_long_form_is_said_in_its_order_and_at_its_part(lead: Browser) -> None:
    page = lead.post("/agreements/new", data={}).text
    summary = page[page.index("There is a problem") : page.index("Begin a new agreement</h1>")]
    named = re.findall(r'href="#([a-z]+)"', summary)
    assert named == [
        *("title", "id", "benefits", "areas", "method", "contact"),
        *("starts", "controller", "parties"),
    ]
    for name in named:
        assert page.count(f'id="{name}"') == 1, name
        assert page.count(f'id="{name}-error"') == 1, name
    assert re.search(r'aria-describedby="[^"]*contact-error"', page)
    draft = started(lead)
    page = lead.post(f"/drafts/{draft}/purposes/new", data={"revision": "1"}).text
    assert page.index("Choose who receives it") < page.index("Choose what the notice promised")
    assert 'id="recipient-error"' in page


def test_a_new_agreement_is_seen_and_read_whole_before_anybody_signs(
    data: Settings, lead: Browser, client_as: Clients
) -> None:
    job = proposed(data, lead, with_purpose(lead))
    assert job.outcome["state"] == "proposed", job.outcome
    assert f"/agreements/{NAME}/proposal" in lead.get(f"/jobs/{job.id}").text
    listed = said(lead.get("/agreements").text)
    assert TITLE in listed[: listed.index("Drafts")]
    sent_on = lead.get(f"/agreements/{NAME}")
    assert (sent_on.status_code, sent_on.location) == (303, f"/agreements/{NAME}/proposal")
    assert TITLE in said(lead.get("/waiting").text)
    approver = client_as("approver")
    page = said(approver.get(f"/agreements/{NAME}/proposal").text)
    for told in (
        TITLE,
        "Trafford Council",
        "Greater Manchester research unit",
        "31 October 2099",
        "DPIA-2026-014",
        "What people will be told",
        "The law that lets us: UK GDPR Art 6(1)(e) and UK GDPR Arts 84A to 84C.",
        "Everyone is included whose objection does not stand.",
        "It is destroyed by 31 March 2028.",
        "Use it for the research that was agreed",
        "Narrative is never needed.",
    ):
        assert told in page, told
    digest = str(job.outcome["policy_digest"])
    answer = approver.post(f"/agreements/{NAME}/approve", data={"policy_digest": digest})
    signed = worked(data, str(answer.location), JobKind.APPROVE)
    assert signed.outcome["state"] == "approved", signed.outcome
    assert "In force" in said(approver.get(f"/agreements/{NAME}").text)


def test_why_is_told_once_and_not_where_nobody_said_it(
    data: Settings, lead: Browser, client_as: Clients
) -> None:
    draft = with_purpose(lead)
    more = FIELD | {"column": "school_attendance.authorised", "revision": "3"}
    assert lead.post(f"/drafts/{draft}/field/attendance-research/payload", data=more).location
    silent = FIELD | {"column": "school_attendance.term", "treat": "keep", "revision": "4"}
    silent |= {"reason": ""}
    assert lead.post(f"/drafts/{draft}/field/attendance-research/payload", data=silent).location
    proposed(data, lead, draft, "5")
    page = said(client_as("approver").get(f"/agreements/{NAME}/proposal").text)
    assert page.count("The study asks for it.") == 1
    assert "No reason given" not in page


def test_a_notice_that_promised_no_identifier_is_a_notice(data: Settings, lead: Browser) -> None:
    draft = with_purpose(lead, identifiers=[], take="latest")
    text = text_of(data, draft)
    assert "identifiers = []" not in text
    assert 'take = "latest"' in text
    page = said(lead.get(f"/drafts/{draft}").text)
    assert "It cannot be proposed yet" not in page
    assert "Unique pupil number" in said(lead.get(f"/drafts/{draft}/purposes/new").text)


def test_no_form_saves_what_then_would_not_load(data: Settings, lead: Browser) -> None:
    """Else the draft's other forms are gone with it, and only its text is left."""
    draft = begun(lead)
    before = text_of(data, draft)
    page = lead.get(f"/drafts/{draft}/agreement").text
    assert "Stronger Families" in page
    form = {
        **{key: NEW[key] for key in ("title", "benefits", "areas", "method", "parties")},
        "contact": "families@trafford.gcsx.gov.uk",
        "review": "2027-01-31",
        "ends": "2027-06-30",
        "revision": "1",
    }
    answer = lead.post(f"/drafts/{draft}/agreement", data=form)
    assert answer.status_code == 422
    assert "There is a problem" in said(answer.text)
    assert "gcsx.gov.uk" in answer.text
    study = f"/drafts/{draft}/field/national-impact-study/payload/remove"
    answer = lead.post(study, data={"field": "age_band", "revision": "1"})
    assert answer.status_code == 422
    assert "age_band" in said(answer.text)
    assert text_of(data, draft) == before


def test_a_purpose_is_taken_out_by_form_and_says_which_row_counts(
    data: Settings, lead: Browser
) -> None:
    draft = with_purpose(lead)
    page = lead.get(f"/drafts/{draft}/purpose/attendance-research").text
    assert 'value="one" checked' in page
    form = {key: PURPOSE[key] for key in ("title", "participation", "household", "duties")}
    form |= {"legal_bases": PURPOSE["legal_bases"], "retain_until": "2028-03-31", "k.payload": "10"}
    form |= {"take": "latest", "revision": "3", "reason": "Terms repeat."}
    assert lead.post(f"/drafts/{draft}/purpose/attendance-research", data=form).status_code == 303
    assert 'take = "latest"' in text_of(data, draft)
    form |= {"take": "one", "revision": "4"}
    assert lead.post(f"/drafts/{draft}/purpose/attendance-research", data=form).status_code == 303
    assert "\ntake = " not in text_of(data, draft)
    out = f"/drafts/{draft}/purpose/attendance-research/remove"
    answer = lead.post(out, data={"revision": "5", "reason": "Not needed."})
    assert answer.status_code == 303, said(answer.text)
    text = text_of(data, draft)
    assert "attendance-research" not in text
    assert 'id = "early-help-research"' in text
    gone = lead.post(out, data={"revision": "6"})
    assert (gone.status_code, "policy/nothing-to-edit" in gone.text) == (400, True)


def test_a_preview_of_what_is_refused_either_way_says_so_and_why(
    data: Settings, lead: Browser
) -> None:
    draft = with_purpose(lead)
    answer = lead.post(f"/drafts/{draft}/preview", data={"revision": "3"})
    job = worked(data, str(answer.location), JobKind.PREVIEW)
    page = said(lead.get(f"/jobs/{job.id}").text)
    assert "Nothing would leave for this purpose, with the draft or without it." in page
    assert 'No public key of "gm-research" is registered.' in page
    assert "Does early help raise attendance" in page
    assert "The same people and columns leave as now" not in page


@pytest.mark.parametrize("role", ["editor", "approver"])
def test_the_proposal_of_a_new_agreement_is_taken_back_by_its_editor_or_an_approver(
    data: Settings, lead: Browser, client_as: Clients, role: str
) -> None:
    proposed(data, lead, with_purpose(lead))
    page, browser = f"/agreements/{NAME}/proposal", client_as(role)
    told = said(browser.get(page).text)
    assert "Take this proposal back" in told
    assert "From then on nobody can approve version 1" in told
    assert "Take this proposal back" not in said(client_as("auditor").get(page).text)
    found = re.search(r'name="policy_digest" value="([0-9a-f]{64})"', browser.get(page).text)
    assert found, "the button says which proposal it takes back"
    job = done(data, browser, f"/agreements/{NAME}/withdraw", policy_digest=found[1])
    assert job.outcome["state"] == "withdrawn"
    after = f"/agreements/{NAME}/versions"
    assert after in browser.get(f"/jobs/{job.id}").text
    versions = browser.get(after).text
    assert "Withdrawn" in said(versions)
    assert f'href="/agreements/{NAME}"' not in versions
    assert "Approve and sign" not in browser.get(page).text
    assert TITLE not in said(client_as("approver").get("/waiting").text)
