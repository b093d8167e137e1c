"""The governed documents change under a running web process: seen at once, and no more is read.

Source: docs/reference/policy.md; security point 4.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.policy import rereading
from tests.journeys import borough
from tests.journeys.office import Office
from tests.web.office import Browser

BEFORE = ">Stronger Families information sharing agreement"
AFTER = ">Stronger Families agreement, said anew"


def changed_elsewhere(office: Office) -> None:
    """Propose and approve the agreement under another title, each in a process of its own."""
    file = office.policies / "agreements" / "trafford.toml"
    text = file.read_text().replace("\nversion = 3\n", "\nversion = 4\n")
    file.write_text(text.replace(BEFORE[1:], AFTER[1:]))
    for words in (
        ("policy", "propose", str(file), "--as", "edith"),
        ("policy", "approve", borough.AGREEMENT, "--as", "april"),
    ):
        done = office.apart(*words)
        out, err = done.communicate(timeout=120)
        assert done.returncode == 0, out + err


def test_what_another_process_has_approved_is_shown_at_the_next_request(
    office: Office, client_as: Callable[[str], Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    auditor = client_as("auditor")
    assert BEFORE in auditor.get("/agreements").text
    read: list[str] = []
    whole = rereading._read
    monkeypatch.setattr(
        rereading, "_read", lambda path, *rest: read.append(path) or whole(path, *rest)
    )
    auditor.get(f"/agreements/{borough.AGREEMENT}")
    assert read == [], "nothing has changed"
    changed_elsewhere(office)
    page = auditor.get("/agreements").text
    assert AFTER in page
    assert BEFORE not in page
    assert read == ["agreements/trafford.toml"], "the others are what they were"


def test_a_withdrawal_by_another_process_is_seen_at_the_next_request(
    office: Office, client_as: Callable[[str], Browser]
) -> None:
    officer = client_as("release-officer")
    assert borough.STUDY in officer.get("/releases/new").text
    done = office.apart("policy", "withdraw", borough.AGREEMENT, "--as", "april")
    out, err = done.communicate(timeout=120)
    assert done.returncode == 0, out + err
    assert borough.STUDY not in officer.get("/releases/new").text
