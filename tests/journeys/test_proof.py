"""Every promise of a release is proved to an outsider, and a broken one cannot be hidden."""

from __future__ import annotations

import copy
import datetime as dt
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import standalone
from gateway.adapters import release_proof
from gateway.ledger import EVENTS, PROMISES
from gateway.standalone import verify_promises, verify_release
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


def test_the_decision_and_its_approval_name_the_controllers(proof: Proof) -> None:
    for event in ("policy-approved", "release-decided"):
        assert entry(proof, event)["entry"]["facts"]["controllers"] == "trafford-council"


def test_every_verdict_names_entries_that_the_file_holds(proof: Proof) -> None:
    there = {entry["index"] for entry in proof["entries"]}
    for verdict in proof["verdicts"]:
        assert verdict["evidence"], verdict["promise"]
        assert set(verdict["evidence"]) <= there


def test_an_auditor_verifies_it_with_three_files_and_no_gateway(
    proof: Proof, office: Office, tmp_path: Path
) -> None:
    for name in ("verify_release.py", "verify_promises.py", "verify_ledger.py"):
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


# The gateway itself is hidden, so that only the three files can answer.
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


def _without(proof: Proof, *events: str) -> None:
    kept = [told for told in proof["entries"] if told["entry"]["event"] not in events]
    proof["entries"][:] = kept


def _no_grant(proof: Proof) -> None:
    _without(proof, "key-granted")


def _no_use_of_a_key(proof: Proof) -> None:
    _without(proof, "key-used")


def _neither_use_nor_grant(proof: Proof) -> None:
    _without(proof, "key-used", "key-granted")


def _one_package_less(proof: Proof) -> None:
    gone = proof["manifests"].pop()["package"]
    there = [t for t in proof["entries"] if t["entry"]["facts"].get("package") != gone]
    proof["entries"][:] = there
    for verdict in proof["verdicts"]:
        verdict["evidence"] = []


def _an_entry_twice(proof: Proof) -> None:
    proof["entries"].append(entry(proof, "policy-approved"))


def _evidence_that_is_not_there(proof: Proof) -> None:
    proof["verdicts"][0]["evidence"].append(0)


def _a_verdict_twice(proof: Proof) -> None:
    proof["verdicts"].insert(0, {**proof["verdicts"][0], "outcome": "broken"})


def _asked_before_it_was_signed(proof: Proof) -> None:
    proof["asked"] = "2020-01-01"


def _a_later_day(proof: Proof) -> None:
    """The lie of a forger: a copy that says another day, before the manifest that is recorded."""
    for manifest in copy.deepcopy(proof["manifests"]):
        manifest["duties"] = ["destroy-by 2199-12-31"]
        proof["manifests"].insert(0, manifest)


def _a_manifest_twice(proof: Proof) -> None:
    proof["manifests"].append(copy.deepcopy(proof["manifests"][0]))


def _another_manifest(proof: Proof) -> None:
    proof["manifests"][0]["duties"] = ["destroy-by 2199-12-31"]


def _a_manifest_of_nothing(proof: Proof) -> None:
    proof["manifests"].append({**proof["manifests"][0], "package": "rel-another.facts"})


def _an_entry_between_two(proof: Proof) -> None:
    told = copy.deepcopy(entry(proof, "key-used"))
    proof["entries"].append({**told, "index": told["index"] + 0.5})


def _other_words(proof: Proof) -> None:
    proof["verdicts"][0]["words"] = "Nothing is shared with anybody."


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
        _no_use_of_a_key,
        _neither_use_nor_grant,
        _one_package_less,
        _an_entry_twice,
        _evidence_that_is_not_there,
        _a_verdict_twice,
        _asked_before_it_was_signed,
        _a_later_day,
        _a_manifest_twice,
        _another_manifest,
        _a_manifest_of_nothing,
        _an_entry_between_two,
        _other_words,
        _a_claim,
        _another_path,
    ],
    ids=lambda change: change.__name__.strip("_"),
)
def test_a_file_that_was_changed_does_not_verify(
    proof: Proof, trust: Proof, change: Callable[[Proof], None]
) -> None:
    verify_release.check(copy.deepcopy(proof), trust, on=asked(proof))
    changed = copy.deepcopy(proof)
    change(changed)
    with pytest.raises(verify_release.ledger.Wrong):
        verify_release.check(changed, trust, on=asked(proof))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (_a_later_day, "two manifests are of one package"),
        (_a_manifest_twice, "two manifests are of one package"),
        (_another_manifest, "a manifest is not the one that its entry commits to"),
        (_a_manifest_of_nothing, "a manifest is of no package of the release"),
        (_an_entry_between_two, "an index is no whole number"),
        (_an_entry_twice, "an entry stands in the file twice"),
    ],
    ids=lambda given: given.__name__.strip("_") if callable(given) else "",
)
@pytest.mark.parametrize("on", ["today", "2199-01-01"])
def test_a_forged_proof_is_refused_in_words_of_its_own(
    *,
    proof: Proof,
    office: Office,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[Proof], None],
    fault: str,
    on: str,
) -> None:
    file, changed = tmp_path / "proof.json", copy.deepcopy(proof)
    change(changed)
    file.write_text(json.dumps(changed))
    day = proof["asked"] if on == "today" else on
    assert verify_release.main([str(file), "--trust", str(office.trust()), "--on", day]) == 6
    assert json.loads(capsys.readouterr().out) == {"ok": False, "fault": fault}


def test_a_name_that_stands_twice_in_the_file_hides_nothing(
    proof: Proof, office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "proof.json"
    file.write_text('{"manifests": [], ' + json.dumps(proof)[1:])
    given = [str(file), "--trust", str(office.trust()), "--on", proof["asked"]]
    assert verify_release.main(given) == 6
    told = json.loads(capsys.readouterr().out)
    assert told == {"ok": False, "fault": "a name stands twice in one object"}


def asked(proof: Proof) -> dt.date:
    return dt.date.fromisoformat(proof["asked"])


def test_a_day_that_has_passed_since_is_judged_as_passed(
    proof: Proof, office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(proof))
    given = [str(file), "--trust", str(office.trust())]
    assert verify_release.main([*given, "--on", proof["asked"]]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["broken"], told["since_asked"]) == (True, [], [])
    assert told["asked"] == told["judged_on"] == proof["asked"]
    assert told["nothing_left_out"] is False
    assert verify_release.main([*given, "--on", "2199-01-01"]) == 6
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["broken"], told["since_asked"]) == (
        *(False, ["destroyed"]),
        ["destroyed"],
    )
    assert told["judged_on"] == "2199-01-01"
    assert verify_release.main([*given, "--on", "2020-01-01"]) == 6
    assert "the day to judge by" in json.loads(capsys.readouterr().out)["fault"]


def test_a_broken_promise_that_the_file_admits_is_no_success(
    proof: Proof, office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = copy.deepcopy(proof)
    _without(changed, "key-used", "key-granted")
    there = {told["index"] for told in changed["entries"]}
    for verdict in changed["verdicts"]:
        verdict["evidence"] = sorted(there & set(verdict["evidence"]))
        verdict["outcome"] = "broken" if verdict["promise"] == "keys" else verdict["outcome"]
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(changed))
    given = [str(file), "--trust", str(office.trust()), "--on", proof["asked"]]
    assert verify_release.main(given) == 6
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["broken"]) == (False, ["keys"])


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


def test_what_is_asked_of_the_whole_ledger_is_in_every_proof() -> None:
    """Each entry about a text of a policy, of whatever kind, is demanded by its digest."""
    of_a_text = {
        event
        for event, kind in EVENTS.items()
        if event.startswith("policy-") and "document_digest" in kind.allowed
    }
    assert of_a_text == release_proof.OF_THE_POLICY
    assert verify_promises.OWN == release_proof.OWN


def test_a_release_that_was_never_made_proves_nothing(office: Office) -> None:
    assert office.run("prove", "rel-nothing").code == 2
