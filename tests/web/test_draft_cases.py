"""Cases by form: what a lead expects is written, decided at once, and guarded ever after.

Source: docs/reference/policy.md, "Cases".
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest

from gateway.adapters import policy_drafts
from gateway.adapters.database import Database
from gateway.adapters.jobs import JobKind
from gateway.adapters.settings import Settings
from gateway.policy import load, run_cases
from gateway.policy.cases import cases_by_name
from gateway.policy.rereading import changed
from gateway.web import workshop
from tests.web.office import Browser
from tests.web.test_draft_agreements import WHOLE
from tests.web.test_workshop import begun, done, field, said

Clients = Callable[[str], Browser]
STUDY = "national-impact-study"
TRAFFORD = "trafford-stronger-families"
BOOK = "cases/trafford.toml"


def texts_of(data: Settings, draft: str) -> dict[str, str]:
    """All documents as the draft would have them."""
    database = Database(data.database_url)
    with database.read() as connection:
        current = workshop.current(connection)
        found = changed(current, policy_drafts.find(connection, draft).changes)
    database.close()
    return found


def added(editor: Browser, draft: str, revision: int, **form: str) -> int:
    """Ask for a case; gives the status of the answer."""
    asked = {"purpose": STUDY, "revision": str(revision), "reason": "So that it stays so."}
    return editor.post(f"/drafts/{draft}/cases", data=asked | form).status_code


@pytest.mark.parametrize(
    ("form", "name", "expect", "reasons"),
    [
        ({"expects": "permit"}, "may leave", "permit", ()),
        (
            {"expects": "dpia"},
            "without an impact assessment",
            "refuse",
            ("policy/no-dpia",),
        ),
        (
            {"expects": "ended"},
            "after the last day",
            "refuse",
            ("sharing/agreement-ended", "sharing/review-overdue"),
        ),
        (
            {"expects": "basis", "basis": "UKGDPR-6-1-e"},
            "without UKGDPR-6-1-e",
            "refuse",
            ("policy/article-6-missing",),
        ),
        (
            {"expects": "column", "column": "family_register.surname"},
            "with surname",
            "refuse",
            ("policy/direct-identifier",),
        ),
    ],
)
def test_what_a_lead_expects_becomes_a_case_that_holds(
    data: Settings,
    client_as: Clients,
    form: dict[str, str],
    name: str,
    expect: str,
    reasons: tuple[str, ...],
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    before = texts_of(data, draft)[BOOK]
    assert added(editor, draft, 1, **form) == 303
    texts = texts_of(data, draft)
    assert texts[BOOK].startswith(before.rstrip("\n")), "what was there stays, comments too"
    bundle, findings = load(texts)
    assert findings == ()
    case = cases_by_name(bundle)[f"{TRAFFORD}: {STUDY}: {name}"]
    assert (case.expect, case.reasons or ()) == (expect, reasons)
    assert all(result.held for result in run_cases(bundle, TRAFFORD))
    page = said(editor.get(f"/drafts/{draft}").text)
    assert f"adds case {TRAFFORD}: {STUDY}: {name}" in page.replace(" )", ")")


def test_a_loosening_shows_which_case_it_breaks_to_editor_and_approver(
    data: Settings, client_as: Clients
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    assert added(editor, draft, 1, expects="permit") == 303
    assert "Otherwise" not in said(editor.get(f"/drafts/{draft}/cases").text)
    more = field(revision="2", reason="The study asks for it.")
    answer = editor.post(f"/drafts/{draft}/field/{STUDY}/payload", data=more)
    assert answer.status_code == 303
    told = "Other columns than expected go to"
    page = said(editor.get(f"/drafts/{draft}").text)
    assert "What comes out otherwise than expected" in page
    assert told in page
    assert "Otherwise" in said(editor.get(f"/drafts/{draft}/cases").text)
    assert added(editor, draft, 3, expects="permit") == 303, "it takes the other's place"
    page = said(editor.get(f"/drafts/{draft}/cases").text)
    assert page.count(f"{STUDY}: may leave") >= 1
    job = done(data, editor, f"/drafts/{draft}/propose", revision="4")
    assert (job.kind, job.outcome["state"]) == (JobKind.PROPOSE, "proposed")
    page = said(client_as("approver").get(f"/agreements/{TRAFFORD}/proposal").text)
    assert told in page, "the case that was there before does not expect the column"


def test_a_case_that_would_not_come_out_so_is_not_saved_and_says_why(
    data: Settings, client_as: Clients
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    before = texts_of(data, draft)
    for form, told in (
        ({"expects": "column", "column": "family_register.programme_arm"}, "lets it leave even so"),
        ({"expects": ""}, "Choose what you expect"),
        ({"expects": "basis", "basis": "UKGDPR-9-2-a"}, "Choose the legal basis"),
        ({"expects": "column", "column": "nothing.at_all"}, "Choose the column"),
        ({"expects": "permit", "purpose": "unknown"}, "Choose a purpose of the draft"),
    ):
        asked = {"purpose": STUDY, "revision": "1"} | form
        answer = editor.post(f"/drafts/{draft}/cases", data=asked)
        assert answer.status_code == 422
        assert told in said(answer.text), told
    ended = WHOLE | {"legal_bases": ["UKGDPR-6-1-e", "UKGDPR-84B"]}
    assert editor.post(f"/drafts/{draft}/purpose/{STUDY}", data=ended).status_code == 303
    answer = editor.post(
        f"/drafts/{draft}/cases", data={"purpose": STUDY, "expects": "permit", "revision": "2"}
    )
    assert answer.status_code == 422
    assert "It is refused: " in said(answer.text)
    assert texts_of(data, draft)[BOOK] == before[BOOK]


def test_an_agreement_until_the_last_of_days_has_no_case_after_it(client_as: Clients) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    page = editor.get(f"/drafts/{draft}/text").text
    text = html.unescape(page.partition("<textarea")[2].partition(">")[2].partition("<")[0])
    lasting = re.sub(r"(?m)^ends = .*$", "ends = 9999-12-31", text, count=1)
    form = {"path": "agreements/trafford.toml", "text": lasting, "revision": "1", "reason": "Long."}
    assert editor.post(f"/drafts/{draft}/text", data=form).status_code == 303
    answer = editor.post(
        f"/drafts/{draft}/cases", data={"purpose": STUDY, "expects": "ended", "revision": "2"}
    )
    assert answer.status_code == 422
    assert "No day comes after its last day" in said(answer.text)


def test_a_case_is_taken_out_and_the_last_of_its_book_stays(
    data: Settings, client_as: Clients
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    bundle, _ = load(texts_of(data, draft))
    first, *others = bundle.casebooks[BOOK].cases
    form = {"path": BOOK, "name": first.name, "revision": "1", "reason": "Not meant."}
    assert editor.post(f"/drafts/{draft}/cases/remove", data=form).status_code == 303
    left, _ = load(texts_of(data, draft))
    assert [each.name for each in left.casebooks[BOOK].cases] == [each.name for each in others]
    again = editor.post(f"/drafts/{draft}/cases/remove", data=form | {"revision": "2"})
    assert again.status_code == 422
    assert "no such case" in said(again.text)
    other = form | {"path": "vocabulary.toml", "revision": "2"}
    assert editor.post(f"/drafts/{draft}/cases/remove", data=other).status_code == 422


def test_an_editor_alone_writes_cases(client_as: Clients) -> None:
    draft = begun(client_as("editor"))
    for role in ("approver", "auditor", "release-officer"):
        assert client_as(role).get(f"/drafts/{draft}/cases").status_code == 403
        answer = client_as(role).post(f"/drafts/{draft}/cases", data={"purpose": STUDY})
        assert answer.status_code == 403
