"""Held releases, who may do what, who did what and what waits: pages for those who may."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Callable
from typing import Any

import pytest

from gateway.adapters import ledger_search, operators
from gateway.adapters.database import Database
from gateway.adapters.release_store import ReleaseRecord, ReleaseState, open_release, step
from gateway.adapters.settings import Settings
from gateway.model.permissions import PERMISSIONS
from gateway.wiring import append
from tests.journeys.office import Office
from tests.web.office import Browser

Clients = Callable[[str], Browser]
STUDY, TRAFFORD = "national-impact-study", "trafford-stronger-families"
ALARM = {
    "code": "tripwire/fewer-rows",
    "subject": "payload",
    "sentence": "Half as many rows as in the last release.",
}


def said(page: str) -> str:
    """What a page says, without its markup."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def held(data: Settings, *, officer: str = "rosa", number: int = 1) -> str:
    """A release that was held because it was unusual, as the release run writes it."""
    name = f"rel-held-{number}"
    database = Database(data.database_url)
    with database.begin() as connection:
        open_release(
            connection,
            ReleaseRecord(
                id=name,
                state=ReleaseState.DECIDED,
                purpose=STUDY,
                agreement=TRAFFORD,
                policy_digest="0" * 64,
                officer=officer,
                created=dt.datetime.now(dt.UTC),
            ),
        )
        record = {"alarms": [ALARM], "refusal": [[ALARM["code"], ALARM["sentence"]]]}
        step(connection, name, ReleaseState.HELD, record=record)
    database.close()
    return name


def test_a_second_person_accepts_what_was_unusual_with_a_reason(
    data: Settings, client_as: Clients
) -> None:
    release = held(data)
    approver = client_as("approver")
    page = said(approver.get(f"/releases/{release}").text)
    assert ALARM["sentence"] in page
    assert "accept it" in page
    asked = approver.post(f"/releases/{release}/accept", data={"reason": "  "})
    assert asked.status_code == 422
    assert "Enter why it is as it should be" in said(asked.text)
    answer = approver.post(f"/releases/{release}/accept", data={"reason": "Two schools joined."})
    assert answer.status_code == 303
    after = said(client_as("release-officer").get(f"/releases/{release}").text)
    assert "Accepted by april" in after
    assert "Two schools joined." in after
    assert "Run it again" in after
    again = approver.post(f"/releases/{release}/accept", data={"reason": "Again."})
    assert again.status_code >= 400


def test_whoever_ran_it_is_not_asked_and_may_not_accept(data: Settings, client_as: Clients) -> None:
    release = held(data)
    officer = client_as("release-officer")
    page = officer.get(f"/releases/{release}").text
    assert f"/releases/{release}/accept" not in page
    assert "You ran it" in said(page)
    answer = officer.post(f"/releases/{release}/accept", data={"reason": "Mine."})
    assert answer.status_code == 403
    assert "operators/same-person" in answer.text


def test_an_approver_of_other_controllers_neither_accepts_it_nor_is_asked_to(
    data: Settings, client_as: Clients
) -> None:
    release = held(data)
    database = Database(data.database_url)
    with database.begin() as connection:
        of_another = operators.ROLES.update().where(operators.ROLES.c.operator == "april")
        connection.execute(of_another.values(controller="knowsley-council"))
    database.close()
    approver = client_as("approver")
    assert f"/releases/{release}/accept" not in approver.get(f"/releases/{release}").text
    assert "You may settle" not in said(approver.get("/waiting").text)
    asked = said(approver.get(f"/releases/{release}/accept").text)
    assert "You approve for other controllers" in asked
    assert "Accept it" not in asked
    answer = approver.post(f"/releases/{release}/accept", data={"reason": "It is well."})
    assert (answer.status_code, "policy/not-your-controller" in answer.text) == (403, True)
    assert "Accepted by" not in said(client_as("auditor").get(f"/releases/{release}").text)


def test_another_release_officer_accepts_it_whatever_its_controllers(
    office: Office, data: Settings, client_as: Clients
) -> None:
    office.must("operators", "add", "olga", "--role", "release-officer", "--as", "ada")
    release = held(data, officer="olga")
    officer = client_as("release-officer")
    answer = officer.post(f"/releases/{release}/accept", data={"reason": "Two schools joined."})
    assert answer.status_code == 303


def test_the_command_refuses_an_approver_of_other_controllers(
    office: Office, data: Settings
) -> None:
    release = held(data)
    bound = ("--role", "approver", "--controller", "knowsley-council", "--as", "ada")
    office.must("operators", "add", "nick", *bound)
    words = ("accept", release, "--reason", "It is well.", "--as")
    refused = office.run(*words, "nick")
    assert (refused.code, "policy/not-your-controller" in refused.err) == (3, True)
    office.must(*words, "april")


def test_the_reason_of_an_acceptance_is_inert_on_the_page(
    data: Settings, client_as: Clients
) -> None:
    release = held(data)
    approver = client_as("approver")
    approver.post(f"/releases/{release}/accept", data={"reason": "<script>alert(1)</script>"})
    assert "<script>alert" not in approver.get(f"/releases/{release}").text


def test_the_permissions_page_shows_every_act_of_the_table(client_as: Clients) -> None:
    page = said(client_as("practitioner").get("/permissions").text).lower()
    for action in PERMISSIONS:
        assert action.value.replace("-", " ") in page
    assert "edith" in page


def test_the_audit_page_goes_back_by_event_and_person(client_as: Clients) -> None:
    auditor = client_as("auditor")
    every = auditor.get("/audit").text
    assert "Policy approved" in said(every)
    one = said(auditor.get("/audit?event=policy-approved&operator=april").text)
    assert "Policy approved" in one
    none = said(auditor.get("/audit?event=policy-approved&operator=rosa").text)
    assert "No entry of this kind" in none
    indices = [int(each) for each in re.findall(r'id="entry-(\d+)"', every)]
    assert indices == sorted(indices, reverse=True)
    older = auditor.get(f"/audit?before={indices[1]}").text
    assert max(int(each) for each in re.findall(r'id="entry-(\d+)"', older)) == indices[2]


@pytest.mark.parametrize("query", ["event=<b>", "operator=%27", "before=x", "before=-9", "event=x"])
def test_nonsense_in_the_address_is_an_empty_list_or_all_of_them(
    client_as: Clients, query: str
) -> None:
    answer = client_as("auditor").get(f"/audit?{query}")
    assert answer.status_code == 200
    assert "<b>" not in answer.text


def test_entries_are_found_by_what_they_state(data: Settings, client_as: Clients) -> None:
    database = Database(data.database_url)
    with database.begin() as connection:
        for release in ("rel-a", "rel-ab"):
            facts = {"release": release, "purpose": STUDY, "agreement": TRAFFORD}
            append(connection, "release-accepted", {**facts, "operator": "april"})
        found = list(ledger_search.naming(connection, {"release-accepted"}, release="rel-a"))
        assert [entry.facts["release"] for _, entry in found] == ["rel-a"]
    database.close()


def test_what_waits_is_shown_to_whom_it_waits_for(data: Settings, client_as: Clients) -> None:
    release = held(data)
    approver = client_as("approver")
    page = approver.get("/waiting").text
    assert f"/releases/{release}" in page
    assert "You may settle 1 of these" in said(page)
    assert "You may settle" not in said(client_as("release-officer").get("/waiting").text)
    approver.post(f"/releases/{release}/accept", data={"reason": "Two schools joined."})
    assert f"/releases/{release}" not in approver.get("/waiting").text


def test_a_review_that_is_due_is_said_in_the_list(client_as: Clients, app: Any) -> None:
    from dataclasses import replace

    from gateway.web import documents
    from gateway.web.desk import desk_of, install

    with app.test_request_context():
        review = documents.inputs().bundle.agreements[TRAFFORD].review
    assert "Review due" not in said(client_as("editor").get("/agreements").text)
    soon = dt.datetime.combine(review - dt.timedelta(days=60), dt.time(12), dt.UTC)
    desk = desk_of(app)
    browser = client_as("editor")
    install(app, replace(desk, now=lambda: soon))
    with app.test_request_context():
        from gateway.web import workshop

        lines = {line.id: line for line in workshop.lines()}
    assert lines[TRAFFORD].review_due
    install(app, desk)
    assert browser.get("/agreements").status_code == 200


def test_a_release_without_packages_has_nothing_to_prove(
    data: Settings, client_as: Clients
) -> None:
    release = held(data)
    answer = client_as("auditor").get(f"/releases/{release}/proof")
    assert answer.status_code >= 400
    assert "release/nothing-to-prove" in answer.text
    assert client_as("analyst").get(f"/releases/{release}/proof.json").status_code == 403
