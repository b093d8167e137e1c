"""Reading again what has changed gives what reading all of it gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import policy
from gateway.policy import rereading
from gateway.policy.rereading import Rereader, changed

POLICIES = Path(__file__).parents[2] / "policies"
DOCUMENTS = {
    str(path.relative_to(POLICIES)): path.read_text(encoding="utf-8")
    for path in POLICIES.rglob("*.toml")
}
EDITS = (
    ("agreements/trafford.toml", "\nversion = 3\n", "\nversion = 4\n"),
    ("agreements/trafford.toml", 'treat = "keep", clause = "4.2(c)i"', 'treat = "x", clause = "1"'),
    ("agreements/knowsley.toml", "[purposes", "[purpose"),
    ("agreements/kirklees.toml", 'id = "kirklees-', 'id = "trafford-'),
    ("vocabulary.toml", 'class = "plain"', 'class = "direct"'),
    ("recipients/ons-research.toml", "expires = 2028", "expires = 2027"),
    ("legal-bases.toml", "[bases.", "[base."),
)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.sampled_from(EDITS), max_size=4))
def test_any_row_of_edits_reads_as_if_all_were_read_anew(edits: list[tuple[str, str, str]]) -> None:
    reader, documents = Rereader(), dict(DOCUMENTS)
    reader.load(documents)
    for path, old, new in edits:
        documents[path] = documents[path].replace(old, new, 1)
        again, findings = reader.load(documents)
        whole, expected = policy.load(documents)
        assert again == whole
        assert set(findings) == set(expected)


def seen_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The agreements that are read from here on."""
    read: list[str] = []
    whole = rereading._read
    monkeypatch.setattr(
        rereading, "_read", lambda path, *rest: read.append(path) or whole(path, *rest)
    )
    return read


def remarked(path: str, remark: int) -> dict[str, str]:
    return DOCUMENTS | {path: f"{DOCUMENTS[path]}\n# remark {remark}\n"}


def test_an_edit_of_one_agreement_reads_only_that_one(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Rereader()
    reader.load(DOCUMENTS)
    read = seen_read(monkeypatch)
    reader.load(remarked("agreements/trafford.toml", 1))
    assert read == ["agreements/trafford.toml"]


def test_documents_in_use_are_not_read_anew_however_many_drafts_were_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader = Rereader()
    reader.load(DOCUMENTS)
    for draft in range(3 * rereading.BUNDLES_KEPT):
        reader.load(remarked("vocabulary.toml", draft % 7))
        reader.load(remarked("agreements/kirklees.toml", draft))
        reader.load(DOCUMENTS)
    read = seen_read(monkeypatch)
    reader.load(remarked("agreements/trafford.toml", 1))
    assert read == ["agreements/trafford.toml"]


def test_what_no_kept_documents_hold_is_forgotten() -> None:
    reader = Rereader()
    for draft in range(3 * rereading.BUNDLES_KEPT):
        reader.load(remarked("agreements/kirklees.toml", draft))
    agreements = sum(path.startswith("agreements/") for path in DOCUMENTS)
    assert len(reader._agreements) == agreements - 1 + rereading.BUNDLES_KEPT


def test_an_empty_text_takes_a_document_away() -> None:
    assert changed({"a": "1", "b": "2"}, {"a": "", "c": "3"}) == {"b": "2", "c": "3"}
