"""Text that somebody types reads as it was written: refused at its field, and shown inert."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from gateway.adapters import policy_drafts
from gateway.adapters.database import Database
from gateway.adapters.settings import Settings
from tests.web.office import Browser
from tests.web.test_draft_agreements import PURPOSE
from tests.web.test_new_agreement import NAME, NEW, proposed, started, with_purpose
from tests.web.test_workshop import TRAFFORD, begun, said

Clients = Callable[[str], Browser]
UNFIT = {
    "override": "a\u202eb",
    "isolate": "a\u2067b",
    "nul": "a\0b",
    "bell": "a\x07b",
    "line end": "a\r\nb",
    "selector": "a\ufe0fb",
    "filler": "\u3164",
    "no dots": "\u2800",
}
unfit = pytest.mark.parametrize("typed", UNFIT.values(), ids=UNFIT)


def open_drafts(data: Settings) -> list[policy_drafts.Draft]:
    database = Database(data.database_url)
    with database.read() as connection:
        found = policy_drafts.listed(connection)
    database.close()
    return list(found)


def at(page: str, field: str) -> str:
    """What a page says is wrong with a field."""
    found = re.search(rf'<p id="{re.escape(field)}-error"[^>]*>(.*?)</p>', page, re.S)
    return said(found[1]).strip() if found else ""


def values(data: Settings, statement: sa.Update) -> None:
    database = Database(data.database_url)
    with database.begin() as connection:
        connection.execute(statement)
    database.close()


@unfit
def test_a_new_agreement_takes_no_text_that_reads_otherwise(
    data: Settings, client_as: Clients, typed: str
) -> None:
    editor = client_as("editor")
    for field in ("title", "benefits", "areas", "method", "contact", "dpia", "id"):
        answer = editor.post("/agreements/new", data=NEW | {field: typed})
        assert answer.status_code == 422, field
        assert at(answer.text, field), field
        assert not set("\u202e\u2067\0\x07\ufe0f\u3164") & set(answer.text), field
    assert open_drafts(data) == []


def test_what_is_refused_comes_back_as_it_would_be_read(client_as: Clients) -> None:
    page = client_as("editor").post("/agreements/new", data=NEW | {"title": "a\u202eb"}).text
    assert at(page, "title").startswith("Error: Title: characters that nobody sees")
    assert 'value="ab"' in page
    assert "\u202e" not in page


def test_what_no_document_takes_is_said_at_its_field(data: Settings, client_as: Clients) -> None:
    editor = client_as("editor")
    page = editor.post("/agreements/new", data=NEW | {"title": "x" * 2_001}).text
    assert "Title: this is longer than 2,000 characters" in at(page, "title")
    page = editor.post("/agreements/new", data=NEW | {"contact": "desk@trafford.gcsx.gov.uk"}).text
    assert at(page, "contact")
    assert open_drafts(data) == []


def test_an_id_is_taken_once_it_is_in_force_in_a_draft_or_proposed(
    data: Settings, client_as: Clients
) -> None:
    editor = client_as("editor")
    page = editor.post("/agreements/new", data=NEW | {"id": TRAFFORD}).text
    assert "There is one of this id already" in at(page, "id")
    draft = with_purpose(editor)
    page = editor.post("/agreements/new", data=NEW).text
    assert "A draft of one of this id is being written" in at(page, "id")
    proposed(data, editor, draft)
    page = editor.post("/agreements/new", data=NEW).text
    assert "One of this id is proposed" in at(page, "id")
    assert open_drafts(data) == []


def test_a_document_of_another_draft_keeps_its_name(data: Settings, client_as: Clients) -> None:
    editor = client_as("editor")
    mine, other = begun(editor), begun(editor)
    values(
        data,
        sa.update(policy_drafts.REVISIONS)
        .where(policy_drafts.REVISIONS.c.draft == other)
        .values(changes='{"recipients/new-team.toml": "id = 1"}', bases="{}"),
    )
    form = {"new-name": "new-team", "organisation": "trafford-council", "team": "A team"}
    form |= {"class": "synthetic", "channel": "portal", "expires": "2029-12-31", "revision": "1"}
    address = f"/drafts/{mine}/documents/recipient"
    page = editor.post(address, data=form).text
    assert "A draft of one of this name is being written" in at(page, "new-name"), said(page)
    assert editor.post(address, data=form | {"new-name": "newer-team"}).status_code == 303


@unfit
def test_a_purpose_and_a_prohibition_take_no_text_that_reads_otherwise(
    client_as: Clients, typed: str
) -> None:
    editor = client_as("editor")
    draft = started(editor)
    for field in ("title", "notice", "id"):
        answer = editor.post(f"/drafts/{draft}/purposes/new", data=PURPOSE | {field: typed})
        assert (answer.status_code, bool(at(answer.text, field))) == (422, True), field
    never = {"field": "sex", "clause": "3.2", "because": typed, "revision": "1"}
    answer = editor.post(f"/drafts/{draft}/prohibition", data=never)
    assert (answer.status_code, bool(at(answer.text, "because"))) == (422, True)
    itself = {"title": typed, "revision": "1"}
    assert at(editor.post(f"/drafts/{draft}/agreement", data=itself).text, "title")
    assert "revision 1," in said(editor.get(f"/drafts/{draft}").text)


def test_a_second_purpose_of_one_id_does_not_replace_the_first(client_as: Clients) -> None:
    editor = client_as("editor")
    draft = with_purpose(editor)
    again = PURPOSE | {"revision": "3", "title": "Another"}
    answer = editor.post(f"/drafts/{draft}/purposes/new", data=again)
    assert answer.status_code == 422
    assert "There is a purpose of this id already" in at(answer.text, "id")


@unfit
@pytest.mark.parametrize(
    ("kind", "field"),
    [
        *(("dataset", "title"), ("field", "meaning"), ("party", "title"), ("duty", "says")),
        *(("basis", "provision"), ("recipient", "team"), ("cohort", "meaning")),
    ],
)
def test_a_form_of_a_document_takes_no_text_that_reads_otherwise(
    client_as: Clients, kind: str, field: str, typed: str
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    form = {"new-name": "new-one", field: typed, "revision": "1"}
    page = editor.post(f"/drafts/{draft}/documents/{kind}", data=form).text
    if "\n" not in typed or f'<textarea class="govuk-textarea" id="{field}"' not in page:
        assert at(page, field), said(page)
    assert "revision 1," in said(editor.get(f"/drafts/{draft}").text)


def test_a_title_that_was_kept_before_turns_no_word_of_a_page_round(
    data: Settings, client_as: Clients
) -> None:
    editor = client_as("editor")
    draft = started(editor)
    table = policy_drafts.DRAFTS
    for kept, shown in (("a\u202eb\u2066", "ab"), ("\u3164\u200b", NAME)):
        values(data, sa.update(table).where(table.c.id == draft).values(title=kept))
        for address in ("/agreements", f"/drafts/{draft}", f"/drafts/{draft}/documents"):
            page = editor.get(address).text
            assert not set("\u202e\u2066\u3164\u200b") & set(page), address
            assert f">{shown}<" in page, address


def test_the_text_of_a_document_is_given_back_as_it_was_written(client_as: Clients) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    text, path = 'title = "\u202egnp"', "agreements/trafford.toml"
    editor.post(f"/drafts/{draft}/text", data={"path": path, "text": text, "revision": "1"})
    page = editor.get(f"/drafts/{draft}/text").text
    assert "\u202egnp" in page[page.index("<textarea") : page.index("</textarea>")]
    assert "\u202e" not in page[: page.index("<textarea")]
