"""The agreement itself by form: its parts, what never leaves, one more purpose, in one draft."""

from __future__ import annotations

import difflib
from collections.abc import Callable

import pytest

from gateway.adapters import policy_drafts
from gateway.adapters.database import Database
from gateway.adapters.settings import Settings
from tests.web.office import Browser
from tests.web.test_workshop import begun, said

Clients = Callable[[str], Browser]
PURPOSE = {
    "title": "Does early help raise attendance",
    "id": "attendance-research",
    "clause": "9.1",
    "legal_bases": ["UKGDPR-6-1-e", "UKGDPR-84B"],
    "subjects": "pupils",
    "participation": "objection",
    "household": "drop-person",
    "recipient": "gm-research",
    "form": "link-id",
    "k": "10",
    "retain_until": "2028-03-31",
    "duties": ["research-only", "no-decisions"],
    "notice": "early-help-2026",
    "state": "de-identified",
    "identifiers": ["date_of_birth", "sex"],
    "revision": "1",
    "reason": "Schools ask whether it helps.",
}


def text_of(data: Settings, draft: str) -> str:
    database = Database(data.database_url)
    with database.read() as connection:
        (text,) = policy_drafts.find(connection, draft).changes.values()
    database.close()
    return text


def test_the_parts_of_an_agreement_are_changed_by_form(data: Settings, client_as: Clients) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    page = editor.get(f"/drafts/{draft}/agreement").text
    assert 'value="Stronger Families information sharing agreement"' in page
    form = {
        "title": "Trafford agreement",
        "benefits": "Families get one offer.",
        "contact": "desk@trafford.example",
        "dpia": "DPIA-2027-001",
        "review": "2027-01-31",
        "ends": "2027-06-30",
        "parties": ["trafford-schools", "ons"],
        "areas": "Trafford, Salford",
        "method": "Stronger Families gateway, by sealed package",
        "under": "warrington-tier-1",
        "processors": ["ons"],
        "complaints": "",
        "data_protection_officer": "dpo@trafford.example",
        "revision": "1",
        "reason": "Reviewed.",
    }
    before = text_of(data, draft)
    assert editor.post(f"/drafts/{draft}/agreement", data=form).status_code == 303
    after = text_of(data, draft)
    assert 'title = "Trafford agreement"' in after
    assert "review = 2027-01-31" in after
    assert 'areas = ["Trafford", "Salford"]' in after
    assert 'under = "warrington-tier-1"' in after
    assert 'data_protection_officer = "dpo@trafford.example"' in after
    assert after.count("#") == before.count("#"), "comments stay"
    assert "Trafford agreement" in said(editor.get(f"/drafts/{draft}").text)
    alone = form | {"under": "", "processors": [], "dpia": "", "revision": "2"}
    assert editor.post(f"/drafts/{draft}/agreement", data=alone).status_code == 303
    for key in ("under", "processors", "dpia"):
        assert f"\n{key} = " not in text_of(data, draft), key


@pytest.mark.parametrize(
    ("page", "form"),
    [
        ("agreement", {"title": "As typed", "ends": "soon", "areas": "Sale, Urmston"}),
        ("purpose/national-impact-study", {"title": "As typed", "retain_until": "soon"}),
        (
            "field/national-impact-study/payload",
            {"name": "as_typed", "clause": "", "treat": "other", "other": "top-code:9"},
        ),
        ("prohibition", {"field": "sex", "clause": "x y", "because": "As typed"}),
        ("purposes/new", {"id": "as-typed", "title": "As typed", "k": "0"}),
    ],
)
def test_what_was_typed_is_shown_again_and_made_from_the_same_revision(
    client_as: Clients, page: str, form: dict[str, str]
) -> None:
    """Meanwhile somebody else has saved: the faulty form must not win over them."""
    editor = client_as("editor")
    draft = begun(editor)
    other = {"field": "nhs_number", "clause": "3.9", "because": "Never.", "revision": "1"}
    assert editor.post(f"/drafts/{draft}/prohibition", data=other).status_code == 303
    typed = form | {"revision": "1", "reason": "Because I was asked to."}
    answer = editor.post(f"/drafts/{draft}/{page}", data=typed)
    assert answer.status_code == 422
    for value in (v for k, v in form.items() if k not in {"treat", "field"} and v):
        assert f'value="{value}"' in answer.text, value
    assert 'name="revision" value="1"' in answer.text
    assert 'value="Because I was asked to."' in answer.text


def test_a_purpose_is_renamed_by_form(data: Settings, client_as: Clients) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    page = editor.get(f"/drafts/{draft}/purpose/national-impact-study").text
    assert 'value="National Impact Study"' in page
    form = {
        "title": "Study of what works",
        "participation": "objection",
        "household": "drop-person",
        "retain_until": "2028-03-31",
        "legal_bases": ["UKGDPR-6-1-e", "UKGDPR-9-2-j", "UKGDPR-84B", "DPA18-SCH1-4"],
        "duties": ["research-only"],
        "revision": "1",
    }
    before = text_of(data, draft)
    saved = editor.post(f"/drafts/{draft}/purpose/national-impact-study", data=form)
    assert saved.status_code == 303
    after = text_of(data, draft)
    assert 'title = "Study of what works"' in after
    assert 'title = "National Impact Study"' not in after
    assert after.count("#") == before.count("#"), "comments stay"


WHOLE = {
    "title": "National Impact Study",
    "clause": "4.2",
    "subjects": "programme-and-comparison",
    "participation": "objection",
    "household": "drop-person",
    "take": "one",
    "retain_until": "2028-03-31",
    "legal_bases": ["UKGDPR-6-1-e", "UKGDPR-9-2-j", "UKGDPR-84B", "DPA18-SCH1-4"],
    "duties": [
        *("research-only", "no-decisions", "no-onward-sharing"),
        *("not-returned", "destroy-and-certify"),
    ],
    "notice": "trafford-2015-04",
    "state": "de-identified",
    "identifiers": ["name", "address", "date_of_birth", "sex"],
    "recipient.linkage": "ons-linkage-unit",
    "form.linkage": "tokens",
    "recipient.payload": "ons-research",
    "form.payload": "link-id",
    "k.payload": "5",
    "small.payload": "suppress",
    "groups.payload": ["age_band", "sex", "district"],
    "revision": "1",
}


def test_a_purpose_saved_as_it_stands_changes_no_letter(data: Settings, client_as: Clients) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    before = text_of(data, draft)
    page = editor.get(f"/drafts/{draft}/purpose/national-impact-study").text
    for shown in ('value="trafford-2015-04"', 'name="groups.payload"', 'value="ons-research" sel'):
        assert shown in page
    until = page.partition('name="retain_until" value="')[2].partition('"')[0]
    form = WHOLE | {"retain_until": until}
    saved = editor.post(f"/drafts/{draft}/purpose/national-impact-study", data=form)
    assert saved.status_code == 303
    assert text_of(data, draft) == before


def test_whom_it_is_about_and_who_receives_it_are_set_by_form(
    data: Settings, client_as: Clients
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    form = WHOLE | {
        "clause": "4.2a",
        "subjects": "identified-families",
        "notice": "trafford-2026-10",
        "identifiers": ["name", "date_of_birth"],
        "recipient.payload": "gm-research",
        "form.payload": "none",
        "k.payload": "8",
        "small.payload": "refuse",
        "groups.payload": ["age_band", "district"],
    }
    before = text_of(data, draft)
    saved = editor.post(f"/drafts/{draft}/purpose/national-impact-study", data=form)
    assert saved.status_code == 303, said(saved.text)
    added = [
        line.removeprefix("+ ").partition("#")[0].strip()
        for line in difflib.ndiff(before.splitlines(), text_of(data, draft).splitlines())
        if line.startswith("+ ")
    ]
    assert set(added) == {
        'clause = "4.2a"',
        "retain_until = 2028-03-31",
        'subjects = "identified-families"',
        'version = "trafford-2026-10"',
        'identifiers = ["name", "date_of_birth"]',
        'recipient = "gm-research"',
        'identifiers = "none"',
        "k = 8",
        'on_small_group = "refuse"',
        'key_variables = ["age_band", "district"]',
    }
    page = said(editor.get(f"/drafts/{draft}").text)
    assert "It cannot be proposed yet" not in page
    assert "What it changes" in page


def test_faults_of_a_purpose_are_said_at_their_parts(client_as: Clients) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    form = WHOLE | {"clause": "", "subjects": "nobody", "notice": " ", "state": ""}
    form |= {"recipient.payload": "", "k.payload": "1", "groups.payload": []}
    answer = editor.post(f"/drafts/{draft}/purpose/national-impact-study", data=form)
    assert answer.status_code == 422
    for part in ("clause", "subjects", "notice", "state", "recipient.payload", "k.payload"):
        assert f'href="#{part}"' in answer.text, part
        assert f'id="{part}-error"' in answer.text, part
    assert 'name="k.payload" value="1"' in answer.text


def test_what_would_not_load_is_said_at_the_output_that_it_is_about(client_as: Clients) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    form = WHOLE | {"recipient.payload": "nobody-known", "groups.payload": ["age_band", "shoe"]}
    answer = editor.post(f"/drafts/{draft}/purpose/national-impact-study", data=form)
    assert answer.status_code == 422
    assert 'id="recipient.payload-error"' in answer.text
    assert 'href="#groups.payload"' in answer.text
    assert "identifiers-error" not in answer.text


def test_what_never_leaves_is_said_by_form(data: Settings, client_as: Clients) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    assert "free_text_notes" in editor.get(f"/drafts/{draft}/prohibition").text
    form = {"field": "nhs_number", "clause": "3.9", "because": "It is never needed."}
    form |= {"revision": "1", "reason": "The board asked."}
    assert editor.post(f"/drafts/{draft}/prohibition", data=form).status_code == 303
    assert "3.9" in text_of(data, draft)
    assert "prohibits NHS number in" in said(editor.get(f"/drafts/{draft}").text)


def test_a_purpose_is_added_by_form_and_then_takes_fields(
    data: Settings, client_as: Clients
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    assert editor.get(f"/drafts/{draft}/purposes/new").status_code == 200
    answer = editor.post(f"/drafts/{draft}/purposes/new", data=PURPOSE)
    assert answer.status_code == 303, said(answer.text)
    page = said(editor.get(f"/drafts/{draft}").text)
    assert "adds purpose" in page or "attendance-research" in page
    field = f"/drafts/{draft}/field/attendance-research/payload"
    assert "school_attendance" in editor.get(field).text
    form = {"column": "school_attendance.sex", "treat": "keep", "clause": "9.1(a)"}
    assert editor.post(field, data=form | {"revision": "2", "reason": "x"}).status_code == 303
    shown = said(editor.get(f"/drafts/{draft}").text)
    assert "adds Sex at registration ( sex ) to" in shown


@pytest.mark.parametrize(
    ("path", "form", "said_there"),
    [
        ("agreement", {"title": "x"}, "Enter the last day"),
        ("agreement", {"review": "soon"}, "Enter the day of the review"),
        ("prohibition", {"field": "nhs_number"}, "Enter the clause that says so"),
        ("purposes/new", PURPOSE | {"k": "1"}, "Enter a group size from 2 to 1000"),
        ("purposes/new", PURPOSE | {"subjects": "everybody"}, "Choose whom it is about"),
        ("purposes/new", {"title": "<script>x</script>"}, "Choose at least one legal basis"),
    ],
)
def test_each_fault_of_a_form_is_said_at_its_field_and_what_was_typed_stays(
    client_as: Clients, path: str, form: dict[str, object], said_there: str
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    answer = editor.post(f"/drafts/{draft}/{path}", data={**form, "revision": "1"})
    assert answer.status_code == 422
    assert said_there in said(answer.text)
    assert "<script>x" not in answer.text
    for name in ("title",):
        if name in form and path != "prohibition":
            assert 'value="&lt;script' in answer.text or f'value="{form[name]}"' in answer.text


@pytest.mark.parametrize("role", ["approver", "auditor", "release-officer"])
def test_only_editors_write(client_as: Clients, role: str) -> None:
    draft = begun(client_as("editor"))
    other = client_as(role)
    for path in ("agreement", "prohibition", "purposes/new"):
        assert other.get(f"/drafts/{draft}/{path}").status_code == 403
        assert other.post(f"/drafts/{draft}/{path}", data=PURPOSE).status_code == 403


def test_a_save_over_anothers_save_is_refused_here_too(client_as: Clients) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    form = {"field": "nhs_number", "clause": "3.9", "because": "Never.", "reason": "x"}
    editor.post(f"/drafts/{draft}/prohibition", data=form | {"revision": "1"})
    again = editor.post(f"/drafts/{draft}/prohibition", data=form | {"revision": "1"})
    assert again.status_code == 409
