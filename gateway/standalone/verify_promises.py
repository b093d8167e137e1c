"""The promises of a release, judged from its proved entries and manifests alone.

It belongs beside `verify_release.py`, which proves the entries first. Its rules are
written down in docs/reference/ledger.md and not taken from the gateway's code.

Source: docs/reference/ledger.md, "Promises".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

try:
    from gateway.standalone import verify_ledger as ledger
except ImportError:  # beside it, as an auditor has it
    import verify_ledger as ledger  # type: ignore[import-not-found, no-redef]

Json = dict[str, Any]
KEPT, BROKEN, LATER, APPLIES_NOT = "kept", "broken", "not-yet", "does-not-apply"
OWN = {
    *("release-decided", "release-built", "package-made", "release-recorded"),
    *("package-forwarded", "package-acknowledged", "recipient-destroyed", "key-used"),
    *("emergency-disclosed", "emergency-reason-filed"),
}
REGISTER = {
    *("register-entry-added", "register-entry-lifted"),
    *("register-loaded", "register-entry-answered"),
}


class Log:
    """The proved entries of one release, in the log's order."""

    def __init__(self, proof: Json) -> None:
        self.release = proof["release"]
        self.entries = sorted(proof["entries"], key=lambda told: told["index"])
        self.manifests = proof["manifests"]
        self.asked = proof["asked"]

    def find(self, event: str, **facts: Any) -> list[Json]:
        """Entries of an event with these facts."""
        return [
            told
            for told in self.entries
            if told["entry"]["event"] == event
            and all(told["entry"]["facts"].get(name) == value for name, value in facts.items())
        ]

    def own(self, event: str) -> list[Json]:
        """Entries of an event that name the release."""
        return self.find(event, release=self.release)

    def judged(self, on: str) -> dict[str, str]:
        """Every promise as of a day."""
        self.asked = on
        return {promise: rule(self) for promise, rule in RULES.items()}


def fact(told: Json, name: str) -> Any:
    """A fact of an entry, or nothing."""
    return told["entry"]["facts"].get(name)


def digest(log: Log) -> Any:
    """The policy digest of the decision."""
    return fact(log.own("release-decided")[0], "policy_digest")


def before(entry: Json, told: list[Json]) -> list[Json]:
    """What the ledger says before an entry."""
    return [each for each in told if each["index"] < entry["index"]]


def editors(log: Log, entry: Json) -> set[Any]:
    """Whoever had proposed this very text before an entry, or was said to have written of it."""
    told = before(entry, log.find("policy-proposed", document_digest=digest(log)))
    wrote = {name for each in told for name in (fact(each, "editors") or "").split(",") if name}
    return wrote | {fact(each, "operator") for each in told}


def controllers(told: list[Json]) -> set[str]:
    """Whom decisions needed, or approvals were for; entries from before name nobody."""
    return {name for each in told for name in (fact(each, "controllers") or "").split(",") if name}


def signatures(log: Log) -> list[Json]:
    """The approvals of this very text that stood when it decided."""
    decided = log.own("release-decided")[0]
    return before(decided, log.find("policy-approved", document_digest=digest(log)))


def since_withdrawn(log: Log) -> list[Json]:
    """Those of them that no withdrawal ended: after it, every controller signs again."""
    decided = log.own("release-decided")[0]
    ended = before(decided, log.find("policy-withdrawn", document_digest=digest(log)))
    last = max((told["index"] for told in ended), default=-1)
    return [told for told in signatures(log) if last < told["index"]]


def number_unknown(log: Log) -> bool:
    """Whether the entries leave open that each controller whom it needed has signed."""
    needed = controllers(log.own("release-decided"))
    return not needed or not needed <= controllers(since_withdrawn(log))


def approved(log: Log) -> str:
    """Each controller signed this very text before it decided, and nobody what they had written."""
    decided = log.own("release-decided")[0]
    if any(fact(told, "operator") in editors(log, told) for told in signatures(log)):
        return BROKEN
    standing = since_withdrawn(log)
    if not standing or not editors(log, decided):
        return BROKEN
    # One that does not say for whom it is may be anybody's: then the number is unknown.
    said = all(controllers([told]) for told in standing)
    return BROKEN if said and not controllers([decided]) <= controllers(standing) else KEPT


def apart(log: Log) -> str:
    """Who released it had done nothing else for it."""
    decided = log.own("release-decided")[0]
    others = log.find("policy-approved", document_digest=digest(log))
    others += log.find("key-granted", policy_digest=digest(log))
    acted = editors(log, decided) | {fact(told, "operator") for told in before(decided, others)}
    return BROKEN if fact(decided, "operator") in acted else KEPT


def minimum(log: Log) -> str:
    """Each package was made once, its one manifest is the recorded one, each column has a clause.

    Packages and manifests are compared one by one: of two, neither hides the other.
    """
    made = sorted((fact(told, "package"), fact(told, "core_digest")) for told in packages(log))
    shown = sorted((m["package"], recorded_as(m)) for m in log.manifests)
    clauses = all(column.get("clause") for m in log.manifests for column in m["columns"])
    counts = [fact(told, "packages") for told in log.own("release-recorded")[:1]]
    whole = made_once(log) and counts in ([], [len(made)])
    return KEPT if made and made == shown and clauses and whole else BROKEN


def packages(log: Log) -> list[Json]:
    """The entries of the packages of the release."""
    return log.own("package-made")


def made_once(log: Log) -> bool:
    """Whether no two of them are of one package."""
    made = packages(log)
    return len({fact(told, "package") for told in made}) == len(made)


def recorded_as(manifest: Json) -> str:
    """The digest by which an entry commits to a manifest."""
    return str(ledger.sha256(ledger.canonical(manifest)).hex())


def groups(log: Log) -> str:
    """Every limit on small groups was met; where people are named, it is no promise."""
    met = all(m["disclosure"].get("met") for m in log.manifests if m.get("disclosure"))
    told = [(c["class"], c["treatment"]) for m in log.manifests for c in m["columns"]]
    return BROKEN if not met else APPLIES_NOT if ("direct", "keep") in told else KEPT


def objections(log: Log) -> str:
    """The register did not move between its reading and the record of the dispatch."""
    built, recorded = log.own("release-built"), log.own("release-recorded")
    if not built or not recorded:
        return BROKEN
    if log.own("emergency-disclosed"):
        return KEPT
    read = fact(built[-1], "register_sequence")
    register = [told for told in log.entries if told["entry"]["event"] in REGISTER]
    early = [
        told
        for told in register
        if (fact(told, "register_sequence") or 0) > read and told["index"] < recorded[0]["index"]
    ]
    return BROKEN if early or fact(recorded[0], "register_sequence") != read else KEPT


def emergency(log: Log) -> str:
    """Two people, before anything left; both reasons within a day."""
    made, filed = log.own("emergency-disclosed"), log.own("emergency-reason-filed")
    if not made:
        # What was decided as one cannot be told without the two people behind it.
        kinds = {fact(told, "kind") for told in log.own("release-decided")}
        return BROKEN if "emergency" in kinds else KEPT
    both = {fact(made[0], "operator"), fact(made[0], "approver")}
    early = any(told["index"] < made[0]["index"] for told in log.own("package-forwarded"))
    late = any(fact(told, "state") != "in-time" for told in filed)
    if len(made) != 1 or len(both) != 2 or early or late:
        return BROKEN
    if {fact(told, "operator") for told in filed} >= both:
        return KEPT
    day = dt.date.fromisoformat(made[0]["entry"]["at"][:10]) + dt.timedelta(days=1)
    return BROKEN if log.asked > day.isoformat() else LATER


def conserved(log: Log) -> str:
    """Received is forwarded and withheld."""
    built = log.own("release-built")
    if not built:
        return BROKEN
    received, sent, left = (fact(built[-1], n) for n in ("received", "forwarded", "withheld"))
    return KEPT if received == sent + left else BROKEN


def keys(log: Log) -> str:
    """Each use of a key had leave that day, and no code left whose key's use is not there."""
    uses = log.own("key-used")
    for use in uses:
        leave = [
            told
            for told in log.find("key-granted", key=fact(use, "key"), policy_digest=digest(log))
            if told["index"] < use["index"]
            and fact(told, "purpose") == fact(use, "purpose")
            and fact(told, "until") >= use["entry"]["at"][:10]
        ]
        if not leave:
            return BROKEN
    wanted = [key for manifest in log.manifests for key in made_by(manifest)]
    for key in wanted:
        if sum(is_use_of(log, use, key) for use in uses) < wanted.count(key):
            return BROKEN
    return KEPT


def made_by(manifest: Json) -> list[tuple[Any, ...]]:
    """The kinds of key that made the codes of a package, and of a study its name and epoch."""
    key, columns = manifest.get("key") or {}, {c["treatment"] for c in manifest["columns"]}
    found: list[tuple[Any, ...]] = []
    if "token" in columns or key.get("kind") == "study":
        found.append(("study", key.get("study"), key.get("epoch")))
    if "pseudonym" in columns or key.get("kind") == "pseudonym":
        found.append(("controller",))
    return [] if manifest.get("rows") == 0 else found


def is_use_of(log: Log, use: Json, key: tuple[Any, ...]) -> bool:
    """Whether a use is of a key of that kind, and by its grants of that study and epoch."""
    granted = log.find("key-granted", key=fact(use, "key"))
    studies = {(fact(told, "study"), fact(told, "epoch")) for told in granted}
    unnamed = not key[1:] or not key[1]
    return fact(use, "kind") == key[0] and (unnamed or key[1:] in studies)


def recorded(log: Log) -> str:
    """Decided, built and recorded, each once, before anything left."""
    steps = [
        [told["index"] for told in log.own(event)]
        for event in ("release-decided", "release-built", "release-recorded")
    ]
    if any(len(found) != 1 for found in steps):
        return BROKEN
    order = [found[0] for found in steps]
    sent = [told["index"] for told in log.own("package-forwarded")]
    return KEPT if order == sorted(order) and all(i > order[-1] for i in sent) else BROKEN


def once(log: Log) -> str:
    """Each package left once, to the recipient it was made for."""
    whom = {fact(told, "package"): fact(told, "recipient") for told in packages(log)}
    sent = log.own("package-forwarded")
    gone = [fact(told, "package") for told in sent]
    wrong = [t for t in sent if fact(t, "recipient") not in (None, whom.get(fact(t, "package")))]
    twice = not made_once(log) or len(set(gone)) != len(gone)
    if wrong or twice or not set(gone) <= set(whom):
        return BROKEN
    return KEPT if len(gone) == len(whom) else LATER


def destroyed(log: Log) -> str:
    """Each recipient certified the destruction, or its day is still to come."""
    made, gone = packages(log), log.own("recipient-destroyed")
    named = {fact(told, "package") for told in gone} & {fact(told, "package") for told in made}
    unnamed = [told for told in gone if fact(told, "package") is None]
    if made and len(named) + len(unnamed) >= len(made):
        return KEPT
    duties = [duty for m in log.manifests for duty in m.get("duties", [])]
    texts = [duty if isinstance(duty, str) else duty.get("code", "") for duty in duties]
    days = sorted(t.removeprefix("destroy-by ") for t in texts if t.startswith("destroy-by "))
    return LATER if days and log.asked <= days[-1] else BROKEN


RULES: dict[str, Callable[[Log], str]] = {
    "approved": approved,
    "apart": apart,
    "minimum": minimum,
    "de-identified": groups,
    "objections": objections,
    "emergency": emergency,
    "conserved": conserved,
    "keys": keys,
    "recorded": recorded,
    "once": once,
    "destroyed": destroyed,
}
