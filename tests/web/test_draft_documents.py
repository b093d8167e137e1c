"""Vocabulary, legal bases, recipients and datasets by form: comments stay, faults at their part."""

from __future__ import annotations

import html
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import policy
from gateway.adapters import policy_drafts, policy_store
from gateway.adapters.database import Database
from gateway.adapters.policy_entries import remove_entry
from gateway.adapters.settings import Settings
from tests.web.office import Browser
from tests.web.test_workshop import begun, said

Clients = Callable[[str], Browser]
POLICIES = Path(__file__).parents[2] / "policies"
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
    (body,) = re.findall(r'<form method="post"[^>]*novalidate[^>]*>(.*?)</form>', page, re.S)
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
def test_a_form_that_nobody_touched_changes_nothing_and_ends_no_approval(
    data: Settings, client_as: Clients, kind: str, query: str
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    address = f"/drafts/{draft}/documents/{kind}"
    form = form_of(editor.get(f"{address}?{query}").text)
    saved = editor.post(address, data=form)
    assert saved.status_code == 303, said(saved.text)
    assert saved.location == f"/drafts/{draft}"
    _, changes = texts(data, draft)
    assert [path for path in changes if not path.startswith("agreements/")] == []
    assert "revision 1," in said(editor.get(f"/drafts/{draft}").text)


def test_every_entry_of_every_document_comes_back_from_its_form_as_it_was(
    data: Settings, client_as: Clients
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    now, _ = texts(data, draft)
    for path in sorted(path for path in now if path.startswith(("recipients/", "datasets/"))):
        kind = "recipient" if path.startswith("recipients/") else "dataset"
        page = editor.get(f"/drafts/{draft}/documents/{kind}?path={path}").text
        form = form_of(page)
        assert form["path"] == path
        saved = editor.post(f"/drafts/{draft}/documents/{kind}", data=form)
        assert saved.status_code == 303, said(saved.text)
    _, changes = texts(data, draft)
    assert [path for path in changes if not path.startswith("agreements/")] == []


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


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("cohort", "programme-and-comparison"),
        ("cohort", "identified-families"),
        ("party", "trafford-schools"),
        ("duty", "research-only"),
    ],
)
def test_an_entry_of_the_vocabulary_comes_back_from_its_form_as_it_was(
    data: Settings, client_as: Clients, kind: str, name: str
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    address = f"/drafts/{draft}/documents/{kind}"
    assert (
        editor.post(address, data=form_of(editor.get(f"{address}?name={name}").text)).status_code
        == 303
    )
    _, changes = texts(data, draft)
    assert "vocabulary.toml" not in changes


def test_cohorts_parties_and_duties_are_changed_by_form(data: Settings, client_as: Clients) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    edits = (
        (
            "cohort",
            "programme-families",
            {"where": "programme_arm = PROG, COMP\r\nextract_date = 2026-01-01..2026-12-31"},
        ),
        ("party", "trafford-schools", {"title": "Schools and academies of Trafford"}),
        ("duty", "research-only", {"says": "Use it for the agreed research only."}),
    )
    for revision, (kind, name, change) in enumerate(edits, 1):
        address = f"/drafts/{draft}/documents/{kind}"
        form = form_of(editor.get(f"{address}?name={name}").text) | change
        assert form["revision"] == str(revision)
        saved = editor.post(address, data=form)
        assert saved.status_code == 303, said(saved.text)
    now, changes = texts(data, draft)
    gone, come = lines_changed(now["vocabulary.toml"], changes["vocabulary.toml"])
    assert 'title = "Schools and academies of Trafford"' in come
    assert 'research-only = "Use it for the agreed research only."' in come
    (where,) = [line for line in come if line.startswith("where")]
    assert "2026-12-31" in where
    assert "COMP" in where
    assert len(come) == 4
    assert not [line for line in gone if line.startswith("#")]


def test_a_new_duty_and_a_new_cohort_are_written_in_their_sections(
    data: Settings, client_as: Clients
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    duty = {"new-name": "tell-us", "says": "Tell us of every loss within a day.", "revision": "1"}
    assert editor.post(f"/drafts/{draft}/documents/duty", data=duty).status_code == 303
    cohort = {"new-name": "comparison-families", "meaning": "Families to compare with."}
    cohort |= {"from": "family_register", "where": "programme_arm = COMP", "revision": "2"}
    cohort |= {"membership": "sensitive"}
    saved = editor.post(f"/drafts/{draft}/documents/cohort", data=cohort)
    assert saved.status_code == 303, said(saved.text)
    bundle, faults = policy.load({**texts(data, draft)[0], **texts(data, draft)[1]})
    assert not faults
    assert bundle.vocabulary.duties["tell-us"] == "Tell us of every loss within a day."
    made = bundle.vocabulary.cohorts["comparison-families"]
    assert made.where == {"programme_arm": ("COMP",)}


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("programme_arm", "Enter a column and its values on each line"),
        ("programme_arm = NOBODY", "is not known"),
        ("no_such_column = 1", "has no column"),
        ("extract_date = soon..later", "Enter a column and its values on each line"),
    ],
)
def test_a_condition_that_means_nothing_is_said_at_it_and_stays_typed(
    data: Settings, client_as: Clients, typed: str, told: str
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    address = f"/drafts/{draft}/documents/cohort"
    form = form_of(editor.get(f"{address}?name=programme-families").text) | {"where": typed}
    answer = editor.post(address, data=form | {"reason": "Only these."})
    assert answer.status_code == 422
    assert 'href="#where"' in answer.text
    assert told.lower() in said(answer.text).lower()
    assert typed in html.unescape(answer.text)
    assert 'value="Only these."' in answer.text
    assert list(texts(data, draft)[1]) == ["agreements/trafford.toml"]


def test_rules_between_columns_are_added_changed_and_taken_out(
    data: Settings, client_as: Clients
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    path = "datasets/police_incidents.toml"
    address = f"/drafts/{draft}/documents/rule"
    page = editor.get(f"/drafts/{draft}/documents/dataset?path={path}").text
    assert "Rules between columns" in said(page)
    form = form_of(editor.get(f"{address}?path={path}&name=abuse-has-risk").text)
    assert editor.post(address, data=form | {"tolerated": "0.3"}).status_code == 303
    new = {"path": path, "new-name": "some-name", "form": "one-of-present", "revision": "2"}
    saved = editor.post(address, data=new | {"columns": "surname\r\nforename"})
    assert saved.status_code == 303, said(saved.text)
    broken = editor.post(
        address, data=new | {"new-name": "x", "columns": "nobody", "revision": "3"}
    )
    assert broken.status_code == 422, "a rule of no known column"
    gone = form_of(editor.get(f"{address}?path={path}&name=incident-after-birth").text)
    assert editor.post(f"{address}/remove", data=gone).status_code == 303
    now, changes = texts(data, draft)
    before, after = tomllib.loads(now[path]), tomllib.loads(changes[path])
    rules = {rule["name"]: rule for rule in after["rules"]}
    assert list(rules)[-1] == "some-name"
    assert rules["some-name"]["columns"] == ["surname", "forename"]
    assert rules["abuse-has-risk"]["tolerated"] == 0.3
    assert "incident-after-birth" not in rules
    assert len(rules) == len(before["rules"])
    assert comments(changes[path]) == comments(now[path])


def test_an_entry_that_nothing_needs_is_taken_out_and_every_comment_stays(
    data: Settings, client_as: Clients
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    added = FIELD | {"meaning": "Kind of the support.", "codes": "1 = visit"}
    assert editor.post(f"/drafts/{draft}/documents/field", data=added).status_code == 303
    address = f"/drafts/{draft}/documents/field"
    form = form_of(editor.get(f"{address}?name=support_kind").text)
    assert editor.post(f"{address}/remove", data=form).status_code == 303
    now, changes = texts(data, draft)
    gone, come = lines_changed(now["vocabulary.toml"], changes["vocabulary.toml"])
    assert (gone, come) == (["version = 1"], ["version = 2"])


@pytest.mark.parametrize(
    ("kind", "query"),
    [
        ("field", "name=sex"),
        ("basis", "name=UKGDPR-6-1-e"),
        ("cohort", "name=programme-and-comparison"),
        ("duty", "name=research-only"),
        ("column", "path=datasets/family_register.toml&name=dob"),
    ],
)
def test_what_something_needs_is_not_taken_out(
    data: Settings, client_as: Clients, kind: str, query: str
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    address = f"/drafts/{draft}/documents/{kind}"
    form = form_of(editor.get(f"{address}?{query}").text)
    answer = editor.post(f"{address}/remove", data=form)
    assert answer.status_code == 422
    assert "cannot be taken out while something needs it" in said(answer.text)
    assert re.search(r"(agreements|datasets)/[a-z_-]+\.toml, ", said(answer.text))
    assert list(texts(data, draft)[1]) == ["agreements/trafford.toml"]


def comments(text: str) -> list[str]:
    """The comments of a document, in order."""
    return [line for line in text.splitlines() if line.lstrip().startswith("#")]


def test_every_entry_can_be_cut_out_of_its_text_and_nothing_else_goes() -> None:
    """Whatever stands around it: the rest of the document says what it said."""
    for path in sorted(POLICIES.rglob("*.toml")):
        text = path.read_text("utf-8")
        tree = tomllib.loads(text)
        for section in ("fields", "bases", "cohorts", "parties", "duties", "columns"):
            found = tree.get(section)
            for name in list(found)[:8] if isinstance(found, dict) else ():
                cut = remove_entry(text, (section, name))
                rest = tomllib.loads(text)
                del rest[section][name]
                assert tomllib.loads(cut).get(section, {}) == rest[section], (path.name, name)
                assert comments(cut) == comments(text), (path.name, name)
        for row in tree.get("rules", []):
            cut = remove_entry(text, ("rules",), row=row["name"])
            wanted = [each for each in tree["rules"] if each != row]
            assert tomllib.loads(cut).get("rules", []) == wanted
            assert comments(cut) == comments(text)
