"""Vocabulary, legal bases, recipients and datasets by form: comments stay, faults at their part."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest

from gateway.adapters import policy_drafts, policy_store
from gateway.adapters.database import Database
from gateway.adapters.settings import Settings
from tests.web.office import Browser
from tests.web.test_workshop import begun, said

Clients = Callable[[str], Browser]
FIELD = {"new-name": "support_kind", "class": "plain", "level": "person", "revision": "1"}


def texts(data: Settings, draft: str) -> tuple[dict[str, str], dict[str, str]]:
    """The current documents, and those that the draft changes."""
    database = Database(data.database_url)
    with database.read() as connection:
        found = policy_store.bundle(connection), policy_drafts.find(connection, draft).changes
    database.close()
    return dict(found[0]), dict(found[1])


def form_of(page: str) -> dict[str, str | list[str]]:
    """What a browser would send of the page's form, untouched."""
    (body,) = re.findall(r'<form method="post"[^>]*novalidate>(.*?)</form>', page, re.S)
    form: dict[str, str | list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", body):
        given = {key: html.unescape(value) for key, value in re.findall(r'([\w-]+)="(.*?)"', tag)}
        if given.get("type") == "checkbox" and tag.endswith(" checked>"):
            form.setdefault(given["name"], []).append(given["value"])  # type: ignore[union-attr]
        elif given.get("type") == "radio" and tag.endswith(" checked>"):
            form[given["name"]] = given["value"]
        elif given.get("type") not in {"checkbox", "radio"}:
            form[given["name"]] = given.get("value", "")
    for key, value in re.findall(r'<textarea[^>]* name="(.*?)"[^>]*>(.*?)</textarea>', body, re.S):
        form[key] = html.unescape(value).replace("\n", "\r\n")
    for key, options in re.findall(r'<select[^>]* name="(.*?)"[^>]*>(.*?)</select>', body, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        first = re.search(r'value="([^"]*)"', options)
        form[key] = html.unescape((chosen or first).group(1))
    return form


def lines_changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """Lines that went, and lines that came."""
    old, new = before.splitlines(), after.splitlines()
    return [each for each in old if each not in new], [each for each in new if each not in old]


def test_a_field_is_added_to_the_vocabulary_and_every_comment_stays(
    data: Settings, client_as: Clients
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    assert "Legal bases" in said(editor.get(f"/drafts/{draft}/documents").text)
    form = {**FIELD, "meaning": "Kind of the support.", "codes": "1 = visit\r\n2 = call"}
    saved = editor.post(f"/drafts/{draft}/documents/field", data=form | {"reason": "Wanted."})
    assert saved.status_code == 303, said(saved.text)
    now, changes = texts(data, draft)
    gone, come = lines_changed(now["vocabulary.toml"], changes["vocabulary.toml"])
    assert gone == ["version = 1"]
    assert come == [
        "version = 2",
        "[fields.support_kind]",
        'meaning = "Kind of the support."',
        'codes = {1 = "visit", 2 = "call"}',
    ]
    page = said(editor.get(f"/drafts/{draft}").text)
    assert "support_kind" in page
    assert "It cannot be proposed yet" not in page


@pytest.mark.parametrize(
    ("kind", "query"),
    [
        ("field", "name=sex"),
        ("basis", "name=UKGDPR-6-1-d"),
        ("recipient", "path=recipients/ons-research.toml"),
        ("dataset", "path=datasets/police_incidents.toml"),
        ("column", "path=datasets/police_incidents.toml&name=surname"),
    ],
)
def test_a_form_that_nobody_touched_changes_nothing_but_the_version(
    data: Settings, client_as: Clients, kind: str, query: str
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    address = f"/drafts/{draft}/documents/{kind}"
    form = form_of(editor.get(f"{address}?{query}").text)
    saved = editor.post(address, data=form)
    assert saved.status_code == 303, said(saved.text)
    now, changes = texts(data, draft)
    (path,) = (path for path in changes if not path.startswith("agreements/"))
    gone, come = lines_changed(now[path], changes[path])
    assert (gone, come) in [([], []), (["version = 1"], ["version = 2"])]


def test_every_entry_of_every_document_comes_back_from_its_form_as_it_was(
    data: Settings, client_as: Clients
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    now, _ = texts(data, draft)
    revision = 1
    for path in sorted(path for path in now if path.startswith(("recipients/", "datasets/"))):
        kind = "recipient" if path.startswith("recipients/") else "dataset"
        page = editor.get(f"/drafts/{draft}/documents/{kind}?path={path}").text
        form = form_of(page)
        assert form["path"] == path
        if revision < 12:
            saved = editor.post(f"/drafts/{draft}/documents/{kind}", data=form)
            assert saved.status_code == 303, said(saved.text)
            revision += 1
    _, changes = texts(data, draft)
    for path, text in changes.items():
        if not path.startswith("agreements/"):
            assert lines_changed(now[path], text)[1] in ([], ["version = 2"])


def test_a_column_is_changed_by_form(data: Settings, client_as: Clients) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    path = "datasets/police_incidents.toml"
    page = editor.get(f"/drafts/{draft}/documents/dataset?path={path}").text
    assert "Add a column" in said(page)
    address = f"/drafts/{draft}/documents/column"
    form = form_of(editor.get(f"{address}?path={path}&name=surname").text)
    form |= {"aliases": f"{form['aliases']}\r\nNachname", "tolerated": "0.03"}
    assert editor.post(address, data=form).status_code == 303
    now, changes = texts(data, draft)
    gone, come = lines_changed(now[path], changes[path])
    assert "tolerated = 0.03" in come
    assert 'aliases = ["last_name", "family_name", "Surname", "Nachname"]' in come
    assert 'aliases = ["last_name", "family_name", "Surname"]' in gone
    assert len(come) == 3, come


def test_a_new_column_of_no_known_field_is_refused_with_its_reason(
    data: Settings, client_as: Clients
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    form = {"path": "datasets/early_help.toml", "new-name": "made_up", "type": "text"}
    answer = editor.post(f"/drafts/{draft}/documents/column", data=form | {"revision": "1"})
    assert answer.status_code == 422
    assert "There is a problem" in said(answer.text)
    assert "is not in the vocabulary" in said(answer.text)
    assert 'value="made_up"' in answer.text
    assert list(texts(data, draft)[1]) == ["agreements/trafford.toml"]


def test_a_recipient_that_nothing_could_be_brought_to_is_said_at_its_channel(
    data: Settings, client_as: Clients
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    form = {
        "new-name": "trafford-research-2",
        "organisation": "trafford-council",
        "team": "Second research team",
        "class": "research-team\r\nsynthetic",
        "channel": "https",
        "expires": "next year",
        "revision": "1",
    }
    address = f"/drafts/{draft}/documents/recipient"
    answer = editor.post(address, data=form)
    assert answer.status_code == 422
    assert 'href="#expires"' in answer.text
    answer = editor.post(address, data=form | {"expires": "2029-12-31"})
    assert answer.status_code == 422
    assert 'href="#channel"' in answer.text
    form |= {"expires": "2029-12-31", "delivery.address": "https://safe.example/in"}
    assert editor.post(address, data=form).status_code == 303
    made = texts(data, draft)[1]["recipients/trafford-research-2.toml"]
    assert made.startswith('id = "trafford-research-2"\n')
    assert made.endswith('\n\n[delivery]\naddress = "https://safe.example/in"\n')
    assert "It cannot be proposed yet" not in said(editor.get(f"/drafts/{draft}").text)


def test_a_new_dataset_waits_for_its_first_column(data: Settings, client_as: Clients) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    form = {"new-name": "new_extract", "title": "New", "population": "synthetic"}
    form |= {"parties": "trafford-schools", "encodings": "utf-8", "revision": "1"}
    saved = editor.post(f"/drafts/{draft}/documents/dataset", data=form)
    assert saved.status_code == 303, said(saved.text)
    assert '"columns" is missing' in said(editor.get(f"/drafts/{draft}").text)
    column = {"path": "datasets/new_extract.toml", "new-name": "sex", "type": "codes"}
    column |= {"role": "sex", "required": "yes", "date_forms": "%Y-%m-%d", "revision": "2"}
    saved = editor.post(f"/drafts/{draft}/documents/column", data=column)
    assert saved.status_code == 303, said(saved.text)
    assert "It cannot be proposed yet" not in said(editor.get(f"/drafts/{draft}").text)


def test_a_legal_basis_is_ended_by_form(data: Settings, client_as: Clients) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    address = f"/drafts/{draft}/documents/basis"
    form = form_of(editor.get(f"{address}?name=UKGDPR-6-1-c").text) | {"valid_to": "2040-12-31"}
    assert editor.post(address, data=form).status_code == 303
    now, changes = texts(data, draft)
    _, come = lines_changed(now["legal-bases.toml"], changes["legal-bases.toml"])
    assert come == ["version = 2", "valid_to = 2040-12-31"]


def test_a_name_that_is_taken_is_not_written_over(data: Settings, client_as: Clients) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    form = FIELD | {"new-name": "sex", "meaning": "Another."}
    answer = editor.post(f"/drafts/{draft}/documents/field", data=form)
    assert answer.status_code == 422
    assert "There is one of this name already" in said(answer.text)


def test_a_form_made_from_an_older_revision_never_wins(data: Settings, client_as: Clients) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    address = f"/drafts/{draft}/documents/field"
    one = FIELD | {"meaning": "First."}
    assert editor.post(address, data=one).status_code == 303
    late = FIELD | {"new-name": "late", "meaning": ""}
    faulty = editor.post(address, data=late)
    assert faulty.status_code == 422
    assert 'name="revision" value="1"' in faulty.text, "a fault does not renew the revision"
    answer = editor.post(address, data=late | {"meaning": "Late."})
    assert answer.status_code == 409
    assert "[fields.late]" not in texts(data, draft)[1]["vocabulary.toml"]


def test_what_is_typed_stays_inert_and_what_is_not_there_is_not_edited(
    data: Settings, client_as: Clients
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    address = f"/drafts/{draft}/documents/field"
    evil = '"><script>alert(1)</script>'
    answer = editor.post(address, data=FIELD | {"new-name": evil, "meaning": evil})
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    assert editor.post(address, data=FIELD | {"meaning": evil}).status_code == 303
    assert "<script>alert" not in editor.get(f"{address}?name=support_kind").text
    for kind, query in (
        ("field", f"name={evil}"),
        ("recipient", "path=../gateway.toml"),
        ("column", "path=vocabulary.toml&name=sex"),
        ("agreement", "path=agreements/trafford.toml"),
    ):
        answer = editor.get(f"/drafts/{draft}/documents/{kind}?{query}")
        assert answer.status_code in {400, 404}, kind
        assert "<script>alert" not in answer.text


def test_only_an_editor_has_the_forms(client_as: Clients) -> None:
    draft = begun(client_as("editor"))
    for role in ("approver", "auditor"):
        assert client_as(role).get(f"/drafts/{draft}/documents").status_code == 403
        posted = client_as(role).post(f"/drafts/{draft}/documents/field", data=FIELD)
        assert posted.status_code == 403
