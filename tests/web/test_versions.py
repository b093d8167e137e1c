"""Each version with its author, reason and signatures; and everything for other programs."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from gateway.adapters import policy_drafts, policy_versions
from gateway.adapters.database import Database
from gateway.adapters.settings import Settings
from tests.web.office import Browser
from tests.web.test_workshop import PAYLOAD, STUDY, TRAFFORD, begun, done, field, said

Clients = Callable[[str], Browser]


def approved(data: Settings, client_as: Clients, **more: str) -> None:
    """A change that an editor wrote with a reason, and an approver signed."""
    editor, approver = client_as("editor"), client_as("approver")
    draft = begun(editor)
    form = field(**{"revision": "1", "reason": "The study asks for it."} | more)
    assert editor.post(f"/drafts/{draft}/field/{STUDY}/{PAYLOAD}", data=form).status_code == 303
    done(data, editor, f"/drafts/{draft}/propose", revision="2")
    digest = newest(data).policy_digest
    done(data, approver, f"/agreements/{TRAFFORD}/approve", policy_digest=digest)


def newest(data: Settings) -> policy_versions.Version:
    database = Database(data.database_url)
    with database.read() as connection:
        found = policy_versions.versions(connection, TRAFFORD)[0]
    database.close()
    return found


def test_the_approver_reads_why_before_signing_and_everybody_later(
    data: Settings, client_as: Clients
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    form = field(revision="1", reason="<b>Because</b> the study asks.")
    editor.post(f"/drafts/{draft}/field/{STUDY}/{PAYLOAD}", data=form)
    done(data, editor, f"/drafts/{draft}/propose", revision="2")
    page = client_as("approver").get(f"/agreements/{TRAFFORD}/proposal").text
    assert "<b>Because</b> the study asks." in said(page)
    assert "<b>Because" not in page
    assert "Trafford Council" in said(page)
    waits = said(client_as("auditor").get(f"/agreements/{TRAFFORD}/versions").text)
    assert "Waits" in waits
    assert "Approved" in waits, "the version before it stays in force"


def test_each_version_says_who_why_when_and_what_it_changed(
    data: Settings, client_as: Clients
) -> None:
    approved(data, client_as)
    version = newest(data)
    auditor = client_as("auditor")
    page = said(auditor.get(f"/agreements/{TRAFFORD}/versions/{version.number}").text)
    assert "adds intensity to national-impact-study" in page
    assert "The study asks for it." in page
    assert "april for Trafford Council" in page
    assert version.policy_digest in page
    every = said(auditor.get(f"/agreements/{TRAFFORD}/versions").text)
    assert "Replaced" in every
    client_as("approver").get(f"/agreements/{TRAFFORD}")
    done(data, client_as("approver"), f"/agreements/{TRAFFORD}/withdraw")
    assert "Withdrawn" in said(auditor.get(f"/agreements/{TRAFFORD}/versions").text)
    after = said(auditor.get(f"/agreements/{TRAFFORD}/versions/{version.number}").text)
    assert "adds intensity to national-impact-study" in after, "what was changed stays known"


def test_an_unknown_version_or_form_is_said_to_be_none(client_as: Clients) -> None:
    auditor = client_as("auditor")
    for path in (
        f"/agreements/{TRAFFORD}/versions/999999",
        f"/agreements/{TRAFFORD}/as/xml.json",
        "/agreements/nobody/as/odrl.json",
        "/releases/rel-nobody/lineage.json",
    ):
        assert auditor.get(path).status_code in (400, 404), path


def test_a_draft_is_listed_under_its_agreements_title(client_as: Clients) -> None:
    editor = client_as("editor")
    begun(editor)
    assert "Change of Stronger Families information sharing" in said(editor.get("/agreements").text)


@pytest.mark.parametrize(
    ("agreement", "said_there"),
    [
        ("bradford-families-first-schools", "Signed by"),
        ("warrington-adult-safeguarding", "Under the protocol"),
    ],
)
def test_an_agreement_shows_who_signed_and_what_it_stands_under(
    client_as: Clients, agreement: str, said_there: str
) -> None:
    assert said_there in said(client_as("auditor").get(f"/agreements/{agreement}").text)


def test_agreements_and_registers_are_given_to_other_programs(client_as: Clients) -> None:
    lead = client_as("editor")
    odrl = lead.get(f"/agreements/{TRAFFORD}/as/odrl.json")
    assert odrl.mimetype == "application/ld+json"
    assert json.loads(odrl.text)["@type"] == "Agreement"
    shared = json.loads(lead.get(f"/agreements/{TRAFFORD}/as/sharing-policy.json").text)
    assert shared["Identifier"]["value"].startswith(TRAFFORD)
    entries = json.loads(lead.get("/processing.json").text)
    assert any(TRAFFORD in json.dumps(each) for each in entries)
    assert client_as("uploader").get("/processing.json").status_code == 403


def test_the_drafts_reasons_are_found_for_the_text_that_was_proposed(
    data: Settings, client_as: Clients
) -> None:
    approved(data, client_as)
    database = Database(data.database_url)
    with database.read() as connection:
        version = policy_versions.versions(connection, TRAFFORD)[0]
        before, after = policy_versions.texts_of(connection, version)
        assert set(before) == set(after)
        assert all(before[path] != after[path] for path in after)
        assert policy_versions.draft_of(connection, TRAFFORD, {"x": "y"}) is None
        assert policy_drafts.listed(connection, agreement=TRAFFORD) == ()
    database.close()
