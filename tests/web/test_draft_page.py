"""What the page of a draft says of an output, and the page of a preview of what was refused."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import render_template

from gateway.adapters.settings import Settings
from gateway.web import create_app, workshop
from gateway.web.preview_shown import PreviewShown, PurposeShown
from tests.web.office import CHEAP, Browser
from tests.web.test_workshop import begun, said

Clients = Callable[[str], Browser]


def test_an_output_of_tokens_says_so_and_offers_no_field(client_as: Clients) -> None:
    editor = client_as("editor")
    page = editor.get(f"/drafts/{begun(editor)}").text
    parts = re.split(r'(?=<h2 class="govuk-heading-m" id=")', page)
    (tokens,) = (part for part in parts if 'id="national-impact-study-linkage"' in part)
    (fields,) = (part for part in parts if 'id="national-impact-study-payload"' in part)
    assert "T01 to T39" in said(tokens)
    assert "No field leaves in this output" not in said(tokens)
    assert "Add a field" not in said(tokens)
    assert "Who is in, who receives it" in said(tokens)
    assert "Add a field" in said(fields)


def test_what_stands_in_the_way_of_a_purpose_is_said_once(data: Settings) -> None:
    refused = tuple(
        PurposeShown(
            title=title,
            state="refused",
            summary="",
            advice="",
            rows=(),
            outputs=(),
            stopped=(("Without the draft", ("Before.",)), ("With the draft", ("After.",))),
        )
        for title in ("One", "Two")
    )
    shown = PreviewShown(changes=(), purposes=refused, remarks=())
    app = create_app(data, passwords=CHEAP)
    with app.test_request_context("/jobs/x"):
        told = said(render_template("jobs/_preview.html", preview=shown))
    assert told.count("What stands in its way") == told.count("After.") == len(refused)
    assert "Before." not in told


def test_two_states_of_an_agreement_stand_apart(
    client_as: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line break between two tags lets the lower one cover the upper by five pixels."""
    monkeypatch.setattr(workshop, "review_due", lambda *_: True)
    page = client_as("editor").get("/agreements").text
    due = [line for line in page.splitlines() if ">Review due<" in line]
    assert due
    for line in due:
        assert re.search(
            r'</strong><div class="govuk-!-margin-top-2"><strong[^>]*>Review due<', line
        )
