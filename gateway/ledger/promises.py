"""What the notices promise, put to the ledger: kept, broken, or not yet due, with the entries.

Each promise is one rule over the entries of one release. It reads nothing else, so
that anybody who holds the entries, and the proofs that they stand in the log, comes
to the same answer; `gateway.standalone.verify_release` is written apart and does.

Source: the councils' privacy notices; UK GDPR Art 5(2); requirement N17.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence

from gateway.ledger.promises_of_packages import destroyed, groups, keys, minimum
from gateway.ledger.story import Answer, Manifest, Manifests, Outcome, Story, Told, Verdict, counted

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
    # A withdrawal ends every approval: after it, each controller has to give theirs again.
    standing = [told for told in before if not any(told.index < end.index for end in withdrawn)]
    return _for_each_controller(decided, standing, [*proposals, *before, decided])


def _for_each_controller(decided: Told, standing: list[Told], shown: list[Told]) -> Answer:
    """Whether the approvals are those of all whose approval the decision says it needed."""
    needed = _controllers(decided)
    missing = sorted(needed.difference(*(_controllers(told) for told in standing)))
    if missing and all(_controllers(told) for told in standing):
        because = f"No approval for {', '.join(missing)} stands before the decision."
        return Outcome.BROKEN, because, shown
    if missing or not needed:
        because = (
            f"{counted(len(standing), 'approval')} of this very text before it was decided, none"
            " by who wrote it. How many it needed could not be checked: not all of its entries"
            " name their controllers."
        )
        return Outcome.KEPT, because, shown
    because = (
        f"{counted(len(standing), 'approval')} of this very text before it was decided, for"
        f" {counted(len(needed), 'controller')}, none by who wrote it."
    )
    return Outcome.KEPT, because, shown


def _controllers(told: Told) -> frozenset[str]:
    """For whom it approves, or who had to approve; nobody in entries from before."""
    return frozenset(filter(None, str(told.fact("controllers")).split(",")))


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


def _two_with_a_reason(story: Story, _m: Manifests, on: dt.date) -> Answer:
    disclosed, filed = story.own("emergency-disclosed"), story.own("emergency-reason-filed")
    if not disclosed:
        return _no_emergency(story)
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


def _no_emergency(story: Story) -> Answer:
    """What is decided as an emergency disclosure has to be told of as one."""
    decided = story.own("release-decided")
    if any(told.fact("kind") == EMERGENCY for told in decided):
        return Outcome.BROKEN, "No entry says who stood behind the disclosure.", decided
    return Outcome.KEPT, "It was no emergency disclosure.", decided


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
    if len(whom) != len(made):
        return Outcome.BROKEN, "A package was made twice.", made
    if len(set(gone)) != len(gone) or not set(gone) <= set(whom):
        return Outcome.BROKEN, "A package left twice, or was never made.", sent
    if any(told.fact("recipient") not in ("", whom[told.fact("package")]) for told in sent):
        return Outcome.BROKEN, "A package went to another recipient.", sent
    if len(gone) < len(whom):
        return Outcome.NOT_YET, f"{len(gone)} of {len(whom)} packages have left.", [*made, *sent]
    return (
        Outcome.KEPT,
        f"{counted(len(gone), 'package')}, each once, each to its recipient.",
        [*made, *sent],
    )


EMERGENCY = "emergency"
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
    "minimum": ("Only the minimum necessary is shared.", minimum),
    "de-identified": ("You cannot be identified from what researchers receive.", groups),
    "objections": ("You can object, and you are left out.", _objections),
    "emergency": (
        "Told without asking you only to protect you or others from harm, by two people, for a"
        " stated reason.",
        _two_with_a_reason,
    ),
    "conserved": ("Everybody is accounted for: sent, or left out for a stated reason.", _conserved),
    "keys": ("Codes in place of names are made only with leave.", keys),
    "recorded": ("Every sharing is recorded before it happens.", _recorded_first),
    "once": ("Only those who need to know receive it, once.", _once),
    "destroyed": ("It is destroyed once the research is concluded.", destroyed),
}
