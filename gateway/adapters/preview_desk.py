"""A draft beside the current documents, over what is stored: for who may propose it, bounded.

The draft's own text is taken as if every controller had signed it; everything else is
judged as for a release. No key of a study or controller is touched, no grant is asked
for, nothing leaves.

Source: docs/explanation/disclosure.md, "Preview"; security points 3, 20.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gateway import policy
from gateway.adapters import dry_runs, operators, policy_reading, policy_store, preview_memory
from gateway.adapters.approvals import Approvals
from gateway.adapters.policy_reading import DecisionInputs
from gateway.adapters.populations import stored_populations
from gateway.adapters.release_run import Run
from gateway.adapters.release_store import columns_that_left
from gateway.adapters.share_desk import Desk
from gateway.errors import RefusedError
from gateway.model import Plan, PurposeKind, Reason, Refusal, SharingRequest
from gateway.model.keys import KeyKind
from gateway.model.permissions import Action, authorise
from gateway.objections import Register
from gateway.policy import Bundle, Remark
from gateway.policy.agreements import Agreement
from gateway.policy.rereading import changed
from gateway.publishing import Section, notice
from gateway.workflows.previewing import (
    Decided,
    NoticeChange,
    Preview,
    Problem,
    PurposeImpact,
    Seen,
)

ROWS = frozenset({PurposeKind.RECORDS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is asked about: the texts that change, whose agreement, by whom, and why."""

    agreement: str
    changes: Mapping[str, str]
    editor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewDesk:
    """See `gateway.workflows.previewing.PreviewDesk`.

    `now` and `then` are what a decision reads without and with the draft.
    """

    desk: Desk
    draft: Draft
    now: DecisionInputs = field(repr=False)
    then: DecisionInputs = field(repr=False)
    received: frozenset[str]
    registers: dict[tuple[str, ...], Register] = field(default_factory=dict, repr=False)

    def require_bounded(self) -> None:
        """Refuse who may not ask, and cohorts that nobody has approved."""
        with self.desk.world.database.read() as connection:
            authorise(operators.find(connection, self.draft.editor), Action.POLICY_PROPOSE)
        self._desk_of(self.then).approvals.require_known(self.draft.agreement)
        for purpose in self.then.bundle.agreements[self.draft.agreement].purposes.values():
            name = purpose.subjects
            if _cohort(self.then.bundle, name) != _cohort(self.now.bundle, name):
                raise RefusedError(
                    "policy/preview-cohort",
                    f'The draft changes the cohort "{name}", which nobody has approved like this.',
                    remedy="Propose the cohort on its own; preview the rest once it is approved.",
                )

    def decided(self) -> Sequence[Decided]:
        """The answer to each purpose of kind records, now and with the draft."""
        return list(self._decided())

    def note(self, decided: Decided) -> None:
        """Count and record the question, before a row is read."""
        plan = decided.after if isinstance(decided.after, Plan) else decided.before
        if isinstance(plan, Plan):
            dry_runs.note(
                self.desk.world,
                plan,
                officer=self.draft.editor,
                reason=self.draft.reason,
                as_of=self.desk.approvals.on,
                # A purpose that nobody has approved is counted by whom it is about.
                cohort="" if isinstance(decided.before, Plan) else plan.cohort.name,
            )

    def stored(self, plan: Plan) -> bool:
        """Whether an extract of each dataset that the plan reads is in use."""
        return self.desk.stored(plan)

    def imagine(self, plan: Plan, *, draft: bool) -> Run:
        """Open what is stored for one of the two versions."""
        # Whom it withholds depends on these alone; both versions see one state of it.
        key = (plan.request.purpose, plan.controller, plan.participation.value)
        desk = self._desk_of(self.then if draft else self.now)
        run = desk.imagine(plan, register=self.registers.get(key))
        self.registers[key] = run.register
        return run

    def keep(self, seen: Sequence[Seen], purposes: Sequence[PurposeImpact]) -> Preview:
        """Seal the exact pictures, record that, and answer with what may be told."""
        desk, agreement = self.desk, self.draft.agreement
        digests = _digest(self.now, agreement), _digest(self.then, agreement)
        preview = f"pre-{desk.world.new_id()}"
        if seen:
            preview_memory.keep(
                desk.world,
                preview,
                seen,
                secret=desk.ring.symmetric(KeyKind.SUBJECT_INDEX).secret,
                about={
                    "agreement": agreement,
                    "policy_digest": digests[1],
                    "operator": self.draft.editor,
                    "code": self.draft.reason,
                },
            )
        return Preview(
            preview=preview if seen else "",
            agreement=agreement,
            digest_before=digests[0],
            digest_after=digests[1],
            changes=policy.compare(self.now.bundle, self.then.bundle),
            purposes=purposes,
            remarks=self._remarks(),
            notices=_notices(self.now.bundle, self.then.bundle, agreement),
            titles=policy.called(agreement, self.now.bundle, self.then.bundle),
        )

    def _decided(self) -> Iterator[Decided]:
        before, after = self._purposes(self.now), self._purposes(self.then)
        for name in dict.fromkeys([*after, *before]):
            yield Decided(
                purpose=name,
                before=self._decide(self.now, name) if name in before else None,
                after=self._decide(self.then, name) if name in after else None,
            )

    def _purposes(self, read: DecisionInputs) -> list[str]:
        agreement = read.bundle.agreements.get(self.draft.agreement)
        purposes = agreement.purposes if agreement else {}
        return [name for name, purpose in purposes.items() if purpose.kind in ROWS]

    def _decide(self, read: DecisionInputs, purpose: str) -> Plan | Refusal:
        decision = policy.decide(
            SharingRequest(purpose=purpose, agreement=self.draft.agreement),
            read.bundle,
            on=self.desk.approvals.on,
            approved=read.approved,
            recipient_keys=read.recipient_keys,
            tables=read.tables,
        )
        if isinstance(decision, Refusal):
            return decision
        no = self._desk_of(read).unfit(decision)
        if no is None:
            return decision
        reason = Reason(code=no.code, clause=decision.clause, reason=f"{no.sentence} {no.remedy}")
        return Refusal(reasons=(reason,), policy_digest=decision.policy_digest)

    def _desk_of(self, read: DecisionInputs) -> Desk:
        return replace(self.desk, approvals=Approvals(read.bundle, self.desk.approvals.on))

    def _remarks(self) -> list[Problem]:
        on, agreement = self.desk.approvals.on, self.draft.agreement
        with self.desk.world.database.read() as connection:
            stored = stored_populations(connection)
        known = set(policy.review(self.now.bundle, on=on, agreement=agreement, stored=stored))
        found = {
            *policy.review(self.then.bundle, on=on, agreement=agreement, stored=stored),
            *policy.newly_unneeded(self.now.bundle, self.then.bundle),
        }
        return [_problem(each) for each in sorted(found - known, key=lambda each: each.order)]


def preview_desk(desk: Desk, draft: Draft) -> PreviewDesk:
    """Read both versions.

    Raises:
        PolicyInvalid: a text of the draft does not load.
    """
    with desk.world.database.begin() as connection:
        now = policy_reading.decision_inputs(connection)
        documents = changed(policy_store.bundle(connection), draft.changes)
        policy_reading.check(documents, draft.changes)
        bundle, findings = policy.load(documents)
        received = columns_that_left(connection)
    then = replace(now, bundle=bundle, findings=findings)
    signed = (draft.agreement, _digest(then, draft.agreement))
    then = replace(then, approved=now.approved | {signed})
    return PreviewDesk(desk=desk, draft=draft, now=now, then=then, received=received)


def _digest(read: DecisionInputs, agreement: str) -> str:
    """The policy digest of an agreement; "" where it does not load."""
    if agreement not in read.bundle.agreements:
        return ""
    return policy.policy_digest(
        read.bundle, agreement, recipient_keys=read.recipient_keys, tables=read.tables
    )


def _cohort(bundle: Bundle, name: str) -> object:
    cohort = bundle.vocabulary.cohorts.get(name)
    return None if cohort is None else cohort.model_dump(exclude={"meaning"})


def _notices(before: Bundle, after: Bundle, agreement: str) -> list[NoticeChange]:
    old, new = (_sections(bundle.agreements.get(agreement), bundle) for bundle in (before, after))
    return [
        NoticeChange(
            heading=heading,
            gone=tuple(each for each in _said(old, heading) if each not in _said(new, heading)),
            new=tuple(each for each in _said(new, heading) if each not in _said(old, heading)),
        )
        for heading in dict.fromkeys([*new, *old])
        if _said(old, heading) != _said(new, heading)
    ]


def _sections(agreement: Agreement | None, bundle: Bundle) -> dict[str, Section]:
    return {each.heading: each for each in notice(agreement, bundle)} if agreement else {}


def _said(sections: Mapping[str, Section], heading: str) -> tuple[str, ...]:
    return sections[heading].sentences if heading in sections else ()


def _problem(remark: Remark) -> Problem:
    return Problem(
        weight=remark.weight.value,
        code=remark.code,
        purpose=remark.purpose,
        clause=remark.clause,
        sentence=remark.sentence,
        remedy=remark.remedy,
    )
