"""One release as the ledger tells it, and everything that may have happened to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from gateway.ledger import EVENTS, Entry, Fact, Told, Verdict, encode_entry, judge
from gateway.ledger.promises_of_packages import canonical_digest

RELEASE, DIGEST, NONE = "rel-1", "d" * 64, "0" * 64
START = dt.datetime(2026, 6, 15, 9, tzinfo=dt.UTC)
DAY = START.date()


DECIDED, BUILT, RECORDED = "release-decided", "release-built", "release-recorded"
PROPOSED, APPROVED, WITHDREW = "policy-proposed", "policy-approved", "policy-withdrawn"
GRANTED, USED, MADE, SENT = "key-granted", "key-used", "package-made", "package-forwarded"
OBJECTED, LOADED = "register-entry-added", "register-loaded"
DISCLOSED, STATED = "emergency-disclosed", "emergency-reason-filed"
CERTIFIED = "recipient-destroyed"

TEXT: dict[str, Fact] = {"document": "a", "document_digest": DIGEST}
AN_OBJECTION: dict[str, Fact] = {"subject": "sub-1", "purpose": "study", "register_sequence": 8}
AN_EMERGENCY: dict[str, Fact] = {
    "subject": "emg-1",
    "release": RELEASE,
    "recipient": "ambulance",
    "clause": "2",
    "operator": "oz",
    "approver": "ada",
    "count": 3,
}
OWN: dict[str, Fact] = {"release": RELEASE}
STUDY: dict[str, Fact] = {"purpose": "study", "agreement": "a"}
BOTH: dict[str, Fact] = {"controllers": "a-council,b-council"}
A_KEY: dict[str, Fact] = {"key": "k-1", "kind": "study", "purpose": "study"}
READ: dict[str, Fact] = {"register_sequence": 7}
BY: dict[str, Fact] = {"channel": "folder"}
A_CERTIFICATE: dict[str, Fact] = {"release": RELEASE, "recipient": "ons-research"}


def a_reason(operator: str, state: str = "in-time") -> dict[str, Fact]:
    facts = {"subject": "emg-1", "release": RELEASE, "digest": NONE}
    return {**facts, "operator": operator, "state": state}


def a_column(name: str, *, sort: str = "plain", treatment: str = "keep") -> dict[str, str]:
    return {"name": name, "class": sort, "treatment": treatment, "clause": "4.2(c)"}


NAMED = [a_column("name", sort="direct")]
UNDUE = [{"name": "arm", "class": "plain", "treatment": "keep"}]
FACTS_FILE = {
    "package": "pkg-facts",
    "columns": [a_column("district", treatment="postcode-district"), a_column("arm")],
    "disclosure": {"k": 10, "met": True},
    "duties": ["no-onward", "destroy-by 2028-03-31"],
}
TOKENS_FILE = {
    "package": "pkg-tokens",
    "columns": [a_column("nhs", sort="direct", treatment="token")],
    "duties": [{"code": "destroy-by 2027-03-31", "clause": "5.1"}],
}


@dataclass(frozen=True)
class Case:
    """One release as somebody might find it: its lines in the order of the log, its manifests."""

    lines: tuple[tuple[str, dict[str, Fact]], ...]
    manifests: tuple[dict[str, Any], ...] = (FACTS_FILE, TOKENS_FILE)
    on: dt.date = DAY

    def told(self) -> list[Told]:
        """The entries; each may stand in a ledger as it is."""
        entries = [
            Entry(event=event, facts=facts, at=START + dt.timedelta(minutes=n))
            for n, (event, facts) in enumerate(self.lines)
        ]
        assert all(encode_entry(entry) for entry in entries)
        return [Told(index=100 + n, entry=entry) for n, entry in enumerate(entries)]

    def verdicts(self) -> dict[str, Verdict]:
        # Whoever gathers the entries gives them in no order.
        given_ = self.told()[::-1]
        found = judge(given_, RELEASE, manifests=self.manifests, on=self.on)
        return {verdict.promise: verdict for verdict in found}

    def events(self, verdict: Verdict) -> list[str]:
        """The events of its evidence."""
        return [self.lines[index - 100][0] for index in verdict.evidence]


def made(manifest: dict[str, Any], recipient: str) -> dict[str, Fact]:
    facts = {"output": "out", "package": manifest["package"], "rows": 90, "recipient": recipient}
    return {**OWN, **facts, "core_digest": canonical_digest(manifest)}


WHOLE = Case(
    lines=(
        (PROPOSED, {**TEXT, "operator": "eve"}),
        (APPROVED, {**TEXT, "operator": "ada", "controllers": "a-council"}),
        (APPROVED, {**TEXT, "operator": "bob", "controllers": "b-council"}),
        (GRANTED, {**A_KEY, "operator": "kim", "policy_digest": DIGEST, "until": "2026-06-15"}),
        (DECIDED, {**OWN, **STUDY, **BOTH, "policy_digest": DIGEST, "operator": "oz"}),
        (USED, {**OWN, **A_KEY, "count": 9}),
        (MADE, made(FACTS_FILE, "ons-research")),
        (MADE, made(TOKENS_FILE, "ons-linkage")),
        (BUILT, {**OWN, **READ, "received": 100, "forwarded": 90, "withheld": 10}),
        (RECORDED, {**OWN, **READ, "packages": 2, "packages_digest": NONE}),
        (SENT, {**OWN, **BY, "package": "pkg-facts", "recipient": "ons-research"}),
        (SENT, {**OWN, **BY, "package": "pkg-tokens"}),
    )
)

Change = Callable[[Case], Case]


def places(case: Case, event: str) -> list[int]:
    return [n for n, (name, _) in enumerate(case.lines) if name == event]


def without(event: str, *, which: int | None = None) -> Change:
    """The event never happened; or one of its kind did not."""

    def change(case: Case) -> Case:
        found = places(case, event)
        gone = found if which is None else [found[which]]
        return replace(case, lines=tuple(x for n, x in enumerate(case.lines) if n not in gone))

    return change


def saying(event: str, *, which: int = 0, **facts: Fact) -> Change:
    """One of these events says something else."""

    def change(case: Case) -> Case:
        at = places(case, event)[which]
        told = (event, {**case.lines[at][1], **facts})
        return replace(case, lines=(*case.lines[:at], told, *case.lines[at + 1 :]))

    return change


def more(event: str, *, before: str = "", **facts: Fact) -> Change:
    """One more entry: before the first of its kind, or at the end."""

    def change(case: Case) -> Case:
        at = places(case, before)[0] if before else len(case.lines)
        return replace(case, lines=(*case.lines[:at], (event, facts), *case.lines[at:]))

    return change


def again(event: str, *, before: str = "") -> Change:
    """The same entry once more."""
    return lambda case: more(event, before=before, **case.lines[places(case, event)[0]][1])(case)


def stating(which: int, **members: Any) -> Change:
    """A manifest of other members, recorded as it is."""

    def change(case: Case) -> Case:
        manifests = list(case.manifests)
        manifests[which] = {**manifests[which], **members}
        changed = replace(case, manifests=tuple(manifests))
        digest = canonical_digest(manifests[which])
        return saying(MADE, which=which, core_digest=digest)(changed)

    return change


def asked(on: str) -> Change:
    return lambda case: replace(case, on=dt.date.fromisoformat(on))


def filed(operator: str, state: str = "in-time") -> Change:
    return more(STATED, **a_reason(operator, state))


def disclosed(before: str = BUILT, **facts: Fact) -> Change:
    return more(DISCLOSED, before=before, **{**AN_EMERGENCY, **facts})


def changed(*changes: Change) -> Case:
    case = WHOLE
    for change in changes:
        case = change(case)
    return case


POOL: dict[str, list[Fact]] = {
    "operator": ["eve", "ada", "oz", "kim"],
    "controllers": ["a-council", "b-council", "a-council,b-council", "c-council"],
    "editors": ["eve", "ada,eve", "eve,oz", "ad"],
    "approver": ["ada", "oz"],
    "release": [RELEASE, "rel-2"],
    "document_digest": [DIGEST, NONE],
    "policy_digest": [DIGEST, NONE],
    "core_digest": [NONE],
    "key": ["k-1", "k-2"],
    "purpose": ["study", "other"],
    "until": ["2026-06-14", "2026-06-15"],
    "package": ["pkg-facts", "pkg-tokens", "pkg-3"],
    "recipient": ["ons-research", "ons-linkage"],
    "register_sequence": [6, 7, 8],
    "received": [99, 100, 101],
    "withheld": [9, 10],
    "state": ["in-time", "late"],
    "kind": ["study", "controller", "emergency"],
    "packages": [1, 2],
}
LINES = (
    *WHOLE.lines,
    (WITHDREW, TEXT),
    (APPROVED, {**TEXT, "operator": "ada"}),
    (APPROVED, {**TEXT, **BOTH, "operator": "ada"}),
    (PROPOSED, {**TEXT, "operator": "eve", "editors": "eve"}),
    (PROPOSED, {**TEXT, "operator": "eve", "editors": "ada,eve"}),
    (PROPOSED, {**TEXT, "operator": "eve", "editors": "eve,kim,oz"}),
    (OBJECTED, AN_OBJECTION),
    (LOADED, {"register_sequence": 9, "entries": 2}),
    (DISCLOSED, AN_EMERGENCY),
    (USED, {**OWN, **A_KEY, "kind": "controller", "count": 9}),
    (
        GRANTED,
        {
            **A_KEY,
            "study": "nis",
            "epoch": "2026-1",
            "policy_digest": DIGEST,
            "until": "2026-06-15",
        },
    ),
    (STATED, a_reason("oz")),
    (STATED, a_reason("ada")),
    (CERTIFIED, A_CERTIFICATE),
    (CERTIFIED, A_CERTIFICATE),
    (CERTIFIED, {**A_CERTIFICATE, "package": "pkg-facts"}),
    (CERTIFIED, {**A_CERTIFICATE, "package": "pkg-facts"}),
)
MEMBERS: dict[str, list[Any]] = {
    "columns": [NAMED, UNDUE, [], [a_column("family", treatment="pseudonym")]],
    "key": [None, {"kind": "study", "study": "nis", "epoch": "2026-1"}, {"kind": "pseudonym"}],
    "rows": [0, 90],
    "disclosure": [None, {"k": 5}, {"k": 5, "met": True}],
    "duties": [[], ["destroy-by 2026-06-14"], [{"code": "destroy-by 2026-06-15"}]],
}


@st.composite
def stories(draw: st.DrawFn) -> Case:
    """A release to which anything may have happened that a ledger can say."""
    lines = list(WHOLE.lines)
    for event, facts in draw(st.lists(st.sampled_from(LINES), max_size=5)):
        lines.insert(draw(st.integers(0, len(lines))), (event, dict(facts)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        event, facts = lines.pop(at)
        name = draw(st.sampled_from(sorted({*facts} & {*POOL}) or [""]))
        done = draw(st.sampled_from(["gone", "moved", "other", "silent"]))
        if done == "other" and name:
            facts = facts | {name: draw(st.sampled_from(POOL[name]))}
        if done == "silent" and name not in EVENTS[event].required:
            facts = {key: value for key, value in facts.items() if key != name}
        if done != "gone":
            place = draw(st.integers(0, len(lines))) if done == "moved" else at
            lines.insert(place, (event, facts))
    case = replace(WHOLE, lines=tuple(lines), on=DAY + dt.timedelta(draw(st.integers(-1, 2))))
    if draw(st.booleans()) and len(places(case, MADE)) == 2:
        member = draw(st.sampled_from(sorted(MEMBERS)))
        changed_ = stating(
            draw(st.integers(0, 1)), **{member: draw(st.sampled_from(MEMBERS[member]))}
        )
        case = changed_(case)
    return case
