"""Every shipped contract compiles, and partners get it in the forms that their tools read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway import policy
from gateway.adapters.policy_folder import read_policies
from gateway.cli.contract import contract
from gateway.intake import contract_json, read_contract, rules_of, suite, table_schema

ROOT = Path(__file__).parents[2]
BUNDLE, _ = policy.load(read_policies(ROOT / "policies"))


@pytest.mark.parametrize("name", sorted(BUNDLE.contracts))
def test_every_shipped_contract_compiles_and_can_be_published(name: str) -> None:
    agreed = BUNDLE.contracts[name]
    rules = rules_of(agreed)
    assert len({rule.name for rule in rules}) == len(rules)
    assert read_contract(contract_json(agreed)) == agreed
    assert json.loads(json.dumps(suite(agreed)))["name"] == f"{name}.{agreed.version}"
    fields = [field["name"] for field in table_schema(agreed)["fields"]]
    assert fields == [column.name for column in agreed.columns]


def test_the_suite_asks_for_the_columns_that_every_header_has() -> None:
    asked = [
        each["kwargs"]["column"]
        for each in suite(BUNDLE.contracts["family_register"])["expectations"]
        if each["type"] == "expect_column_to_exist"
    ]
    assert {"participation", "protected"} <= set(asked)
    assert "participation_date" not in asked


def test_the_suite_is_printed_as_one_json_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_POLICIES", str(ROOT / "policies"))
    printed = CliRunner().invoke(contract, ["suite", "health", "--json"])
    assert printed.exit_code == 0
    assert json.loads(printed.stdout) == json.loads(json.dumps(suite(BUNDLE.contracts["health"])))


def test_the_suite_is_written_with_its_plug_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_POLICIES", str(ROOT / "policies"))
    written = CliRunner().invoke(contract, ["suite", "health", "--to", str(tmp_path)])
    assert written.exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "gateway_expectations.py",
        "health.suite.json",
    ]


def test_an_unknown_dataset_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_POLICIES", str(ROOT / "policies"))
    refused = CliRunner().invoke(contract, ["table-schema", "nowhere"])
    assert refused.exit_code == 2
    assert "intake/unknown-dataset" in refused.stderr
