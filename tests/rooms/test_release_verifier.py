"""What an auditor is told of the files of a release by the verifier that stands alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.standalone import verify_release
from tests.rooms.proof_files import Json, Ledger
from tests.rooms.told_releases import (
    APPROVED,
    WHOLE,
    places,
)

SIZE = len(WHOLE.lines)


@pytest.fixture(name="ledger")
def _ledger() -> Ledger:
    return Ledger(WHOLE)


class Auditor:
    """Has the three files and asks the verifier, by its command."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def asks(self, ledger: Ledger, proof: Json, *, hidden: Any = None) -> tuple[int, Json]:
        """Whether it is fine, and the answer; against the whole ledger unless hidden is None."""
        (self.folder / "proof.json").write_text(json.dumps(proof))
        (self.folder / "trust.json").write_text(json.dumps(ledger.trust))
        given = [str(self.folder / "proof.json"), "--trust", str(self.folder / "trust.json")]
        if hidden is not None:
            export = ledger.export(self.folder / "ledger.jsonl", hidden=hidden)
            given += ["--ledger", str(export)]
        code = verify_release.main([*given, "--on", "2026-06-17"])
        return code, json.loads(self.capsys.readouterr().out)


@pytest.fixture(name="auditor")
def _auditor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Auditor:
    return Auditor(tmp_path, capsys)


def outcome(proof: Json, promise: str, said: str) -> None:
    """Somebody has the file claim another outcome."""
    next(v for v in proof["verdicts"] if v["promise"] == promise)["outcome"] = said


# ---- Each controller has approved


@pytest.mark.parametrize("which", [0, 1])
def test_a_file_without_the_approval_of_one_controller_is_refused(
    ledger: Ledger, auditor: Auditor, which: int
) -> None:
    proof = ledger.proof(SIZE, without=[places(WHOLE, APPROVED)[which]])
    code, told = auditor.asks(ledger, proof)
    fault = "the file's verdicts are not what its entries show"
    assert (code, told) == (6, {"ok": False, "fault": fault})
    outcome(proof, "approved", "broken")
    code, told = auditor.asks(ledger, proof)
    assert (code, told["ok"], told["broken"]) == (6, False, ["approved"])


def test_a_release_from_before_says_that_its_approvals_were_not_counted(auditor: Auditor) -> None:
    lines = [(e, {k: v for k, v in f.items() if k != "controllers"}) for e, f in WHOLE.lines]
    ledger = Ledger(replace(WHOLE, lines=tuple(lines)))
    for proof in (
        ledger.proof(SIZE),
        ledger.proof(SIZE, without=[places(WHOLE, APPROVED)[0]]),
    ):
        code, told = auditor.asks(ledger, proof)
        assert (code, told["promises"]["approved"]) == (0, "kept")
        assert told["unchecked"] == {
            "approved": "how many approvals it needed: not all of its entries name their"
            " controllers"
        }
    # A broken promise needs no such word.
    none = ledger.proof(SIZE, without=places(WHOLE, APPROVED))
    outcome(none, "approved", "broken")
    code, told = auditor.asks(ledger, none)
    assert (code, told["broken"], told["unchecked"]) == (6, ["approved"], {})
