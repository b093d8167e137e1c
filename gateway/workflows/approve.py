"""The life of a policy version: proposed by one, approved by others, withdrawn at once.

Nothing is in force unless one approver of each controller, who wrote none of it, has
signed the policy digest with a personal key. The digest covers all that a
decision reads, so a change of any of it is unapproved until it is proposed and
approved again. Removal takes effect at once, addition only through approval.

Source: docs/reference/policy.md, "Life of a version"; security point 3; UK GDPR Arts 5(2), 26.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from gateway.errors import RefusedError, UsageError
from gateway.model.permissions import Action, authorise, not_your_controller
from gateway.model.words import PartyRole
from gateway.policy.findings import name
from gateway.policy.places import kind_of, misplaced
from gateway.policy.rereading import changed
from gateway.workflows.begin import first_day
from gateway.workflows.ports_policy import AgreementFacts, PolicyDesk, Proposal, Shelf

NOTICE_DAYS = 28
NO_BASES: Mapping[str, Sequence[str]] = MappingProxyType({})
REMOVABLE = ("datasets/", "recipients/")
MOST_TOLD = 12


def propose(
    desk: PolicyDesk,
    agreement: str,
    *,
    changes: Mapping[str, str],
    bases: Mapping[str, Sequence[str]] = NO_BASES,
    writers: Collection[str] = (),
) -> Proposal:
    """Propose an agreement, as the store has it or with changed texts beside it.

    Args:
        desk: the editor acts.
        agreement: its id.
        changes: new texts by path; empty proposes what is there as it is.
        bases: for a path, the SHA-256 of the texts that the new one was written over, the
            last one last ("" for none); a path that is not named is not compared.
        writers: all who saved the draft that it is made from; none where it comes from files.
            Who else wrote what it reads is known to the shelf.
    """
    with desk.shelf() as shelf:
        authorise(shelf.operator(desk.acting), Action.POLICY_PROPOSE)
        current = shelf.bundle()
        merged = changed(current, changes)
        _refuse_misplaced(changes)
        _refuse_lost(_written_over(shelf, changes, bases))
        _refuse_needed(shelf, agreement, changes)
        shelf.check(merged, changes.keys())
        facts = _facts_of(shelf, merged, agreement)
        _refuse_others(current, changes, facts)
        _refuse_stale_version(shelf, current, changes, facts)
        wrote = set(shelf.writers(agreement, merged, changes)) - {desk.acting}
        proposal = shelf.propose(_drawn(desk, facts, {*writers, *wrote}), changes)
        shelf.record("policy-proposed", _entry(desk, proposal) | _written_by(proposal))
    return proposal


def approve(desk: PolicyDesk, agreement: str) -> Proposal:
    """Approve the newest proposal for every controller that the approver speaks for."""
    with desk.shelf() as shelf:
        approver = shelf.operator(desk.acting)
        authorise(approver, Action.POLICY_APPROVE)
        proposal = shelf.latest(agreement)
        if desk.acting in shelf.editors(proposal.policy_digest):
            raise _own()
        _refuse_moved(desk, shelf, proposal)
        _refuse_lost(shelf.moved(proposal))
        _refuse_needed(shelf, agreement, shelf.changes_of(proposal))
        spoken_for = [
            controller
            for controller in proposal.controllers
            if approver.speaks_for(PartyRole.APPROVER, controller)
        ]
        _sign(desk, shelf, proposal, spoken_for)
        signed = shelf.latest(agreement)
        if signed.complete:
            shelf.settle(signed, begins=first_day(shelf, signed, on=desk.at.date()))
    return signed


def withdraw(desk: PolicyDesk, agreement: str) -> int:
    """Withdraw an agreement at once: its next decision is a refusal."""
    with desk.shelf() as shelf:
        authorise(shelf.operator(desk.acting), Action.POLICY_WITHDRAW)
        ended = _standing(shelf, shelf.latest(agreement))
        count = shelf.withdraw(agreement, desk.acting)
        for proposal in ended:
            shelf.record("policy-withdrawn", _entry(desk, proposal))
    return count


def _standing(shelf: Shelf, latest: Proposal) -> list[Proposal]:
    """What a withdrawal ends, each digest once: the newest, what stands, and what waits."""
    there = shelf.agreements(shelf.bundle()).get(latest.agreement)
    digests = {latest.policy_digest, there.policy_digest if there else ""}
    every = shelf.proposals(latest.agreement)
    ended = [each for each in every if each.begins or each.policy_digest in digests]
    return list({each.policy_digest: each for each in ended}.values())


def _sign(desk: PolicyDesk, shelf: Shelf, proposal: Proposal, controllers: list[str]) -> None:
    if not controllers:
        raise not_your_controller(desk.acting, proposal.agreement, proposal.controllers)
    there = {controller for controller, _ in proposal.approvals}
    missing = [controller for controller in controllers if controller not in there]
    if not missing:
        raise UsageError(
            "policy/approved-before",
            "That proposal is approved for this controller already.",
            remedy="`gateway policy status` shows who has still to approve.",
        )
    for controller in missing:
        shelf.approve(proposal, controller, desk.acting)
    whose = {"controllers": ",".join(sorted(missing))}
    shelf.record("policy-approved", _entry(desk, proposal) | whose)


def _facts_of(shelf: Shelf, documents: Mapping[str, str], agreement: str) -> AgreementFacts:
    found = shelf.agreements(documents).get(agreement)
    if found is None:
        raise UsageError(
            "policy/unknown-agreement",
            "There is no agreement of that id.",
            remedy="`gateway policy status` lists those that load, `gateway policy check` says "
            "what is wrong with the others.",
        )
    return found


def _refuse_stale_version(
    shelf: Shelf,
    current: Mapping[str, str],
    changes: Mapping[str, str],
    facts: AgreementFacts,
) -> None:
    """Compare and set: a new text of an agreement is exactly one version further."""
    text = changes.get(facts.path)
    if text is None or facts.path not in current or current[facts.path] == text:
        return
    there = _facts_of(shelf, current, facts.id).version
    if facts.version != there + 1:
        raise UsageError(
            "policy/stale",
            f"The store holds version {there}; the new text says version {facts.version}.",
            remedy=f"Start from the current text (`gateway policy export`) and make it "
            f"version {there + 1}.",
        )


def _written_over(
    shelf: Shelf, changes: Mapping[str, str], bases: Mapping[str, Sequence[str]]
) -> list[str]:
    """The documents that have changed since somebody began from them.

    Of several texts that were written one over the other, the last one that was ever the
    current one counts: the later ones were proposed, and nobody approved them.
    """
    current = shelf.heads()
    moved = []
    for path in sorted(path for path in changes if path in bases):
        once = shelf.once_current(path)
        known = [digest for digest in bases[path] if digest in once] or bases[path]
        if current.get(path, "") != known[-1]:
            moved.append(path)
    return moved


def _refuse_misplaced(changes: Mapping[str, str]) -> None:
    if any(text and kind_of(path) is None for path, text in changes.items()):
        raise misplaced()


def _refuse_others(
    current: Mapping[str, str], changes: Mapping[str, str], facts: AgreementFacts
) -> None:
    """Each agreement is changed by a proposal of its own, for its own controllers to approve."""
    others = [
        path
        for path, text in sorted(changes.items())
        if kind_of(path) == "agreements/" and path != facts.path and text != current.get(path)
    ]
    if others:
        raise another_agreement(others[0])


def another_agreement(path: str) -> RefusedError:
    """For a change of an agreement that goes with another one."""
    return RefusedError(
        "policy/other-agreement",
        f"This would change another agreement too: {name(path)}.",
        remedy="Propose that agreement for itself, so that its own controllers approve it.",
    )


def _refuse_lost(moved: Sequence[str]) -> None:
    """Compare and set: what another change brought meanwhile is not written over."""
    if moved:
        shown = ", ".join(name(path) for path in moved[:MOST_TOLD])
        raise UsageError(
            "policy/stale",
            f"Another change has reached what this one would change: {shown}.",
            remedy="Begin again from the current text (`gateway policy export`, or a new draft), "
            "and propose that.",
        )


def _refuse_needed(shelf: Shelf, agreement: str, changes: Mapping[str, str]) -> None:
    """Only a recipient or a dataset is taken out as a whole, and only once nothing needs it."""
    gone = [path for path, text in changes.items() if not text]
    if any(kind_of(path) is not None and not path.startswith(REMOVABLE) for path in gone):
        raise UsageError(
            "policy/not-taken-out",
            "Only a recipient or a dataset can be taken out as a whole.",
            remedy="An agreement is withdrawn, or comes to its last day; it stays in the register.",
        )
    needed = shelf.uses(agreement, changes)
    if needed:
        raise RefusedError(
            "policy/still-needed",
            f"What is to be taken out is still needed: {' '.join(needed[:MOST_TOLD])}",
            remedy="Change that first, then propose it.",
        )


def _refuse_moved(desk: PolicyDesk, shelf: Shelf, proposal: Proposal) -> None:
    current, changes = shelf.bundle(), shelf.changes_of(proposal)
    _refuse_misplaced(changes)
    facts = _facts_of(shelf, changed(current, changes), proposal.agreement)
    _refuse_others(current, changes, facts)
    if facts.policy_digest != proposal.policy_digest:
        raise UsageError(
            "policy/stale",
            "Documents that this proposal reads have changed since it was made.",
            remedy="An editor proposes it again.",
        )
    _refuse_unnamed(shelf, proposal, changed(current, changes))
    if facts.published and desk.at.date() < facts.published + dt.timedelta(days=NOTICE_DAYS):
        raise RefusedError(
            "policy/notice-too-recent",
            f"The notice was published on {facts.published}; an addition waits {NOTICE_DAYS} days.",
            remedy="Approve it after that day, so that people could read it before.",
        )


def _refuse_unnamed(shelf: Shelf, proposal: Proposal, documents: Mapping[str, str]) -> None:
    """A proposal from before names its proposer only; what it reads may have other writers."""
    wrote = shelf.writers(proposal.agreement, documents, {})
    if not set(wrote) <= set(shelf.editors(proposal.policy_digest)):
        raise UsageError(
            "policy/stale",
            "What this proposal reads was written by others than those whom it names.",
            remedy="An editor proposes it again, then it names them.",
        )


def _drawn(desk: PolicyDesk, facts: AgreementFacts, writers: Collection[str]) -> Proposal:
    return Proposal(
        agreement=facts.id,
        version=facts.version,
        controllers=facts.controllers,
        policy_digest=facts.policy_digest,
        editor=desk.acting,
        writers=tuple(sorted(set(writers))),
    )


def _written_by(proposal: Proposal) -> dict[str, str | int]:
    """Everyone who wrote of it, the proposer too; nothing where that is the proposer alone."""
    return {"editors": ",".join(sorted(proposal.editors))} if proposal.writers else {}


def _entry(desk: PolicyDesk, proposal: Proposal) -> dict[str, str | int]:
    return {
        "document": proposal.agreement,
        "document_digest": proposal.policy_digest,
        "version": proposal.version,
        "operator": desk.acting,
    }


def _own() -> RefusedError:
    return RefusedError(
        "operators/same-person",
        "Whoever wrote or proposed an agreement may not approve it.",
        remedy="Ask another approver of the controller.",
    )
