"""A text that cannot be read is told by its line, and as nothing else: nothing was removed."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.adapters.settings import Settings
from gateway.cli.policy_documents import check, compare
from tests.policies import shelf
from tests.web.office import Browser
from tests.web.test_workshop import begun, revision_of, said

Clients = Callable[[str], Browser]
PATH = "agreements/trafford.toml"
FORM = "application/x-www-form-urlencoded"


def text_of(editor: Browser, draft: str, path: str = PATH) -> str:
    page = editor.get(f"/drafts/{draft}/text?path={path}").text
    return html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.S).group(1))


def unquoted(text: str) -> tuple[str, int]:
    """The text with a value that lacks its quotes, and the line of it."""
    broken, found = re.subn(r"(?m)^title = .*$", "title = Data for a study", text, count=1)
    assert found == 1
    return broken, broken[: broken.index("title = Data")].count("\n") + 1


def test_an_unreadable_text_is_not_told_as_a_removal(client_as: Clients) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    broken, line = unquoted(text_of(editor, draft))
    untold = f"What it changes cannot be told until line {line} of {PATH} is mended."
    form = {"path": PATH, "text": broken, "revision": "1"}
    told = editor.post(f"/drafts/{draft}/check", data=form).get_json()
    assert [fault["line"] for fault in told["faults"]] == [line]
    assert told["changes"] == [untold]
    editor.post(f"/drafts/{draft}/text", data=form)
    page = said(editor.get(f"/drafts/{draft}").text)
    assert untold in page
    assert f"Line {line}: this is not TOML." in page
    assert "removes" not in page
    assert "What comes out otherwise than expected" not in page
    assert "Other agreements that it reaches" not in page


def test_what_hangs_on_an_unreadable_document_is_not_told_as_a_removal_either(
    client_as: Clients,
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    path = "vocabulary.toml"
    form = {"path": path, "text": "version = one\n", "revision": "1"}
    told = editor.post(f"/drafts/{draft}/check", data=form).get_json()
    assert told["changes"] == [f"What it changes cannot be told until line 1 of {path} is mended."]


def test_a_comparison_by_command_names_the_line_and_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policies = shelf.REPOSITORY / "policies"
    monkeypatch.setenv("GATEWAY_POLICIES", str(policies))
    broken, line = unquoted((policies / PATH).read_text("utf-8"))
    draft = tmp_path / "trafford.toml"
    draft.write_text(broken, "utf-8")
    told = CliRunner().invoke(compare, [str(policies / PATH), str(draft)])
    assert told.exit_code == 3
    assert f"line {line}" in told.output
    assert "removes" not in told.output


def test_what_is_not_utf_8_is_refused_and_not_stored_as_other_letters(
    client_as: Clients, data: Settings
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    for body in (b"path=x&text=%FF%FE&revision=1", b"path=x&text=\xff\xfe&revision=1"):
        answer = editor.post(f"/drafts/{draft}/text", data=body, content_type=FORM)
        assert answer.status_code == 422
        assert "not UTF-8" in said(answer.text)
    assert revision_of(data, draft) == 1


def test_a_lone_carriage_return_ends_no_line_on_the_page_or_by_command(
    client_as: Clients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = client_as("editor")
    draft = begun(editor)
    text = text_of(editor, draft)
    for ends, well in (("\r", False), ("\r\n", True)):
        form = {"path": PATH, "text": text.replace("\n", ends), "revision": "1"}
        told = editor.post(f"/drafts/{draft}/check", data=form).get_json()
        assert (not told["faults"]) is well, ends
        file = tmp_path / "trafford.toml"
        file.write_bytes(text.replace("\n", ends).encode())
        monkeypatch.setenv("GATEWAY_POLICIES", str(shelf.REPOSITORY / "policies"))
        checked = CliRunner().invoke(check, [str(file), "--json"])
        findings = [
            each
            for each in json.loads(checked.stdout)["findings"]
            if each["code"] == "policy/unreadable"
        ]
        assert (not findings) is well, ends
