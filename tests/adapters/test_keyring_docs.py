"""The pages about keys say what the tables say."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.model.keys import FORMS, MEANINGS, KeyKind
from gateway.model.permissions import APART, PERMISSIONS, Action


@pytest.fixture
def page(repository: Path) -> str:
    return (repository / "docs" / "reference" / "keys.md").read_text()


@pytest.mark.parametrize("kind", list(KeyKind))
def test_every_kind_of_key_is_documented(page: str, kind: KeyKind) -> None:
    assert f"| `{kind}` | {FORMS[kind]} | {MEANINGS[kind]} |" in page


@pytest.mark.parametrize("action", list(Action))
def test_every_permission_is_documented(page: str, action: Action) -> None:
    assert f"| `{action}` | {', '.join(sorted(PERMISSIONS[action]))} |" in page


def test_every_separation_is_documented(page: str) -> None:
    for pair in APART:
        first, second = sorted(pair)
        assert f"- `{first}` and `{second}`" in page


def test_the_folder_of_public_keys_holds_no_secret(repository: Path) -> None:
    for path in (repository / "keys").rglob("*"):
        if path.is_file():
            held = path.read_bytes()
            assert b"AGE-SECRET-KEY-1" not in held
            assert b"PRIVATE KEY" not in held
            assert b'"sealed"' not in held
