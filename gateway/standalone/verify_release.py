"""Check the proof of a release without the gateway, and judge its promises anew.

    python verify_release.py proof.json --trust council.json
    python verify_release.py proof.json --trust council.json --ledger ledger.jsonl

The file comes from `gateway prove RELEASE`. Each entry is followed to the signed
checkpoint; each promise is judged from the entries and the manifests alone, as of the
day on which the file was made and as of today (or of --on DAY). What a manifest says of
keys, and what the entries say of packages, controllers and emergencies, has to be in the
file. That nothing else was left out which could have broken a promise, only a whole export
shows (`gateway ledger export FILE --show-all`, then --ledger FILE); it also shows whether
more was told of the release after the file's checkpoint, up to which a file is judged.

Read the answer, not the file: its reasons (`because`) and the entries that they name
(`evidence`) are for orientation, and nothing vouches for them.

It needs Python 3.11, `cryptography`, and `verify_ledger.py` and `verify_promises.py`
beside it. Exit 0: all of it verifies, every verdict is the file's, and no promise is
broken; 6: not.

Source: RFC 9162; docs/reference/ledger.md, "Promises".
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from pathlib import Path

try:
    from gateway.standalone import verify_ledger as ledger
    from gateway.standalone import verify_promises as promises
except ImportError:  # beside it, as an auditor has it
    import verify_ledger as ledger  # type: ignore[import-not-found, no-redef]
    import verify_promises as promises  # type: ignore[import-not-found, no-redef]

Json = promises.Json
NOT_VOUCHED_FOR = ["because", "evidence"]
UNCHECKED = "how many approvals it needed: not all of its entries name their controllers"
NEWER = "the ledger tells more of this release since the proof was made; ask for a newer one"
WORDS = {
    "approved": "Shared only as an agreement says that its controllers have approved.",
    "apart": "Nobody decides alone: who writes, approves and releases are others.",
    "minimum": "Only the minimum necessary is shared.",
    "de-identified": "You cannot be identified from what researchers receive.",
    "objections": "You can object, and you are left out.",
    "emergency": "Told without asking you only to protect you or others from harm, by two people,"
    " for a stated reason.",
    "conserved": "Everybody is accounted for: sent, or left out for a stated reason.",
    "keys": "Codes in place of names are made only with leave.",
    "recorded": "Every sharing is recorded before it happens.",
    "once": "Only those who need to know receive it, once.",
    "destroyed": "It is destroyed once the research is concluded.",
}


def check(proof: Json, trust: Json, *, on: dt.date) -> Json:
    """Follow every entry to the checkpoint, then judge every promise as of a day."""
    ledger.require(
        proof.get("format") == "gateway-release-proof-1", "this is no proof of a release"
    )
    checkpoint = ledger.read_checkpoint(proof["checkpoint"], trust)
    for told in proof["entries"]:
        leaf = ledger.leaf_of(told["entry"], told["salt"])
        path = [bytes.fromhex(step) for step in told["path"]]
        reached = ledger.root_from_path(leaf, told["index"], checkpoint["size"], path)
        ledger.require(reached.hex() == checkpoint["root"], "an entry does not stand in the log")
    there = [told["index"] for told in proof["entries"]]
    ledger.require(len(set(there)) == len(there), "an entry stands in the file twice")
    asked = dt.date.fromisoformat(proof["asked"]).isoformat()
    signed = checkpoint["time"][:10]
    ledger.require(asked >= signed, "the file was asked for before its checkpoint was signed")
    ledger.require(on.isoformat() >= signed, "the day to judge by is before the checkpoint's")
    log = promises.Log(proof)
    ledger.require(len(log.own("release-decided")) == 1, "the decision is missing")
    _as_recorded(log)
    found = log.judged(asked)
    _as_claimed(proof["verdicts"], found, set(there))
    today = log.judged(on.isoformat())
    return {
        "release": log.release,
        "entries": len(log.entries),
        "size": checkpoint["size"],
        "asked": asked,
        "judged_on": on.isoformat(),
        "promises": today,
        "broken": [promise for promise, outcome in today.items() if outcome == promises.BROKEN],
        "since_asked": [promise for promise in today if today[promise] != found[promise]],
        "unchecked": _unchecked(log, today),
        "not_vouched_for": NOT_VOUCHED_FOR,
        "nothing_left_out": False,
    }


def _unchecked(log: promises.Log, today: dict[str, str]) -> dict[str, str]:
    """What entries from before do not say, though a promise is called kept."""
    vague = today["approved"] == promises.KEPT and promises.number_unknown(log)
    return {"approved": UNCHECKED} if vague else {}


def _as_recorded(log: promises.Log) -> None:
    """Every manifest is the only one of a package of the release, and the recorded one."""
    made = {
        (promises.fact(told, "package"), promises.fact(told, "core_digest"))
        for told in promises.packages(log)
    }
    names = [manifest["package"] for manifest in log.manifests]
    ledger.require(promises.made_once(log), "a package of the release was made twice")
    ledger.require(len(set(names)) == len(names), "two manifests are of one package")
    known = set(names) <= {package for package, _ in made}
    ledger.require(known, "a manifest is of no package of the release")
    shown = {(manifest["package"], promises.recorded_as(manifest)) for manifest in log.manifests}
    ledger.require(shown <= made, "a manifest is not the one that its entry commits to")


def _as_claimed(verdicts: list[Json], found: dict[str, str], there: set[int]) -> None:
    """Each promise has one verdict, the entries' own, its words, and what it cites is there."""
    claimed = {verdict["promise"]: verdict["outcome"] for verdict in verdicts}
    same = found == claimed and len(verdicts) == len(claimed)
    ledger.require(same, "the file's verdicts are not what its entries show")
    worded = all(verdict["words"] == WORDS[verdict["promise"]] for verdict in verdicts)
    ledger.require(worded, "the file puts a promise in other words than the notices")
    cited = {index for verdict in verdicts for index in verdict["evidence"]}
    ledger.require(cited <= there, "a verdict cites an entry that is not in the file")


def nothing_left_out(proof: Json, trust: Json, export: Path) -> int:
    """No entry of the export about this release, its policy or the register is missing.

    Up to the proof's checkpoint every such entry is in the file. After it the release may
    not be told of any more; what came later of its policy, grants or register is nothing to it.

    Returns:
        How many entries the export has.
    """
    log = promises.Log(proof)
    lines = ledger.read_export(export)
    _, leaves = ledger.check_lines(lines, trust)
    checkpoint = ledger.read_checkpoint(proof["checkpoint"], trust)
    ledger.check_against(checkpoint, leaves)
    there = {told["index"] for told in log.entries}
    last = log.own("release-recorded")[0]["index"]
    urgent = log.own("emergency-disclosed")  # which the law lets no objection stop
    for index, line in enumerate(lines[1 : 1 + len(leaves)]):
        ledger.require("entry" in line, "the export hides an entry; ask for a whole one")
        entry = line["entry"]
        if index >= checkpoint["size"]:
            ledger.require(not _tells_of_it(log, entry), NEWER)
            continue
        concerns = _tells_of_it(log, entry) or _tells_of_its_policy(log, entry)
        ledger.require(not concerns or index in there, "an entry was left out of the proof")
        later = (entry["facts"].get("register_sequence") or 0) > read_sequence(log)
        stood = not urgent and entry["event"] in promises.REGISTER and later and index < last
        ledger.require(not stood, "an objection stood before the release was recorded")
    return len(leaves)


def _tells_of_it(log: promises.Log, entry: Json) -> bool:
    """Whether a promise of the release is judged by it."""
    named: bool = entry["facts"].get("release") == log.release
    return named and entry["event"] in promises.OWN


def _tells_of_its_policy(log: promises.Log, entry: Json) -> bool:
    """Whether it is of the very text that the release was decided by, or of a grant for it."""
    event, facts, text = entry["event"], entry["facts"], promises.digest(log)
    if event == "key-granted":
        return bool(facts.get("policy_digest") == text)
    return bool(facts.get("document_digest") == text and event.startswith("policy-"))


def read_sequence(log: promises.Log) -> int:
    """Up to which register entry the release read."""
    return int(promises.fact(log.own("release-built")[-1], "register_sequence"))


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Verify the proof of a release independently.")
    parser.add_argument("file", type=Path, help="what `gateway prove RELEASE` wrote")
    parser.add_argument("--trust", type=Path, required=True, help="the sender's descriptor")
    parser.add_argument("--ledger", type=Path, help="an export of the whole ledger")
    parser.add_argument("--on", type=dt.date.fromisoformat, help="judge as of this day, not today")
    given = parser.parse_args(arguments)
    try:
        proof, trust = (ledger.parsed(path.read_bytes()) for path in (given.file, given.trust))
        done = check(proof, trust, on=given.on or dt.datetime.now(tz=dt.UTC).date())
        if given.ledger is not None:
            size = nothing_left_out(proof, trust, given.ledger)
            done |= {"nothing_left_out": True, "ledger_size": size}
    except ledger.Wrong as fault:
        done = {"fault": str(fault)}
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        done = {"fault": "a file is malformed or cannot be read"}
    fine = "fault" not in done and not done["broken"]
    print(json.dumps({"ok": fine} | done))  # noqa: T201 - its answer
    return 0 if fine else 6


if __name__ == "__main__":
    sys.exit(main())
