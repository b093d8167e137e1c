"""A file that was sent under the wrong name of a dataset is told which one it seems to be."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from gateway import intake, policy
from gateway.adapters.policy_folder import read_policies
from gateway.cli.check_file import verdict_of
from gateway.intake.header import always_there
from gateway.model import Contract

POLICIES = Path(__file__).parents[2] / "policies"
MISSING = "intake/column-missing"
TOLD = "intake/another-dataset"


@functools.cache
def contracts() -> dict[str, Contract]:
    bundle, faults = policy.load(read_policies(POLICIES))
    assert not faults
    return dict(bundle.contracts)


def checked(cells: list[str], contract: Contract) -> intake.Verdict:
    known = {
        name
        for each in contracts().values()
        for column in each.columns
        for name in (column.name, *column.aliases)
    }
    header = intake.match_header(cells, contract, known=known)
    verdict = intake.rejected(*header.findings, dropped=header.dropped)
    return intake.told_apart(verdict, contract, contracts().values())


def hints(verdict: intake.Verdict) -> list[str]:
    return [found.hint for found in verdict.findings if found.code == TOLD]


@pytest.mark.parametrize("sent", sorted(contracts()))
def test_every_dataset_is_known_under_the_name_of_every_other(sent: str) -> None:
    cells = [column.name.upper().replace("_", " ") for column in contracts()[sent].columns]
    for contract in contracts().values():
        verdict = checked(cells, contract)
        lacks = any(found.code == MISSING for found in verdict.findings)
        wrong = lacks and contract.id != sent
        assert [f"({sent})" in hint for hint in hints(verdict)] == [True] * wrong
        if wrong:
            assert verdict.findings[0].code == TOLD, "it is the first that is read"


def test_a_file_that_only_lacks_a_column_is_of_its_own_dataset() -> None:
    for contract in contracts().values():
        for left_out in contract.columns:
            if always_there(left_out, contract):
                cells = [each.name for each in contract.columns if each is not left_out]
                assert hints(checked(cells, contract)) == []


def test_a_file_that_lacks_something_of_each_is_of_none() -> None:
    health, attendance = contracts()["health"], contracts()["school_attendance"]
    needed = next(each for each in health.columns if each.required)
    cells = [column.name for column in health.columns if column is not needed]
    assert hints(checked(cells, attendance)) == []


def test_the_partner_reads_it_before_sending(tmp_path: Path) -> None:
    file = tmp_path / "attendance.csv"
    file.write_text(",".join(column.name for column in contracts()["health"].columns) + "\n")
    document = verdict_of(POLICIES, file, "school_attendance", None)
    first = document["findings"][0]
    assert (document["state"], first["code"]) == ("rejected", TOLD)
    assert "(health)" in first["sentence"]
    assert "choose that dataset" in first["remedy"]
