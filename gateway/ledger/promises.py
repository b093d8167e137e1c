"""What the notices promise, put to the ledger: kept, broken, or not yet due, with the entries.

Each promise is one rule over the entries of one release. It reads nothing else, so
that anybody who holds the entries, and the proofs that they stand in the log, comes
to the same answer; `gateway.standalone.verify_release` is written apart and does.

Source: the councils' privacy notices; UK GDPR Art 5(2); requirement N17.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence

import rfc8785

from gateway.ledger.story import Manifest, Outcome, Story, Told, Verdict

Answer = tuple[Outcome, str, list[Told]]
Manifests = Sequence[Manifest]
Rule = Callable[[Story, Manifests, dt.date], Answer]


def judge(
    entries: Sequence[Told], release: str, *, manifests: Sequence[Manifest], on: dt.date
) -> tuple[Verdict, ...]:
    """Every promise of one release.

    Args:
        entries: those of the release, of its policy digest, of its keys, and the register's
            next one; the log holds the rest.
        release: its id.
        manifests: the core manifests of its packages.
        on: the day of the question.
    """
    story = Story(entries, release)
    return tuple(
        Verdict(
            promise=promise,
            words=words,
            outcome=outcome,
            because=because,
            evidence=tuple(sorted({told.index for told in shown})),
        )
        for promise, (words, rule) in PROMISES.items()
        for outcome, because, shown in [rule(story, manifests, on)]
    )


def _approved(story: Story, _m: Manifests, _on: dt.date) -> Answer:
    decided = story.decided
    if decided is None:
        return Outcome.BROKEN, "The ledger holds no decision.", []
    proposals = _until(decided, story.every("policy-proposed", document_digest=story.digest))
    before = _until(decided, story.every("policy-approved", document_digest=story.digest))
    withdrawn = _until(decided, story.every("policy-withdrawn", document_digest=story.digest))
    ended = [told for told in withdrawn if before and before[-1].index < told.index]
    if not before or not any(told.people for told in proposals):
        return Outcome.BROKEN, "No approval stands before the decision.", [decided, *proposals]
    if any(_own_text(told, proposals) for told in before):
        return Outcome.BROKEN, "An editor approved their own text.", [*before, *proposals]
    if ended:
        return Outcome.BROKEN, "The agreement was withdrawn before the decision.", ended
    return (
        Outcome.KEPT,
        f"{_counted(len(before), 'approval')} of this very text before it was decided, "
        "none by who wrote it.",
        [*proposals, *before, decided],
    )


def _until(decided: Told, told: Iterable[Told]) -> list[Told]:
    """What stood when it was decided: who does something with the text later changes nothing."""
    return [each for each in told if each.index < decided.index]


def _own_text(approval: Told, proposals: Iterable[Told]) -> bool:
    """Whether somebody approved what they themselves had proposed or written before."""
    wrote = (name for told in _until(approval, proposals) for name in told.people)
    return approval.fact("operator") in wrote


def _apart(story: Story, _m: Manifests, _on: dt.date) -> Answer:
    decided = story.decided
    if decided is None:
        return Outcome.BROKEN, "The ledger holds no decision.", []
    others = [
        *_until(decided, story.every("policy-proposed", document_digest=story.digest)),
        *_until(decided, story.every("policy-approved", document_digest=story.digest)),
        *_until(decided, story.every("key-granted", policy_digest=story.digest)),
    ]
    same = [told for told in others if decided.fact("operator") in told.people]
    if same:
        return Outcome.BROKEN, "The release officer also wrote, approved or granted.", same
    return Outcome.KEPT, "Who released it neither wrote, approved nor granted.", [*others, decided]


def _minimum(story: Story, manifests: Manifests, _on: dt.date) -> Answer:
    made = {told.fact("package"): told for told in story.own("package-made")}
    if set(made) != {manifest["package"] for manifest in manifests} or not made:
        return Outcome.BROKEN, "A manifest is missing.", list(made.values())
    for manifest in manifests:
        told = made[manifest["package"]]
        if canonical_digest(manifest) != told.fact("core_digest"):
            return Outcome.BROKEN, "A manifest is not the one that was recorded.", [told]
        if any(not column.get("clause") for column in manifest["columns"]):
            return Outcome.BROKEN, "A column left without a clause.", [told]
    columns = sum(len(manifest["columns"]) for manifest in manifests)
    return (
        Outcome.KEPT,
        f"{_counted(columns, 'column')} left, each by a clause.",
        list(made.values()),
    )


def _groups(story: Story, manifests: Manifests, _on: dt.date) -> Answer:
    made = story.own("package-made")
    limited = [manifest for manifest in manifests if manifest.get("disclosure")]
    if any(not manifest["disclosure"].get("met") for manifest in limited):
        return Outcome.BROKEN, "A limit on small groups was not met.", made
    if any(_in_clear(manifest) for manifest in manifests):
        because = "It names people, to a recipient who may know them: nobody is told otherwise."
        return Outcome.DOES_NOT_APPLY, because, made
    least = min((manifest["disclosure"]["k"] for manifest in limited), default=0)
    because = (
        f"No group of fewer than {least} families left." if least else "No rows of facts left."
    )
    return Outcome.KEPT, because, made


def _in_clear(manifest: Manifest) -> bool:
    """Whether a column that names people left as it was received."""
    return any((c["class"], c["treatment"]) == ("direct", "keep") for c in manifest["columns"])


def _objections(story: Story, _m: Manifests, _on: dt.date) -> Answer:
    built, recorded = story.own("release-built"), story.recorded
    if recorded is None or not built:
        return Outcome.BROKEN, "The ledger does not say which register was read.", built
    if disclosed := story.own("emergency-disclosed"):
        overridden = int(disclosed[0].fact("count") or 0)
        because = (
            f"The law lets no objection stop an emergency disclosure: {overridden} overridden."
        )
        return Outcome.KEPT, because, [*built, recorded, *disclosed]
    read = built[-1].fact("register_sequence")
    if recorded.fact("register_sequence") != read:
        return Outcome.BROKEN, "The register moved between reading and sending.", [*built, recorded]
    missed = [
        told
        for told in story.entries
        if told.entry.event in REGISTER_EVENTS
        and int(told.fact("register_sequence") or 0) > int(read or 0)
        and told.index < recorded.index
    ]
    if missed:
        return Outcome.BROKEN, "An objection stood before it was sent.", [*missed, recorded]
    return (
        Outcome.KEPT,
        f"Register entry {read} was the newest when it was made and when it was recorded.",
        [*built, recorded],
    )


def _counted(number: int, one: str) -> str:
    return f"{number} {one}" if number == 1 else f"{number} {one}s"


def _two_with_a_reason(story: Story, _m: Manifests, on: dt.date) -> Answer:
    disclosed, filed = story.own("emergency-disclosed"), story.own("emergency-reason-filed")
    if not disclosed:
        return Outcome.KEPT, "It was no emergency disclosure.", story.own("release-decided")
    both = {disclosed[0].fact("operator"), disclosed[0].fact("approver")}
    sent = story.own("package-forwarded")
    shown = [*disclosed, *filed, *sent]
    if len(disclosed) != 1 or len(both) != 2 or any(t.index < disclosed[0].index for t in sent):
        return Outcome.BROKEN, "Not two people stood behind it before anything left.", shown
    if any(told.fact("state") != "in-time" for told in filed):
        return Outcome.BROKEN, "A reason was filed after its day.", shown
    if {told.fact("operator") for told in filed} >= both:
        return Outcome.KEPT, "Two people agreed on it, and both filed their reason in time.", shown
    if on > disclosed[0].entry.at.date() + dt.timedelta(days=1):
        return Outcome.BROKEN, "A reason is owed, and its day has passed.", shown
    return Outcome.NOT_YET, "Two people agreed on it; a reason is still owed.", shown


def _conserved(story: Story, _m: Manifests, _on: dt.date) -> Answer:
    built = story.own("release-built")
    if not built:
        return Outcome.BROKEN, "The ledger holds no count.", []
    received, forwarded, withheld = (
        int(built[-1].fact(name) or 0) for name in ("received", "forwarded", "withheld")
    )
    if received != forwarded + withheld:
        return Outcome.BROKEN, "The people received are not those forwarded and withheld.", built
    return Outcome.KEPT, "Everybody was sent or left out for a reason.", built


def _keys(story: Story, _m: Manifests, _on: dt.date) -> Answer:
    uses = story.own("key-used")
    shown = list(uses)
    for use in uses:
        leave = [
            told
            for told in story.every("key-granted", key=use.fact("key"), policy_digest=story.digest)
            if told.index < use.index
            and told.fact("purpose") == use.fact("purpose")
            and str(told.fact("until")) >= use.entry.at.date().isoformat()
        ]
        if not leave:
            return Outcome.BROKEN, "A key was used without leave.", [use]
        shown += leave
    because = (
        f"{_counted(len(uses), 'use')} of a key, each by leave." if uses else "No key was needed."
    )
    return Outcome.KEPT, because, shown


def _recorded_first(story: Story, _m: Manifests, _on: dt.date) -> Answer:
    order = ("release-decided", "release-built", "release-recorded")
    found = [story.own(event) for event in order]
    steps = [told for each in found for told in each]
    sent = story.own("package-forwarded")
    if any(len(each) != 1 for each in found):
        return Outcome.BROKEN, "A step is missing, or stands twice.", steps
    if [told.index for told in steps] != sorted(told.index for told in steps):
        return Outcome.BROKEN, "The steps are out of order.", steps
    if any(told.index < steps[-1].index for told in sent):
        return Outcome.BROKEN, "Something left before it was recorded.", [*steps, *sent]
    return Outcome.KEPT, "Decided, made and recorded before anything left.", [*steps, *sent]


def _once(story: Story, _m: Manifests, _on: dt.date) -> Answer:
    made, sent = story.own("package-made"), story.own("package-forwarded")
    whom = {told.fact("package"): told.fact("recipient") for told in made}
    gone = [told.fact("package") for told in sent]
    if len(set(gone)) != len(gone) or not set(gone) <= set(whom):
        return Outcome.BROKEN, "A package left twice, or was never made.", sent
    if any(told.fact("recipient") not in ("", whom[told.fact("package")]) for told in sent):
        return Outcome.BROKEN, "A package went to another recipient.", sent
    if len(gone) < len(whom):
        return Outcome.NOT_YET, f"{len(gone)} of {len(whom)} packages have left.", [*made, *sent]
    return (
        Outcome.KEPT,
        f"{_counted(len(gone), 'package')}, each once, each to its recipient.",
        [*made, *sent],
    )


def _destroyed(story: Story, manifests: Sequence[Manifest], on: dt.date) -> Answer:
    made, gone = story.own("package-made"), story.own("recipient-destroyed")
    days = sorted(_destroy_by(manifest) for manifest in manifests)
    if len(gone) >= len(made) and made:
        return Outcome.KEPT, "Each recipient has certified the destruction.", gone
    if days and on.isoformat() <= days[-1]:
        return Outcome.NOT_YET, f"It is to be destroyed by {days[-1]}.", made
    return Outcome.BROKEN, "Its day has passed without a certificate of each recipient.", gone


def _destroy_by(manifest: Manifest) -> str:
    for duty in manifest.get("duties", ()):
        text = duty if isinstance(duty, str) else str(duty.get("code", ""))
        if text.startswith("destroy-by "):
            return text.removeprefix("destroy-by ")
    return ""


REGISTER_EVENTS = frozenset(
    {"register-entry-added", "register-entry-lifted", "register-loaded", "register-entry-answered"}
)

PROMISES: Mapping[str, tuple[str, Rule]] = {
    "approved": (
        "Shared only as an agreement says that its controllers have approved.",
        _approved,
    ),
    "apart": (
        "Nobody decides alone: who writes, approves and releases are others.",
        _apart,
    ),
    "minimum": ("Only the minimum necessary is shared.", _minimum),
    "de-identified": ("You cannot be identified from what researchers receive.", _groups),
    "objections": ("You can object, and you are left out.", _objections),
    "emergency": (
        "Told without asking you only to protect you or others from harm, by two people, for a"
        " stated reason.",
        _two_with_a_reason,
    ),
    "conserved": ("Everybody is accounted for: sent, or left out for a stated reason.", _conserved),
    "keys": ("Codes in place of names are made only with leave.", _keys),
    "recorded": ("Every sharing is recorded before it happens.", _recorded_first),
    "once": ("Only those who need to know receive it, once.", _once),
    "destroyed": ("It is destroyed once the research is concluded.", _destroyed),
}


def canonical_digest(manifest: Manifest) -> str:
    """SHA-256 of the manifest's canonical form, as its ledger entry commits to it."""
    return hashlib.sha256(rfc8785.dumps(dict(manifest))).hexdigest()
