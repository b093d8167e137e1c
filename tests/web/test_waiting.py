"""What stops a sharing stands under "What waits", for whoever can set it going again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from gateway.adapters.settings import Settings
from gateway.web import documents, waiting_versions
from gateway.web.desk import desk_of, install
from tests.journeys import urgent
from tests.journeys.office import Office
from tests.web.office import Browser
from tests.web.test_told_since import KIRKLEES, WIDER, exported, staff
from tests.web.test_workshop import TRAFFORD, said

Clients = Callable[[str], Browser]
CHANGED = "Agreements that changed since they were approved"
NONE = "Of these none waits"
STARTS = "starts = 2027-01-15"
TITLE = "Trafford Stronger Families"


@pytest.fixture
def changed(office: Office) -> Office:
    """An office in which the confirmed key of a recipient has ended an approval."""
    office.must("recipient-key", "new", "--to", str(office.home / urgent.MASH))
    office.confirm(urgent.MASH, str(office.home / urgent.MASH / "recipient.pub"))
    return office


def under(page: str, name: str) -> str:
    """What stands under one heading of the page."""
    told = page[page.index(f'">{name}</h2>') :]
    return said(told[: told.find("<h2", 1)])


def reviews(app: Flask) -> list[str]:
    """Whose review or last day is near, two months before Trafford's review."""
    desk = desk_of(app)
    with app.test_request_context():
        review = documents.inputs().bundle.agreements[TRAFFORD].review
    soon = dt.datetime.combine(review - dt.timedelta(days=60), dt.time(12), dt.UTC)
    install(app, replace(desk, now=lambda: soon))
    try:
        with app.test_request_context(), desk.database.read() as connection:
            return [each.href for each in waiting_versions.near(connection, documents.inputs())]
    finally:
        install(app, desk)


def test_an_agreement_that_changed_waits_for_an_editor_and_everybody_reads_it(
    changed: Office, client_as: Clients
) -> None:
    listed = said(client_as("custodian").get("/agreements").text)
    assert "An editor, to propose it again" in listed
    for role in ("editor", "approver", "custodian", "release-officer"):
        page = client_as(role).get("/waiting").text
        assert "until it is proposed and approved again" in under(page, CHANGED), role
        assert "For editor." in under(page, CHANGED)
        assert ("You may settle 1 of these" in said(page)) is (role == "editor")


def test_one_that_is_proposed_again_waits_for_its_approvers(
    changed: Office, client_as: Clients
) -> None:
    changed.must("policy", "propose", TRAFFORD, "--as", "edith")
    page = client_as("approver").get("/waiting").text
    assert CHANGED in under(page, NONE)
    assert "You may settle 1 of these" in said(page)
    assert "An editor, to propose it again" not in said(client_as("editor").get("/agreements").text)
    changed.must("policy", "approve", TRAFFORD, "--as", "april")
    page = client_as("editor").get("/waiting").text
    assert CHANGED in under(page, NONE)
    assert "You may settle" not in said(page)


def test_a_withdrawn_agreement_waits_for_nobody(changed: Office, client_as: Clients) -> None:
    changed.must("policy", "withdraw", TRAFFORD, "--as", "april")
    assert CHANGED in under(client_as("editor").get("/waiting").text, NONE)


def test_the_review_of_an_agreement_that_changed_is_still_near(
    app: Flask, data: Settings, office: Office, request: pytest.FixtureRequest
) -> None:
    before = reviews(app)
    assert before == [f"/agreements/{TRAFFORD}"]
    request.getfixturevalue("changed")
    assert reviews(app) == before


def test_one_that_begins_later_and_changed_is_not_said_to_be_approved(
    office: Office, client_as: Clients, tmp_path: Path
) -> None:
    staff(office)
    place = "agreements/kirklees.toml"
    text = office.policies / place
    old = next(line for line in text.read_text("utf-8").splitlines() if line.startswith("starts"))
    path = exported(office, tmp_path / "later", place, old, STARTS)
    version = "\nversion = 1\n"
    whole = Path(path).read_text("utf-8")
    assert version in whole
    Path(path).write_text(whole.replace(version, "\nversion = 2\n", 1), "utf-8")
    office.must("policy", "propose", path, "--as", "zed")
    office.must("policy", "approve", KIRKLEES, "--as", "kap")
    assert "Not begun" in said(client_as("editor").get(f"/agreements/{KIRKLEES}").text)
    cohort = "[cohorts.programme-and-comparison]"
    words = exported(office, tmp_path / "ours", "vocabulary.toml", *WIDER, after=cohort)
    office.must("policy", "propose", TRAFFORD, words, "--as", "edith")
    office.must("policy", "approve", TRAFFORD, "--as", "april")
    page = said(client_as("editor").get(f"/agreements/{KIRKLEES}").text)
    assert "Changed What it reads has changed since it was approved." in page
    assert CHANGED not in under(client_as("editor").get("/waiting").text, NONE)


def test_an_editor_can_propose_what_changed_from_its_page(
    changed: Office, client_as: Clients
) -> None:
    editor = client_as("editor")
    assert "Write a change" in editor.get(f"/agreements/{TRAFFORD}").text
    draft = editor.post(f"/agreements/{TRAFFORD}/drafts").location
    assert "Propose it to the approvers" in editor.get(draft).text
