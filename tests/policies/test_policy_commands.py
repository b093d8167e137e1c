"""The commands about documents: what they print, and with which exit code they end."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.adapters.policy_folder import read_policies, read_with
from gateway.cli.policy_documents import cases, check, compare, explain, schema
from gateway.cli.policy_review import review
from gateway.errors import RefusedError, UsageError
from gateway.policy import KINDS
from tests.policies import shelf

POLICIES = shelf.REPOSITORY / "policies"


@pytest.fixture(autouse=True)
def _shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_POLICIES", str(POLICIES))


def _run(command, *arguments: object) -> Result:  # type: ignore[no-untyped-def]
    return CliRunner().invoke(command, [str(each) for each in arguments])


def test_the_shipped_documents_load() -> None:
    result = _run(check, "--json")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert (answer["ok"], answer["findings"]) == (True, [])
    assert answer["documents"] > 40


def test_a_single_document_takes_the_place_of_the_one_of_its_id(tmp_path: Path) -> None:
    draft = tmp_path / "draft.toml"
    draft.write_text(shelf.EXAMPLE, encoding="utf-8")
    assert _run(check, draft).exit_code == 0
    draft.write_text(shelf.EXAMPLE.replace('"UKGDPR-84B"', '"UKGDPR-84"'), encoding="utf-8")
    result = _run(check, draft, "--json")
    assert result.exit_code == 3
    assert [f["code"] for f in json.loads(result.stdout)["findings"]] == [
        "policy/unknown-legal-basis"
    ]


@pytest.mark.parametrize("kind", ["recipients/ons-research", "datasets/housing", "vocabulary"])
def test_a_document_of_any_kind_is_known_by_what_stands_in_it(kind: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.toml"
    copy.write_bytes((POLICIES / f"{kind}.toml").read_bytes())
    assert _run(check, copy).exit_code == 0


def spoilt(folder: Path, document: str) -> list[tuple[str, str]]:
    shutil.copytree(POLICIES, folder)
    text = (folder / document).read_text(encoding="utf-8")
    (folder / document).write_text(f"surprise = 1\n{text}", encoding="utf-8")
    result = _run(check, folder, "--json")
    assert result.exit_code == 3
    return [(found["document"], found["code"]) for found in json.loads(result.stdout)["findings"]]


def test_one_slip_in_the_vocabulary_is_not_told_as_hundreds(tmp_path: Path) -> None:
    findings = spoilt(tmp_path / "policies", "vocabulary.toml")
    assert ("vocabulary.toml", "policy/unknown-key") in findings
    followers = [document for document, code in findings if document != "vocabulary.toml"]
    assert len(followers) == len(set(followers)) > 10
    assert {code for _, code in findings} == {"policy/unknown-key", "policy/vocabulary-absent"}


def test_a_contract_that_others_build_on_is_named_to_be_mended_first(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    spoilt(folder, "datasets/family_register.toml")
    assert "Mend datasets/family_register.toml first" in _run(check, folder).stderr


def test_a_broken_document_is_told_by_its_folder_and_named(tmp_path: Path) -> None:
    folder = tmp_path / "datasets"
    folder.mkdir()
    (folder / "broken.toml").write_text("a = [1\nb", encoding="utf-8")
    result = _run(check, folder / "broken.toml")
    assert result.exit_code == 3
    assert "policy/unreadable: datasets/broken.toml, line 2" in result.output
    (tmp_path / "broken.toml").write_text("[", encoding="utf-8")
    assert "agreements/broken.toml" in _run(check, tmp_path / "broken.toml").output


def test_two_documents_are_checked_together(tmp_path: Path) -> None:
    recipient = (POLICIES / "recipients/ons-research.toml").read_text(encoding="utf-8")
    (tmp_path / "r.toml").write_text(
        recipient.replace('id = "ons-research"', 'id = "new-team"'), encoding="utf-8"
    )
    agreement = shelf.EXAMPLE.replace('"ons-research"', '"new-team"')
    (tmp_path / "a.toml").write_text(agreement, encoding="utf-8")
    assert _run(check, tmp_path / "a.toml").exit_code == 3
    assert _run(check, tmp_path / "a.toml", tmp_path / "r.toml").exit_code == 0


def test_a_path_that_is_not_there_is_a_wrong_use(tmp_path: Path) -> None:
    assert _run(check, tmp_path / "nothing.toml").exit_code == 2
    with pytest.raises(UsageError, match="policy/no-folder"):
        read_policies(tmp_path / "nothing")


def test_a_link_out_of_the_folder_and_a_huge_document_are_refused(tmp_path: Path) -> None:
    outside = tmp_path / "outside.toml"
    outside.write_text("a = 1", encoding="utf-8")
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "link.toml").symlink_to(outside)
    with pytest.raises(RefusedError, match="policy/outside-folder"):
        read_policies(folder)
    (folder / "link.toml").unlink()
    (folder / "huge.toml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(RefusedError, match="policy/too-large"):
        read_with((folder,), folder)


def test_the_cases_hold_and_a_wrong_one_is_shown(tmp_path: Path) -> None:
    result = _run(cases, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["failed"] == 0
    for path, text in read_policies(POLICIES).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(text.replace(b'expect = "permit"', b'expect = "refuse"'))
    wrong = _run(cases, tmp_path)
    assert wrong.exit_code == 3
    assert "It is permitted, and was expected to be refused." in wrong.output


def test_a_change_is_said_in_sentences(tmp_path: Path) -> None:
    draft = tmp_path / "draft.toml"
    text = (POLICIES / "agreements/trafford.toml").read_text(encoding="utf-8")
    draft.write_text(text.replace("ends = 2027-03-31", "ends = 2027-06-30"), encoding="utf-8")
    old = POLICIES / "agreements/trafford.toml"
    result = _run(compare, old, draft)
    assert result.exit_code == 0
    assert 'changes the last day ("ends")' in result.output
    assert '("trafford-stronger-families")' in result.output
    assert _run(compare, POLICIES, POLICIES).output == "Nothing differs.\n"
    assert json.loads(_run(compare, old, draft, "--json").stdout)["changes"]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_published_schema_is_the_one_that_the_code_gives(kind: str) -> None:
    printed = json.loads(_run(schema, kind).output)
    published = shelf.REPOSITORY / f"docs/reference/schemas/{kind}.json"
    assert json.loads(published.read_text(encoding="utf-8")) == printed
    assert printed["additionalProperties"] is False


def test_a_schema_of_no_kind_is_a_wrong_use() -> None:
    result = _run(schema, "agreemnt")
    assert result.exit_code == 2
    assert 'Did you mean "agreement"?' in result.output


def test_a_remark_of_no_agreement_begins_with_what_it_says() -> None:
    result = CliRunner().invoke(review, ["--on", "2026-11-22"], obj={})
    lines = result.stdout.splitlines()
    assert any(line.startswith("advice: No purpose reads ") for line in lines), result.output
    assert any(line.startswith("warning: trafford-stronger-families / ") for line in lines)
    assert not [line for line in lines if ": :" in line]


def test_explain_says_each_field_with_its_clause() -> None:
    asked = ("national-impact-study", "--agreement", "trafford-stronger-families", "--on")
    result = _run(explain, *asked, "2026-06-15")
    assert result.exit_code == 0
    assert '"sex" is kept' in result.output
    assert "Use it for no measure or decision about a person or a family." in result.output
    assert '"no-decisions"' not in result.output, "a duty is said as the vocabulary says it"
    answer = json.loads(_run(explain, *asked, "2026-06-15", "--json").stdout)
    assert answer["decision"] == "permit"
    assert answer["outputs"][1]["columns"][0]["clause"] == "4.2(c)i"
    refused = _run(explain, *asked, "2031-06-15", "--json")
    assert refused.exit_code == 3
    codes = [reason["code"] for reason in json.loads(refused.stdout)["refusal"]]
    assert "sharing/agreement-ended" in codes


def test_explain_refuses_a_wrong_date_and_an_unknown_agreement() -> None:
    known = ("national-impact-study", "--agreement", "trafford-stronger-families")
    assert _run(explain, *known, "--on", "yesterday").exit_code == 2
    assert _run(explain, *known).exit_code in {0, 3}
    assert _run(explain, "x", "--agreement", "nowhere").exit_code == 2
