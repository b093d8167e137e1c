"""Whom a change of shared documents reaches, and where documents may stand at all."""

from __future__ import annotations

import pytest

from gateway.policy import load, policy_digest, reached
from gateway.policy.places import kind_of, misplaced
from gateway.policy.rereading import changed
from tests.policies.test_lines import DOCUMENTS


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("vocabulary.toml", 'meaning = "First given name."', 'meaning = "Given name."'),
        ("vocabulary.toml", "# The vocabulary: each", "# Vocabulary: each"),
        ("recipients/ons-research.toml", "expires = 20", "expires = 21"),
        ("recipients/gm-research.toml", 'team = "', 'team = "The '),
        ("datasets/school_attendance.toml", 'title = "', 'title = "The '),
        ("legal-bases.toml", 'permits = "', 'permits = "All '),
        ("agreements/kirklees.toml", 'title = "', 'title = "The '),
        *(
            (path, 'title = "', 'title = "The ')
            for path in DOCUMENTS
            if path.startswith("protocols/")
        ),
    ],
)
def test_what_is_reached_is_what_has_another_digest(path: str, old: str, new: str) -> None:
    assert old in DOCUMENTS[path], path
    (before, _), (after, findings) = (
        load(each)
        for each in (DOCUMENTS, changed(DOCUMENTS, {path: DOCUMENTS[path].replace(old, new)}))
    )
    assert findings == ()
    apart = sorted(
        key for key in before.agreements if policy_digest(before, key) != policy_digest(after, key)
    )
    assert list(reached(before, after)) == apart


def test_an_agreement_that_is_gone_is_reached() -> None:
    (before, _), (after, _) = (
        load(each) for each in (DOCUMENTS, changed(DOCUMENTS, {"agreements/kirklees.toml": ""}))
    )
    assert reached(before, after) == ("kirklees-stronger-families",)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("vocabulary.toml", "vocabulary.toml"),
        ("agreements/one.toml", "agreements/"),
        ("cases/one.two.toml", "cases/"),
        ("agreements/../one.toml", None),
        ("agreements/one.py", None),
        ("elsewhere/one.toml", None),
        ("agreements/" + "a" * 120 + ".toml", None),
    ],
)
def test_a_document_has_a_place(path: str, kind: str | None) -> None:
    assert kind_of(path) == kind


def test_a_place_that_is_none_is_not_repeated() -> None:
    assert misplaced().code == "policy/unknown-document"
