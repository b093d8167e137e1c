"""A lead writes a change, others approve it, and nobody gets round the other."""

from __future__ import annotations

import html
import io
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from gateway.adapters import jobs, operators, policy_drafts
from gateway.adapters.database import Database
from gateway.adapters.jobs import JobKind, JobState
from gateway.adapters.settings import Settings
from gateway.publishing.notice import NOT_IN_FORCE
from gateway.service.worker import Terms, work
from tests.journeys.office import Office
from tests.web.office import Browser

TRAFFORD = "trafford-stronger-families"
STUDY, PAYLOAD = "national-impact-study", "payload"
KINDS = (JobKind.PROPOSE, JobKind.APPROVE, JobKind.WITHDRAW)
Clients = Callable[[str], Browser]


@contextmanager
def at_work(data: Settings) -> Iterator[None]:
    """A real worker for the jobs of the workshop."""
    stop = threading.Event()
    thread = threading.Thread(target=work, args=(data, Terms(kinds=KINDS), stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def done(data: Settings, browser: Browser, path: str, **form: object) -> jobs.Job:
    """Press a button, and wait for the worker."""
    answer = browser.post(path, data=form)
    assert answer.status_code == 303, answer.text
    job = answer.location.rpartition("/")[2]
    database = Database(data.database_url)
    pause = threading.Event()
    with at_work(data):
        for _ in range(600):
            with database.read() as connection:
                found = jobs.find(connection, job)
            if found.state in (JobState.DONE, JobState.FAILED):
                break
            pause.wait(0.1)
    database.close()
    assert found.state is JobState.DONE, found.code
    return found


def begun(browser: Browser) -> str:
    answer = browser.post(f"/agreements/{TRAFFORD}/drafts")
    assert answer.status_code == 303
    return answer.location.rpartition("/")[2]


def field(**more: str) -> dict[str, str]:
    return {"column": "family_register.intensity", "treat": "keep", "clause": "4.2(c)iv"} | more


def said(page: str) -> str:
    """What a page says, without its markup."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def test_every_page_of_the_workshop_is_there_for_those_who_may(client_as: Clients) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    for path in (
        "/agreements",
        f"/agreements/{TRAFFORD}",
        f"/agreements/{TRAFFORD}/proposal",
        f"/agreements/{TRAFFORD}/notice",
        "/agreements/new",
        "/traces",
        f"/traces?agreement={TRAFFORD}&clause=4.2(c)i",
        "/traces?as=csv",
        "/register.csv",
        f"/drafts/{draft}",
        f"/drafts/{draft}/field/{STUDY}/{PAYLOAD}",
        f"/drafts/{draft}/field/{STUDY}/{PAYLOAD}?field=sex",
        f"/drafts/{draft}/purpose/{STUDY}",
        f"/drafts/{draft}/text",
        f"/drafts/{draft}/text?path=vocabulary.toml",
    ):
        assert editor.get(path).status_code == 200, path


def test_a_change_is_written_proposed_approved_and_then_in_force(
    data: Settings, client_as: Clients
) -> None:
    editor, approver = client_as("editor"), client_as("approver")
    draft = begun(editor)
    form = field(revision="1", reason="The study asks for it.")
    saved = editor.post(f"/drafts/{draft}/field/{STUDY}/{PAYLOAD}", data=form)
    assert saved.status_code == 303
    page = said(editor.get(f"/drafts/{draft}").text)
    assert "adds Intensity of the support ( intensity ) to National Impact Study" in page
    assert "The study asks for it." in page

    proposed = done(data, editor, f"/drafts/{draft}/propose", revision="2")
    assert proposed.outcome["state"] == "proposed"
    waiting = approver.get(f"/agreements/{TRAFFORD}/proposal").text
    assert "adds Intensity of the support ( intensity ) to National Impact Study" in said(waiting)
    digest = re.search(r'name="policy_digest" value="([0-9a-f]{64})"', waiting)
    assert digest is not None
    approved = done(
        data, approver, f"/agreements/{TRAFFORD}/approve", policy_digest=digest.group(1)
    )
    assert approved.outcome["state"] == "approved"
    assert "In force" in said(approver.get(f"/agreements/{TRAFFORD}").text)
    assert "intensity of the support" in said(approver.get(f"/agreements/{TRAFFORD}/notice").text)


REFUSED = [
    ({"name": "link_id"}, "name", "is written by the gateway"),
    ({"name": "Pseudonym"}, "name", "is written by the gateway"),
    ({"name": "sex"}, "name", "There is a field of this name already"),
    ({"treat": "other", "other": "band:5,3"}, "other", "each number larger"),
    ({"treat": "other", "other": "round:0"}, "other", "round:N with N of 1 or more"),
    ({"treat": "other", "other": "round:5"}, "treat", "cannot be treated so"),
    ({"treat": "year"}, "treat", "cannot be treated so"),
    ({"treat": "age-band-5", "at": "2026-04-01"}, "treat", "cannot be treated so"),
    ({"column": "family_register.dob", "name": "a", "treat": "age-band-5", "at": ""}, "at", "day"),
    (
        {"column": "family_register.dob", "name": "a", "treat": "age-band-5", "at": "1/4"},
        "at",
        "day",
    ),
    (
        {"column": "family_register.dob", "name": "a", "treat": "age-band-5", "at": "relation"},
        "at",
        "is no date column of the spine",
    ),
]


@pytest.mark.parametrize(("typed", "at", "told"), REFUSED, ids=range(len(REFUSED)))
def test_a_field_that_would_not_load_is_refused_at_its_place_and_nothing_is_saved(
    client_as: Clients, data: Settings, typed: dict[str, str], at: str, told: str
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    form = field(revision="1", reason="Why not.", **typed)
    answer = editor.post(f"/drafts/{draft}/field/{STUDY}/{PAYLOAD}", data=form)
    assert answer.status_code == 422
    (here,) = re.findall(rf'<p id="{at}-error"[^>]*>(.*?)</p>', answer.text, re.DOTALL)
    assert told in said(here)
    assert f'href="#{at}"' in answer.text
    assert f'id="{at}"' in answer.text
    for typed_text in (typed.get("name"), typed.get("other"), "4.2(c)iv", "Why not."):
        assert typed_text is None or f'value="{typed_text}"' in answer.text
    assert f'value="{form["column"]}" selected' in answer.text
    assert revision_of(data, draft) == 1


def test_an_age_may_be_taken_at_a_day_that_a_column_holds(
    client_as: Clients, data: Settings
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    path = f"/drafts/{draft}/field/{STUDY}/{PAYLOAD}"
    form = {"treat": "age-band-10", "name": "age_band", "from": "date_of_birth"}
    form |= {"clause": "4.2(c)i", "at": "assessed", "revision": "1"}
    assert editor.post(path, data=form).status_code == 303
    page = editor.get(f"{path}?field=age_band").text
    assert 'name="at" value="assessed"' in page
    # What the form shows can be saved as it is.
    assert editor.post(path, data=form | {"revision": "2"}).status_code == 303


def test_a_field_that_is_changed_wrongly_stays_the_one_that_is_changed(
    client_as: Clients, data: Settings
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    page = f"/drafts/{draft}/field/{STUDY}/{PAYLOAD}"
    shown = editor.get(f"{page}?field=age_band").text
    hidden = dict(re.findall(r'type="hidden" name="(name|source|from)" value="([^"]*)"', shown))
    assert hidden["from"] == "date_of_birth"
    form = {**hidden, "treat": "other", "other": "band:5,3", "clause": "4.2(c)i", "revision": "1"}
    answer = editor.post(page, data=form)
    assert answer.status_code == 422
    assert "Change age_band" in said(answer.text)
    again = dict(
        re.findall(r'type="hidden" name="(name|source|from)" value="([^"]*)"', answer.text)
    )
    assert again == hidden
    assert revision_of(data, draft) == 1


class Unread(io.BytesIO):
    """A body that nobody may read."""

    def read(self, _: int | None = -1) -> bytes:
        raise AssertionError("the body was read")


@pytest.mark.parametrize("page", ["text", "check", "agreement", "documents/field"])
def test_a_huge_form_is_refused_by_its_size_before_it_is_read(
    client_as: Clients, page: str
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    answer = editor.post(
        f"/drafts/{draft}/{page}",
        input_stream=Unread(b"text=" + b"1" * 10_000_000),
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 413


def test_the_largest_document_still_fits_into_a_form(client_as: Clients, data: Settings) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    text = "#" + "é" * 499_999
    form = {"path": "recipients/notes.toml", "text": text, "revision": "1", "reason": "x"}
    answer = editor.post(f"/drafts/{draft}/text", data=form)
    assert answer.status_code == 303
    assert revision_of(data, draft) == 2


def test_a_range_of_fields_is_changed_by_its_form(client_as: Clients) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    address = f"/drafts/{draft}/field/national-progress-study/{PAYLOAD}"
    shown = editor.get(f"{address}?field=FPD01..FPD58")
    assert "Change FPD01..FPD58" in said(shown.text)
    form = {"name": "FPD01..FPD58", "source": "family_progress", "treat": "keep"}
    form |= {"clause": "4.3(c)v", "revision": "1", "reason": "Another clause."}
    assert editor.post(address, data=form).status_code == 303
    text = html.unescape(editor.get(f"/drafts/{draft}/text").text)
    rule = '"FPD01..FPD58" = { source = "family_progress", treat = "keep", clause = "4.3(c)v" }'
    assert rule in text
    wrong = field(name="FPD01..FPD58", revision="2")
    assert editor.post(address, data=wrong).status_code == 422, "what is added is one column"


def test_a_form_of_what_is_not_there_is_not_found(client_as: Clients) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    for path in (
        f"field/nope/{PAYLOAD}",
        f"field/{STUDY}/nope",
        f"field/{STUDY}/{PAYLOAD}?field=nope",
        "purpose/nope",
    ):
        assert editor.get(f"/drafts/{draft}/{path}").status_code == 404, path


def test_a_purpose_that_is_saved_as_it_was_shown_keeps_its_text(client_as: Clients) -> None:
    editor = client_as("editor")
    draft = begun(editor)

    def text() -> str:
        page = editor.get(f"/drafts/{draft}/text").text
        return html.unescape(page.partition("<textarea")[2].partition("</textarea>")[0])

    before = text()
    shown = editor.get(f"/drafts/{draft}/purpose/{STUDY}").text
    assert editor.post(f"/drafts/{draft}/purpose/{STUDY}", data=as_sent(shown)).status_code == 303
    assert text() == before


def as_sent(page: str) -> dict[str, list[str]]:
    """What a browser sends of the first form of a page of which nothing was touched."""
    form = page.partition('<form method="post" novalidate')[2].partition("</form>")[0]
    sent: dict[str, list[str]] = {}
    for tag in re.findall(r"<input [^>]*>", form):
        given = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if given.get("type") not in {"radio", "checkbox"} or tag.endswith(" checked>"):
            sent.setdefault(given["name"], []).append(html.unescape(given["value"]))
    for name, options in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', form):
        sent[name] = re.findall(r'value="([^"]*)" selected', options)
    return sent


def revision_of(data: Settings, draft: str) -> int:
    database = Database(data.database_url)
    with database.read() as connection:
        found = policy_drafts.find(connection, draft)
    database.close()
    return found.revision


def test_an_editor_does_not_approve_their_own_change(data: Settings, client_as: Clients) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    editor.post(f"/drafts/{draft}/field/{STUDY}/{PAYLOAD}", data=field(revision="1"))
    done(data, editor, f"/drafts/{draft}/propose", revision="2")
    assert "Approve and sign" not in editor.get(f"/agreements/{TRAFFORD}/proposal").text
    answer = editor.post(f"/agreements/{TRAFFORD}/approve", data={"policy_digest": "0" * 64})
    assert answer.status_code == 403


def test_only_who_can_still_sign_is_offered_to(data: Settings, client_as: Clients) -> None:
    editor, approver = client_as("editor"), client_as("approver")
    draft = begun(editor)
    editor.post(f"/drafts/{draft}/field/{STUDY}/{PAYLOAD}", data=field(revision="1"))
    done(data, editor, f"/drafts/{draft}/propose", revision="2")
    proposal = f"/agreements/{TRAFFORD}/proposal"
    assert "Approve and sign" in approver.get(proposal).text
    assert "You may settle 1 of these" in said(approver.get("/waiting").text)
    database = Database(data.database_url)
    with database.begin() as connection:
        of_another = operators.ROLES.update().where(operators.ROLES.c.operator == "april")
        connection.execute(of_another.values(controller="knowsley-council"))
    database.close()
    assert "Approve and sign" not in approver.get(proposal).text
    assert "You may settle" not in said(approver.get("/waiting").text)


def test_another_text_than_the_one_read_is_not_signed(data: Settings, client_as: Clients) -> None:
    editor, approver = client_as("editor"), client_as("approver")
    draft = begun(editor)
    editor.post(f"/drafts/{draft}/field/{STUDY}/{PAYLOAD}", data=field(revision="1"))
    done(data, editor, f"/drafts/{draft}/propose", revision="2")
    job = done(data, approver, f"/agreements/{TRAFFORD}/approve", policy_digest="0" * 64)
    assert job.outcome["refusal"][0]["code"] == "policy/other-proposal"


def test_a_save_over_anothers_save_writes_nothing_and_says_so(client_as: Clients) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    path = f"/drafts/{draft}/field/{STUDY}/{PAYLOAD}"
    assert editor.post(path, data=field(revision="1")).status_code == 303
    mine = {"treat": "other", "other": "round:5", "reason": "<b>Because</b> of me."}
    late = editor.post(path, data=field(revision="1", **mine))
    assert late.status_code == 409
    assert "somebody else was faster" in said(late.text)
    for typed in ("round:5", "<b>Because</b> of me.", "4.2(c)iv"):
        assert typed in said(late.text), "what was typed is not lost"
    assert "<b>Because" not in late.text


def test_the_text_of_a_draft_shows_each_fault_at_its_line(client_as: Clients) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    page = editor.get(f"/drafts/{draft}/text").text
    text = html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.S).group(1))
    broken = text.replace('household = "drop-person"', 'household = "drop-dog"', 1)
    line = broken[: broken.index("drop-dog")].count("\n") + 1
    checked = editor.post(
        f"/drafts/{draft}/check", data={"path": "agreements/trafford.toml", "text": broken}
    ).get_json()
    assert line in {fault["line"] for fault in checked["faults"]}
    saved = editor.post(
        f"/drafts/{draft}/text",
        data={"path": "agreements/trafford.toml", "text": broken, "revision": "1"},
    )
    assert saved.status_code == 303
    shown = editor.get(f"/drafts/{draft}").text
    assert f"Line {line}" in shown
    assert "Propose it to the approvers" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "id = '<script>alert(1)</script>'",
        "purpоses = {}",
        'title = "\u202egnp"',
        "a = " + "[" * 200,
        "x = 1\nx = 2",
        "n = " + "9" * 100_000,
    ],
    ids=["markup", "look-alike", "bidirectional", "deep", "twice", "huge-number"],
)
def test_trickery_is_refused_with_a_reason_and_stays_inert(client_as: Clients, text: str) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    path = "agreements/trafford.toml"
    told = editor.post(f"/drafts/{draft}/check", data={"path": path, "text": text})
    assert told.status_code == 200
    assert told.get_json()["faults"]
    editor.post(f"/drafts/{draft}/text", data={"path": path, "text": text, "revision": "1"})
    page = editor.get(f"/drafts/{draft}/text").text
    assert "<script>alert" not in page
    assert "It cannot be proposed yet" in editor.get(f"/drafts/{draft}").text


def test_a_new_agreement_begins_from_the_template(client_as: Clients, data: Settings) -> None:
    editor = client_as("editor")
    empty = editor.post("/agreements/new", data={"id": "UPPER"})
    assert empty.status_code == 422
    assert said(empty.text).count("Enter") >= 4
    for asked in ("Under which protocol?", "How is it shared?", "Processor", "Day of the review"):
        assert asked in said(empty.text)
    answer = editor.post(
        "/agreements/new",
        data={
            "id": "early-help",
            "title": "Early help in schools",
            "benefits": "Help comes before a problem grows.",
            "areas": "Trafford, Salford",
            "contact": "early.help@trafford.example",
            "starts": "2026-12-01",
            "ends": "2027-11-30",
            "method": "Stronger Families gateway",
            "controller": ["trafford-council", "knowsley-council"],
            "parties": ["trafford-schools"],
            "under": "warrington-tier-1",
        },
    )
    assert answer.status_code == 303
    page = said(editor.get(answer.location).text)
    assert "adds agreement Early help in schools" in page
    database = Database(data.database_url)
    with database.read() as connection:
        (draft,) = policy_drafts.listed(connection)
    database.close()
    assert draft.agreement == "early-help"
    (text,) = draft.changes.values()
    assert 'under = "warrington-tier-1"' in text
    assert 'areas = ["Trafford", "Salford"]' in text
    assert 'controllers = ["trafford-council", "knowsley-council"]' in text
    assert "processors" not in text, "what nobody was named for is left out"


def test_what_nobody_approved_is_not_published_as_if_it_held(
    office: Office, client_as: Clients
) -> None:
    auditor = client_as("auditor")
    register = auditor.get("/register.csv").text
    assert f"{TRAFFORD}/" in register
    assert "knowsley" not in register.casefold()
    entries = auditor.get("/processing.json").json
    assert {each["standing"] for each in entries} == {"approved", "not approved"}
    with office.open():
        rows = office.ask("publish", "register")["register"]
        told = office.ask("publish", "processing")["processing"]
        notice = office.ask("publish", "notice", "knowsley-stronger-families")["sections"][0]
    assert {each["name"] for each in rows} == {"Stronger Families information sharing agreement"}
    assert [each["standing"] for each in told] == [each["standing"] for each in entries]
    assert notice["sentences"] == [NOT_IN_FORCE["not approved"]]


def test_a_withdrawn_agreement_is_in_force_no_more(data: Settings, client_as: Clients) -> None:
    approver = client_as("approver")
    job = done(data, approver, f"/agreements/{TRAFFORD}/withdraw")
    assert job.outcome["state"] == "withdrawn"
    page = said(approver.get(f"/agreements/{TRAFFORD}").text)
    assert "In force" not in page
    assert "Nobody has proposed it yet" not in page
    assert "Withdrawn It was withdrawn; it shares nothing" in page
    assert f"{TRAFFORD}/" not in approver.get("/register.csv").text
    entries = approver.get("/processing.json").json
    assert {e["standing"] for e in entries if e["agreement"].startswith(TRAFFORD)} == {"withdrawn"}
    notice = said(approver.get(f"/agreements/{TRAFFORD}/notice").text)
    assert "This agreement was withdrawn. Nothing more is shared under it." in notice
