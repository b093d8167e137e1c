"""A contract that calls a column otherwise: what was taken in before lets nobody out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys import borough
from tests.journeys.borough import AGREEMENT, COUNCIL, SHARE, STUDY
from tests.journeys.office import Office

REGISTER = "family_register"
OUTDATED = "sharing/extract-of-another-contract"


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return borough.borough(tmp_path_factory.mktemp("people"), 3_000)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, people: Path) -> Office:
    return borough.ready(tmp_path_factory.mktemp("contract") / "office", people)


@pytest.fixture
def office(template: Office, tmp_path: Path) -> Iterator[Office]:
    made = borough.copied(template, tmp_path / "office")
    with made.open():
        yield made


def agreed(office: Office, column: str, to: str) -> None:
    """The contract of the register with a column called otherwise, approved and granted."""
    files = changed(office, column, to)
    office.must("policy", "propose", *map(str, files), "--as", "edith")
    told = office.ask("policy", "approve", AGREEMENT, "--as", "april")
    office.grant("study-nis-2026-1", STUDY, told["policy_digest"])


def changed(office: Office, column: str, to: str) -> tuple[Path, Path]:
    """The files of an agreement and a contract in which a column is called otherwise."""
    agreements, datasets = office.policies / "agreements", office.policies / "datasets"
    files = agreements / "trafford.toml", datasets / f"{REGISTER}.toml"
    agreement, contract = (file.read_text("utf-8") for file in files)
    assert "version = 3" in agreement
    files[0].write_text(agreement.replace("version = 3", "version = 4", 1), "utf-8")
    files[1].write_text(renamed(contract, column, to), "utf-8")
    return files


def renamed(contract: str, column: str, to: str) -> str:
    """The same field under another name, which partners may still send under the first."""
    before, found, after = contract.partition(f"[columns.{column}]\n")
    assert found
    own, rest = after.split("\n\n", 1)
    own = own.replace("aliases = [", f'aliases = ["{column}", ')
    if "aliases" not in own:
        own += f'\naliases = ["{column}"]'
    # Rules, and the contract itself, name columns.
    before, rest = (re.sub(rf'(?<!field = )"{column}"', f'"{to}"', part) for part in (before, rest))
    return f'{before}[columns.{to}]\nfield = "{column}"\n{own}\n\n{rest}'


CHANGES = {
    "where people say no": ("participation", "said"),
    "who is protected": ("protected", "shielded"),
    "what leaves": ("sex", "gender"),
    "who somebody is": ("nhs_number", "nhs"),
}


@pytest.mark.parametrize("which", CHANGES)
def test_an_extract_from_before_is_refused_until_it_is_taken_in_again(
    office: Office, people: Path, which: str
) -> None:
    before = office.ask(*SHARE, "--dry-run")
    agreed(office, *CHANGES[which])
    for words in ((*SHARE, "--dry-run"), (*SHARE, "--to", str(office.home / "outbox"))):
        ended = office.run(*words, "--json")
        told = json.loads(ended.out)
        assert (ended.code, told["state"]) == (3, "refused"), told
        assert [each["code"] for each in told["refusal"]] == [OUTDATED]
    assert not list((office.home / "outbox").rglob("*.gwp"))
    borough.receive(office, people / f"{REGISTER}.csv", REGISTER, COUNCIL)
    assert office.ask(*SHARE, "--dry-run")["conservation"] == before["conservation"]


def test_a_preview_of_such_a_change_says_so(office: Office) -> None:
    files = changed(office, "participation", "said")
    ended = office.run(
        *(
            "policy",
            "preview",
            *map(str, files),
            "--agreement",
            AGREEMENT,
            "--as",
            "edith",
            "--json",
        )
    )
    assert ended.code == 0, ended
    told = {each["purpose"]: each for each in json.loads(ended.out)["purposes"]}
    assert [each["code"] for each in told[STUDY]["refused_after"]] == [OUTDATED]
    assert told[STUDY]["state"] == "changed"


def test_a_change_of_what_is_not_read_asks_for_nothing(office: Office) -> None:
    agreed(office, "participation_date", "said_on")
    assert office.ask(*SHARE, "--dry-run")["state"] == "would-forward"
