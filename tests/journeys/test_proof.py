"""Every promise of a release is proved to an outsider, and a broken one cannot be hidden."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import standalone
from gateway.ledger import PROMISES
from gateway.standalone import verify_release
from tests.journeys import borough
from tests.journeys.borough import SHARE
from tests.journeys.office import Office

SIZE = 3_000
Proof = dict[str, Any]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = borough.founded(tmp_path_factory.mktemp("proof") / "office")
    people = borough.borough(tmp_path_factory.mktemp("people"), SIZE)
    with made.open():
        borough.permit_study(made)
        for dataset, party in borough.EXTRACTS:
            borough.receive(made, people / f"{dataset}.csv", dataset, party)
        yield made


@pytest.fixture(scope="module")
def release(office: Office) -> str:
    shared = office.ask(*SHARE, "--to", str(office.home / "outbox"))
    assert shared["state"] == "forwarded", shared
    return str(shared["release"])


@pytest.fixture(scope="module")
def proof(office: Office, release: str) -> Proof:
    file = office.home / "proof.json"
    office.must("ledger", "checkpoint", "--as", "ada")
    office.must("prove", release, "--to", str(file))
    return dict(json.loads(file.read_bytes()))


@pytest.fixture(scope="module")
def trust(office: Office) -> Proof:
    return dict(json.loads(office.trust().read_bytes()))


def test_every_promise_is_kept_or_not_yet_due(proof: Proof) -> None:
    told = {verdict["promise"]: verdict["outcome"] for verdict in proof["verdicts"]}
    assert set(told) == set(PROMISES)
    assert told.pop("destroyed") == "not-yet"
    assert set(told.values()) == {"kept"}


def test_every_verdict_names_entries_that_the_file_holds(proof: Proof) -> None:
    there = {entry["index"] for entry in proof["entries"]}
    for verdict in proof["verdicts"]:
        assert verdict["evidence"], verdict["promise"]
        assert set(verdict["evidence"]) <= there


def test_an_auditor_verifies_it_with_two_files_and_no_gateway(
    proof: Proof, office: Office, tmp_path: Path
) -> None:
    for name in ("verify_release.py", "verify_ledger.py"):
        source = Path(standalone.__file__).with_name(name)
        (tmp_path / name).write_bytes(source.read_bytes())
    (tmp_path / "proof.json").write_text(json.dumps(proof))
    done = subprocess.run(
        [sys.executable, "-I", "-c", RUN, str(tmp_path), str(office.trust())],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["promises"]["objections"] == "kept"


# The gateway itself is hidden, so that only the two files can answer.
RUN = """
import sys
sys.path.insert(0, sys.argv[1])
sys.modules["gateway"] = None
import verify_release
sys.exit(verify_release.main(["proof.json", "--trust", sys.argv[2]]))
"""


def entry(proof: Proof, event: str) -> Any:
    return next(told for told in proof["entries"] if told["entry"]["event"] == event)


def _another_count(proof: Proof) -> None:
    entry(proof, "release-built")["entry"]["facts"]["withheld"] += 1


def _another_officer(proof: Proof) -> None:
    entry(proof, "release-decided")["entry"]["facts"]["operator"] = "someone-else"


def _another_column(proof: Proof) -> None:
    proof["manifests"][0]["columns"][0]["clause"] = "9.9"


def _no_approval(proof: Proof) -> None:
    proof["entries"].remove(entry(proof, "policy-approved"))


def _no_grant(proof: Proof) -> None:
    for told in [t for t in proof["entries"] if t["entry"]["event"] == "key-granted"]:
        proof["entries"].remove(told)


def _a_claim(proof: Proof) -> None:
    verdict = next(v for v in proof["verdicts"] if v["promise"] == "destroyed")
    verdict["outcome"] = "kept"


def _another_path(proof: Proof) -> None:
    path = entry(proof, "package-made")["path"]
    path[0] = "00" * 32


@pytest.mark.parametrize(
    "change",
    [
        _another_count,
        _another_officer,
        _another_column,
        _no_approval,
        _no_grant,
        _a_claim,
        _another_path,
    ],
    ids=lambda change: change.__name__.strip("_"),
)
def test_a_file_that_was_changed_does_not_verify(
    proof: Proof, trust: Proof, change: Callable[[Proof], None]
) -> None:
    verify_release.check(copy.deepcopy(proof), trust)
    changed = copy.deepcopy(proof)
    change(changed)
    with pytest.raises((verify_release.ledger.Wrong, StopIteration)):
        verify_release.check(changed, trust)


def test_an_entry_that_was_left_out_shows_against_the_whole_ledger(
    proof: Proof, trust: Proof, office: Office, tmp_path: Path
) -> None:
    export = tmp_path / "ledger.jsonl"
    office.must("ledger", "export", str(export), "--show-all")
    verify_release.nothing_left_out(proof, trust, export)
    changed = copy.deepcopy(proof)
    changed["entries"].remove(entry(changed, "package-forwarded"))
    with pytest.raises(verify_release.ledger.Wrong, match="left out"):
        verify_release.nothing_left_out(changed, trust, export)


def test_a_release_that_was_never_made_proves_nothing(office: Office) -> None:
    assert office.run("prove", "rel-nothing").code == 2
