"""Who wrote a change neither approves it nor releases under it, whoever pressed Propose."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask

from gateway.adapters.database import Database
from gateway.adapters.jobs import JobKind
from gateway.adapters.settings import Settings
from gateway.adapters.web_keys import open_web_keys
from tests.journeys.borough import SHARE
from tests.journeys.office import Office
from tests.web import office as offices
from tests.web.office import Browser
from tests.web.test_new_agreement import worked
from tests.web.test_workshop import PAYLOAD, STUDY, TRAFFORD, begun, field, said

Clients = Callable[[str], Browser]
APPROVE = f"/agreements/{TRAFFORD}/approve"
ROLES = ("editor", "approver", "release-officer")


@pytest.fixture
def writer(office: Office, data: Settings, app: Flask) -> Browser:
    """Olga, who holds three roles."""
    roles = [word for role in ROLES for word in ("--role", role)]
    bound = ("--controller", offices.COUNCIL, "--as", "ada")
    with office.open():
        office.must("operators", "add", "olga", *roles, *bound)
    at = dt.datetime.now(dt.UTC)
    key = open_web_keys(data, at=at).subkey("second-factor")
    database = Database(data.database_url)
    with database.begin() as connection:
        offices.account(connection, "olga", key, at)
    database.close()
    return offices.signed_in(app, "olga")


def test_a_writer_does_not_approve_what_another_proposed_nor_release_under_it(
    office: Office, data: Settings, client_as: Clients, writer: Browser
) -> None:
    editor, approver = client_as("editor"), client_as("approver")
    draft = begun(writer)
    form = field(revision="1", reason="The study asks for it.")
    saved = writer.post(f"/drafts/{draft}/field/{STUDY}/{PAYLOAD}", data=form)
    assert saved.status_code == 303
    asked = editor.post(f"/drafts/{draft}/propose", data={"revision": "2"})
    proposed = worked(data, str(asked.location), JobKind.PROPOSE)
    digest = {"policy_digest": str(proposed.outcome["policy_digest"])}

    page = said(writer.get(f"/agreements/{TRAFFORD}/proposal").text)
    assert "proposed by edith" in page
    assert "Written by olga." in page
    assert "Approve and sign" not in page
    assert "another approver signs it" in page
    assert "Read it and decide" not in writer.get(f"/agreements/{TRAFFORD}").text
    assert "another approver" not in editor.get(f"/agreements/{TRAFFORD}/proposal").text

    asked = writer.post(APPROVE, data=digest)
    refused = worked(data, str(asked.location), JobKind.APPROVE)
    assert refused.outcome["refusal"][0]["code"] == "operators/same-person", refused.outcome
    assert "Whoever wrote or proposed" in said(writer.get(f"/jobs/{refused.id}").text)

    page = approver.get(f"/agreements/{TRAFFORD}/proposal").text
    assert "Approve and sign" in page
    assert "another approver signs it" not in page
    asked = approver.post(APPROVE, data=digest)
    assert worked(data, str(asked.location), JobKind.APPROVE).outcome["state"] == "approved"

    with office.open():
        no = office.run(*SHARE[:-1], "olga", "--json")
    assert [each["code"] for each in no.document["refusal"]] == ["operators/not-apart"]
