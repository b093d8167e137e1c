"""The inputs of the main benchmark are fair: same checks, same counts, a policy that permits."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

from gateway.intake import Compiled, rules_of
from gateway.model import Plan, SharingRequest
from gateway.objections import many_identities
from gateway.policy import decide, load_contract, load_vocabulary, parse

FOLDER = Path(__file__).parents[1] / "benchmarks"
ROWS, OBJECTORS = 6_000, 400


def program(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"bench_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    told = program("extract_1m").write(folder, rows=ROWS, count=OBJECTORS, seed=3)
    assert told["rows"] == ROWS
    assert 100 < told["bytes"] / ROWS < 120
    return folder


@pytest.fixture(scope="module")
def extract(made: Path) -> pl.DataFrame:
    return pl.read_csv(made / "bench.csv", infer_schema=False)


def test_the_extract_has_fifteen_columns_and_the_contract_twenty_checks(
    extract: pl.DataFrame,
) -> None:
    vocabulary = load_vocabulary((FOLDER / "policies/vocabulary.toml").read_bytes())
    contract = load_contract((FOLDER / "policies/datasets/bench.toml").read_bytes(), vocabulary)
    assert extract.columns == [column.name for column in contract.columns]
    assert extract.shape == (ROWS, 15)
    assert len(rules_of(contract)) == 20


def test_the_pandas_program_finds_what_the_compiled_contract_finds(
    made: Path, extract: pl.DataFrame
) -> None:
    import pandas as pd

    vocabulary = load_vocabulary((FOLDER / "policies/vocabulary.toml").read_bytes())
    contract = load_contract((FOLDER / "policies/datasets/bench.toml").read_bytes(), vocabulary)
    rules = rules_of(contract)
    ours = Compiled(contract, rules).check(extract, ascii_only=False).failing
    frame = pd.read_csv(made / "bench.csv", dtype=str, keep_default_na=False, na_values=[""])
    theirs = program("peer_pandas").failures(frame)
    assert set(theirs) == {rule.name for rule in rules}
    for name, flags in theirs.items():
        found = flags.to_numpy(dtype=bool).nonzero()[0].tolist()
        if name == "person_id.unique":  # found after the last block, not in one
            ids = extract["person_id"]
            assert found == (ids.is_duplicated() & ids.is_not_null()).arg_true().to_list()
        else:
            assert found == (ours[name].to_list() if name in ours else []), name


def test_half_of_the_objectors_are_in_the_extract(made: Path, extract: pl.DataFrame) -> None:
    listed = many_identities((made / "objectors.csv").read_bytes())
    assert len(listed) == OBJECTORS
    met = pl.any_horizontal(
        pl.col(name).is_in(listed[name].drop_nulls().to_list())
        for name in ("nhs_number", "upn", "nino")
    )
    assert 0.45 * OBJECTORS < len(extract.filter(met.fill_null(value=False))) <= 0.5 * OBJECTORS


def test_the_pandas_program_accounts_for_every_row(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = program("peer_pandas").run(made / "bench.csv", made / "objectors.csv", tmp_path)
    assert told["rows"] == ROWS
    gone = told["quarantined"] + told["objected"] + told["small_group"]
    assert told["forwarded"] == ROWS - gone > 0
    assert json.dumps(told)
    assert {path.name for path in tmp_path.iterdir()} == {
        "findings.csv",
        "quarantine.csv",
        "payload.parquet.age",
        "tokens.csv.age",
    }


def test_the_benchmark_agreement_permits_the_release() -> None:
    root = FOLDER / "policies"
    documents = {str(path.relative_to(root)): path.read_text() for path in root.rglob("*.toml")}
    request = SharingRequest(purpose="bench-study", agreement="bench")
    plan = decide(request, parse(documents), on=dt.date(2026, 11, 1))
    assert isinstance(plan, Plan)
    linkage, payload = plan.outputs
    assert linkage.tokens == ("TN-nhs", "TN-upn", "TN-nino")
    assert len(payload.columns) == 8
    assert payload.limits is not None
    assert payload.limits.k == 5
