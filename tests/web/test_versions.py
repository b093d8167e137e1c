"""Each version with its author, reason and signatures; and everything for other programs."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable

import pytest

from gateway.adapters import policy_drafts, policy_versions
from gateway.adapters.database import Database
from gateway.adapters.release_store import (
    PackageRecord,
    ReleaseRecord,
    ReleaseState,
    add_package,
    open_release,
)
from gateway.adapters.settings import Settings
from tests.journeys.office import Office
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


def test_a_version_that_another_took_the_place_of_waits_no_more(
    data: Settings, client_as: Clients
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    editor.post(f"/drafts/{draft}/field/{STUDY}/{PAYLOAD}", data=field(revision="1"))
    done(data, editor, f"/drafts/{draft}/propose", revision="2")
    number = newest(data).number
    approved(data, client_as, treat="flag")
    assert newest(data).number > number
    page = said(client_as("auditor").get(f"/agreements/{TRAFFORD}/versions").text)
    assert "Waits" not in page
    assert page.count("Replaced") == 2


def test_each_version_says_who_why_when_and_what_it_changed(
    data: Settings, client_as: Clients
) -> None:
    approved(data, client_as)
    version = newest(data)
    auditor = client_as("auditor")
    page = said(auditor.get(f"/agreements/{TRAFFORD}/versions/{version.number}").text)
    assert "adds Intensity of the support ( intensity ) to National Impact Study" in page
    assert "The study asks for it." in page
    assert "april for Trafford Council" in page
    assert version.policy_digest in page
    every = said(auditor.get(f"/agreements/{TRAFFORD}/versions").text)
    assert "Replaced" in every
    client_as("approver").get(f"/agreements/{TRAFFORD}")
    done(data, client_as("approver"), f"/agreements/{TRAFFORD}/withdraw")
    assert "Withdrawn" in said(auditor.get(f"/agreements/{TRAFFORD}/versions").text)
    after = said(auditor.get(f"/agreements/{TRAFFORD}/versions/{version.number}").text)
    assert "adds Intensity of the support ( intensity ) to National Impact Study" in after, (
        "what was changed stays known"
    )


def test_a_draft_that_was_approved_says_so_and_warns_of_nothing(
    office: Office, data: Settings, client_as: Clients
) -> None:
    editor, approver = client_as("editor"), client_as("approver")
    draft = begun(editor)
    editor.post(f"/drafts/{draft}/field/{STUDY}/{PAYLOAD}", data=field(revision="1"))
    done(data, editor, f"/drafts/{draft}/propose", revision="2")
    page = said(editor.get(f"/drafts/{draft}").text)
    assert "It was proposed as version 4 on" in page
    assert "and waits for its approvers" in page
    done(
        data, approver, f"/agreements/{TRAFFORD}/approve", policy_digest=newest(data).policy_digest
    )
    answer = editor.get(f"/drafts/{draft}").text
    page = said(answer)
    assert "It was approved as version 4 on" in page
    assert f"/agreements/{TRAFFORD}/versions/{newest(data).number}" in answer
    assert "Approved, revision 2" in page
    assert "has changed since" not in page
    assert "Proposed, revision" not in page
    assert "Nothing differs" not in page
    office.approve(TRAFFORD)
    page = said(editor.get(f"/drafts/{draft}").text)
    assert "A later approval has taken its place since." in page
    done(data, approver, f"/agreements/{TRAFFORD}/withdraw")
    page = said(editor.get(f"/drafts/{draft}").text)
    assert "It was proposed as version 4 and withdrawn by april on" in page
    assert "Approved, revision" not in page


def test_another_change_is_warned_of_while_a_draft_is_written(
    data: Settings, client_as: Clients
) -> None:
    draft = begun(client_as("editor"))
    approved(data, client_as)
    page = said(client_as("editor").get(f"/drafts/{draft}").text)
    assert "What this draft began from has changed since" in page


def test_a_proposal_beside_what_is_in_force_is_withdrawn_with_it_and_the_page_says_so(
    data: Settings, client_as: Clients
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    editor.post(f"/drafts/{draft}/field/{STUDY}/{PAYLOAD}", data=field(revision="1"))
    done(data, editor, f"/drafts/{draft}/propose", revision="2")
    for path in (f"/agreements/{TRAFFORD}", f"/agreements/{TRAFFORD}/proposal"):
        for role in ("editor", "approver"):
            page = said(client_as(role).get(path).text)
            assert "Withdraw this agreement now" in page
            assert "The proposal of version 4 is taken back with it." in page
            assert "only the newest can be approved" in page
            assert "Take this proposal back" not in page
        assert "Withdraw this agreement now" not in said(client_as("auditor").get(path).text)


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


def test_what_left_is_found_by_its_clause_and_by_its_column(
    data: Settings, client_as: Clients
) -> None:
    with_package(data)
    auditor = client_as("auditor")
    for query in ("column=age_band", "clause=4.2(c)i", "clause=4.2", f"agreement={TRAFFORD}"):
        page = auditor.get(f"/traces/releases?{query}")
        assert "/releases/rel-left" in page.text, query
    assert "Nothing has left" in said(auditor.get("/traces/releases?column=nhs_number").text)
    assert "Nothing has left" in said(auditor.get("/traces/releases?clause=<b>").text)
    rows = auditor.get("/traces/releases?as=csv&clause=4.2(c)i").text.splitlines()
    assert rows[0].startswith("release,")
    assert len(rows) == 2


def with_package(data: Settings) -> None:
    """A release with one package, as the run of a release writes them."""
    database = Database(data.database_url)
    columns = [{"name": "age_band", "treatment": "age-band-5", "clause": "4.2(c)i"}]
    columns.append({"name": "sex", "treatment": "keep", "clause": "4.2(c)ii"})
    with database.begin() as connection:
        open_release(
            connection,
            ReleaseRecord(
                id="rel-left",
                state=ReleaseState.FORWARDED,
                purpose=STUDY,
                agreement=TRAFFORD,
                policy_digest="0" * 64,
                officer="rosa",
                created=dt.datetime.now(dt.UTC),
            ),
        )
        add_package(
            connection,
            PackageRecord(
                id="pkg-left",
                release="rel-left",
                output=PAYLOAD,
                recipient="ons-research",
                rows=10,
                digest="0" * 64,
                manifest={"columns": columns},
                place="",
            ),
        )
    database.close()


def test_a_new_document_is_begun_in_the_same_change(client_as: Clients) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    page = editor.get(f"/drafts/{draft}/text?path=recipients/new-team.toml")
    assert page.status_code == 200
    form = {"path": "recipients/new-team.toml", "text": "id = 3", "revision": "1", "reason": "x"}
    assert editor.post(f"/drafts/{draft}/text", data=form).status_code == 303
    assert "recipients/new-team.toml" in editor.get(f"/drafts/{draft}").text
