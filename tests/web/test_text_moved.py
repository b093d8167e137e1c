"""Two people write one document as text: the later one sees both before one is replaced."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from gateway.web.text_lines import differing_lines
from tests.web.office import Browser
from tests.web.test_workshop import begun, said

Clients = Callable[[str], Browser]
AGREEMENT = "agreements/trafford.toml"
LINES = st.lists(st.sampled_from(["a", "b", "", "# a", "x = 1"]), max_size=30)


def text_of(page: str) -> str:
    found = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.S)
    assert found is not None
    return html.unescape(found.group(1))


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="(\d+)"', page)
    return found.group(1) if found else ""


def send(browser: Browser, draft: str, text: str, **more: str) -> TestResponse:
    form = {"path": AGREEMENT, "text": text, "reason": "Said.", **more}
    return browser.post(f"/drafts/{draft}/text", data=form)


@pytest.fixture
def late(client_as: Clients) -> tuple[Browser, str, str, TestResponse]:
    """A draft that somebody saved after somebody else had opened it, and what the late one sent."""
    editor = client_as("editor")
    draft = begun(editor)
    text = text_of(editor.get(f"/drafts/{draft}/text").text)
    assert send(editor, draft, f"{text}# of theirs\n", revision="1").status_code == 303
    mine = text.replace('household = "drop-person"', 'household = "drop-family"', 1)
    return editor, draft, mine, send(editor, draft, mine, revision="1")


def test_the_later_text_is_kept_and_shown_beside_what_stands(
    late: tuple[Browser, str, str, TestResponse],
) -> None:
    _, _, mine, answer = late
    assert answer.status_code == 409
    assert text_of(answer.text).strip() == mine.strip()
    told = said(answer.text.partition("<textarea")[0])
    for line in ('household = "drop-person"', 'household = "drop-family"', "# of theirs"):
        assert line in told
    assert 'id = "trafford-stronger-families"' not in told, "only what differs"


def test_saving_again_without_a_choice_writes_nothing(
    late: tuple[Browser, str, str, TestResponse],
) -> None:
    editor, draft, mine, answer = late
    again = send(editor, draft, mine, revision=hidden(answer.text, "revision"))
    assert again.status_code == 409
    assert "# of theirs" in text_of(editor.get(f"/drafts/{draft}/text").text)


def test_who_chooses_so_replaces_what_they_were_shown_and_nothing_newer(
    late: tuple[Browser, str, str, TestResponse],
) -> None:
    editor, draft, mine, answer = late
    shown = {"revision": hidden(answer.text, "revision"), "over": hidden(answer.text, "over")}
    newest = text_of(editor.get(f"/drafts/{draft}/text").text)
    assert send(editor, draft, f"{newest}# later\n", revision="2").status_code == 303
    refused = send(editor, draft, mine, **shown)
    assert refused.status_code == 409, "it is not what they were shown"
    assert "# later" in said(refused.text.partition("<textarea")[0])
    over = {"revision": "1", "over": hidden(refused.text, "over")}
    assert send(editor, draft, mine, **over).status_code == 303
    assert text_of(editor.get(f"/drafts/{draft}/text").text).strip() == mine.strip()


@given(before=LINES, after=LINES)
def test_what_differs_makes_the_one_text_of_the_other(before: list[str], after: list[str]) -> None:
    made: list[str] = []
    at = 0
    for each in differing_lines("\n".join(before), "\n".join(after)):
        was = "\n".join(before).splitlines()
        assert tuple(was[each.line_there - 1 :][: len(each.there)]) == each.there
        made += [*was[at : each.line_there - 1], *each.here]
        assert len(made) == each.line_here - 1 + len(each.here)
        at = each.line_there - 1 + len(each.there)
    made += "\n".join(before).splitlines()[at:]
    assert made == "\n".join(after).splitlines()


def test_long_texts_that_differ_throughout_are_told_as_one_piece() -> None:
    there, here = ("\n".join(f"{word} {n}" for n in range(9_000)) for word in ("old", "new"))
    (whole,) = differing_lines(f"same\n{there}\nend", f"same\n{here}\nend")
    assert (whole.line_there, len(whole.there), len(whole.here)) == (2, 9_000, 9_000)
