"""What an auditor is told of the files of a release by the verifier that stands alone."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.ledger import PROMISES
from gateway.standalone import verify_release
from tests.rooms.proof_files import Json, Ledger
from tests.rooms.told_releases import (
    AN_OBJECTION,
    APPROVED,
    BY,
    DIGEST,
    GRANTED,
    LOADED,
    NONE,
    OBJECTED,
    OWN,
    PROPOSED,
    RECORDED,
    SENT,
    TEXT,
    WHOLE,
    WITHDREW,
    changed,
    disclosed,
    filed,
    more,
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


def test_a_whole_file_and_its_ledger_verify(ledger: Ledger, auditor: Auditor) -> None:
    code, told = auditor.asks(ledger, ledger.proof(SIZE))
    assert (code, told["ok"], told["nothing_left_out"]) == (0, True, False)
    assert (told["size"], told["unchecked"]) == (SIZE, {})
    code, told = auditor.asks(ledger, ledger.proof(SIZE), hidden=())
    assert (code, told["ok"], told["nothing_left_out"]) == (0, True, True)
    assert told["ledger_size"] == SIZE


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


# ---- Nothing was left out, to the end of the ledger

NEWER = "the ledger tells more of this release since the proof was made; ask for a newer one"


@pytest.mark.parametrize(
    ("event", "facts"),
    [
        (SENT, {**OWN, **BY, "package": "pkg-facts", "recipient": "another-recipient"}),
        (SENT, {**OWN, **BY, "package": "pkg-facts"}),
        ("recipient-destroyed", {**OWN, "recipient": "ons-research"}),
        ("key-used", {**OWN, "key": "k-9", "kind": "study", "purpose": "study", "count": 1}),
    ],
)
def test_what_the_ledger_tells_of_a_release_after_its_proof_asks_for_a_newer_one(
    ledger: Ledger, auditor: Auditor, event: str, facts: Json
) -> None:
    ledger.append("release-closed", **OWN)
    ledger.append(event, **facts)
    code, told = auditor.asks(ledger, ledger.proof(SIZE), hidden=())
    assert (code, told) == (6, {"ok": False, "fault": NEWER})
    # A newer one holds it, and is judged by it.
    newer = ledger.proof(SIZE + 2)
    found = verify_release.promises.Log(newer).judged("2026-06-16")
    for promise, said in found.items():
        outcome(newer, promise, said)
    code, told = auditor.asks(ledger, newer, hidden=())
    assert told["nothing_left_out"] is True
    assert ("once" in told["broken"]) is (event == SENT)


def test_an_entry_that_is_hidden_may_be_about_anything(ledger: Ledger, auditor: Auditor) -> None:
    ledger.append("release-closed", **OWN)
    fault = {"ok": False, "fault": "the export hides an entry; ask for a whole one"}
    for hidden in ([SIZE], [0]):
        assert auditor.asks(ledger, ledger.proof(SIZE), hidden=hidden) == (6, fault)


def test_what_came_later_of_others_its_policy_or_the_register_is_nothing_to_it(
    ledger: Ledger, auditor: Auditor
) -> None:
    ledger.append(SENT, **{**OWN, **BY, "release": "rel-2", "package": "pkg-facts"})
    ledger.append(WITHDREW, **TEXT, operator="ada")
    ledger.append(PROPOSED, **TEXT, operator="oz")
    ledger.append(GRANTED, key="k-2", kind="study", policy_digest=DIGEST, operator="oz")
    ledger.append(OBJECTED, **AN_OBJECTION)
    ledger.append(LOADED, register_sequence=9, entries=2)
    ledger.append("package-arrived", package="pkg-facts", package_digest=NONE)
    code, told = auditor.asks(ledger, ledger.proof(SIZE), hidden=())
    assert (code, told["nothing_left_out"]) == (0, True)
    assert (told["size"], told["ledger_size"]) == (SIZE, SIZE + 7)


@pytest.mark.parametrize("emergency", [True, False])
def test_an_objection_before_the_record_stops_everything_but_an_emergency(
    auditor: Auditor, emergency: bool
) -> None:
    urgent = (disclosed(), filed("oz"), filed("ada")) if emergency else ()
    case = changed(*urgent, more(OBJECTED, before=RECORDED, **AN_OBJECTION))
    ledger = Ledger(case)
    proof = ledger.proof(len(case.lines), without=places(case, OBJECTED))
    outcome(proof, "objections", "kept")
    code, told = auditor.asks(ledger, proof, hidden=())
    if emergency:
        assert (code, told["ok"], told["nothing_left_out"]) == (0, True, True)
    else:
        assert told["fault"] == "an objection stood before the release was recorded"


@pytest.mark.parametrize("event", [APPROVED, SENT, GRANTED])
def test_an_entry_that_was_left_out_shows_against_the_ledger(
    ledger: Ledger, auditor: Auditor, event: str
) -> None:
    proof = ledger.proof(SIZE, without=[places(WHOLE, event)[-1]])
    found = verify_release.promises.Log(proof).judged("2026-06-16")
    for promise, said in found.items():
        outcome(proof, promise, said)
    _, told = auditor.asks(ledger, proof, hidden=())
    assert told == {"ok": False, "fault": "an entry was left out of the proof"}


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\u0085"])
def test_a_mark_that_some_take_for_the_end_of_a_line_ends_none(
    ledger: Ledger, auditor: Auditor, mark: str
) -> None:
    ledger.append("note-sent", subject=f"a{mark}b")
    code, told = auditor.asks(ledger, ledger.proof(SIZE), hidden=())
    assert (code, told["ok"], told.get("nothing_left_out")) == (0, True, True)


# ---- What the file says beside its entries


def test_a_promise_is_put_in_the_words_of_the_notices(ledger: Ledger, auditor: Auditor) -> None:
    assert {promise: words for promise, (words, _) in PROMISES.items()} == verify_release.WORDS
    for promise in PROMISES:
        proof = ledger.proof(SIZE)
        verdict = next(v for v in proof["verdicts"] if v["promise"] == promise)
        verdict["words"] = "Nothing is shared with anybody."
        fault = "the file puts a promise in other words than the notices"
        assert auditor.asks(ledger, proof) == (6, {"ok": False, "fault": fault})


def test_the_answer_says_what_of_the_file_nothing_vouches_for(
    ledger: Ledger, auditor: Auditor
) -> None:
    proof = ledger.proof(SIZE)
    code, told = auditor.asks(ledger, proof)
    assert (code, told["not_vouched_for"]) == (0, ["because", "evidence"])
    # What is altered there is not told on: the answer is the same, and holds none of it.
    altered = copy.deepcopy(proof)
    for verdict in altered["verdicts"]:
        verdict["because"], verdict["evidence"] = "Nobody received anything.", [0]
    assert auditor.asks(ledger, altered) == (0, told)
    assert "Nobody received" not in json.dumps(told)
    # But an outcome, or a name of an entry that is not there, is.
    altered["verdicts"][0]["evidence"] = [SIZE]
    assert auditor.asks(ledger, altered)[0] == 6
