"""The policy workshop as pages read it: agreements with their state, drafts with what they change.

Nothing here writes. A draft is the current documents with its texts beside them,
read by the same strict reader, compared by the same sentences and reviewed by the
same rules as everything else.

Source: docs/reference/policy.md, "Life of a version"; requirement N4.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask import current_app, g

from gateway.adapters import policy_drafts, policy_store, policy_versions, populations
from gateway.adapters.policy_drafts import Draft, DraftState
from gateway.adapters.policy_reading import reader
from gateway.policy import (
    Bundle,
    CaseResult,
    Finding,
    Remark,
    Stored,
    Trace,
    Weight,
    review,
    review_due,
    run_cases,
    traces_of,
)
from gateway.policy.agreements import Agreement
from gateway.web.desk import desk
from gateway.web.documents import changed, in_force, inputs
from gateway.web.draft_difference import Fault, faults_of, told_of
from gateway.web.proposals import newcomers
from gateway.workflows.ports_policy import Proposal

_REVIEWS = "gateway-reviews"
_CASES = "gateway-cases"
MOST_REVIEWS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementLine:
    """One agreement in the list: where it stands and what waits for whom."""

    id: str
    title: str
    version: int
    state: str
    review: dt.date
    ends: dt.date
    drafts: int
    waiting_for: tuple[str, ...]
    review_due: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftView:
    """A draft with what it would change, what stops it, and what a lawyer would say."""

    draft: Draft
    agreement: Agreement | None
    changes: tuple[str, ...]
    untold: str
    faults: tuple[Fault, ...]
    remarks: tuple[Remark, ...]
    moved: tuple[str, ...]
    bundle: Bundle
    before: Bundle

    @property
    def proposable(self) -> bool:
        """Whether it may be proposed: it loads, changes something, and nothing moved underneath."""
        return bool(self.agreement and self.changes) and not self.faults and not self.moved


def current(connection: sa.Connection) -> dict[str, str]:
    """The current text of every document."""
    return policy_store.bundle(connection)


def lines() -> list[AgreementLine]:
    """Every agreement that loads, by title, with its state."""
    read = inputs()
    now, moved = in_force(read), changed(read)
    with desk().database.read() as connection:
        waiting = policy_store.proposals(connection)
        open_drafts = policy_drafts.listed(connection)
        withdrawn = policy_versions.withdrawn(connection)
        new = [found for _, found in newcomers(connection, read.bundle, waiting) if found]
    return [
        _line(
            agreement,
            now=agreement.id in now,
            moved=agreement.id in moved,
            withdrawn=agreement.id in withdrawn,
            waiting=waiting,
            drafts=open_drafts,
        )
        for agreement in sorted(
            (*read.bundle.agreements.values(), *new), key=lambda each: each.title
        )
    ]


def newest(connection: sa.Connection, agreement: str) -> Proposal | None:
    """The newest proposal of an agreement that is not withdrawn."""
    found = policy_store.proposals(connection, agreement)
    return found[-1] if found else None


def view(draft: Draft, *, documents: Mapping[str, str]) -> DraftView:
    """Read a draft over the current documents.

    Args:
        draft: at its newest revision.
        documents: the current texts.
    """
    told = told_of(documents, draft.changes)
    known = set(reviewed(told.before, draft.agreement))
    remarks = [
        remark
        for remark in reviewed(told.after, draft.agreement)
        if remark not in known or remark.weight is Weight.PROBLEM
    ]
    return DraftView(
        draft=draft,
        agreement=told.after.agreements.get(draft.agreement),
        changes=told.changes,
        untold=told.untold,
        faults=tuple(faults_of(told.findings, draft.changes)),
        remarks=tuple(remarks),
        moved=draft.moved(documents) if draft.state is DraftState.OPEN else (),
        bundle=told.after,
        before=told.before,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a set of texts changes: sentences, remarks that are new, whether it loads.

    `untold` is empty, or says what must be mended before the difference can be told.
    """

    changes: tuple[str, ...]
    untold: str
    remarks: tuple[Remark, ...]
    findings: tuple[Finding, ...]


def difference(
    documents: Mapping[str, str], changes: Mapping[str, str], agreement: str
) -> Difference:
    """What a proposal changes of the current documents."""
    told = told_of(documents, changes)
    known = set(reviewed(told.before, agreement))
    remarks = (each for each in reviewed(told.after, agreement) if each not in known)
    return Difference(
        changes=told.changes,
        untold=told.untold,
        remarks=tuple(remarks),
        findings=told.findings,
    )


def proposed_changes(connection: sa.Connection, proposal: Proposal | None) -> dict[str, str]:
    """The texts that a proposal would change; none where nothing is proposed."""
    return policy_store.changes_of(connection, proposal) if proposal else {}


def reviewed(bundle: Bundle, agreement: str) -> tuple[Remark, ...]:
    """What a lawyer would say of an agreement today, worked out once for each state of it."""
    today, counted = desk().now().date(), _stored()
    kept: dict[tuple[str, dt.date, int], tuple[Bundle, Mapping[str, Stored], tuple[Remark, ...]]]
    kept = current_app.extensions.setdefault(_REVIEWS, {})
    known = kept.get((agreement, today, id(bundle)))
    if known is None or known[0] is not bundle or known[1] != counted:
        if len(kept) >= MOST_REVIEWS:
            kept.clear()
        remarks = review(bundle, on=today, agreement=agreement, stored=counted)
        known = kept[agreement, today, id(bundle)] = (bundle, counted, remarks)
    return known[2]


def cases(bundle: Bundle, agreement: str) -> tuple[CaseResult, ...]:
    """What comes of the cases of an agreement, worked out once for each state of the documents."""
    kept: dict[tuple[str, int], tuple[Bundle, tuple[CaseResult, ...]]]
    kept = current_app.extensions.setdefault(_CASES, {})
    known = kept.get((agreement, id(bundle)))
    if known is None or known[0] is not bundle:
        if len(kept) >= MOST_REVIEWS:
            kept.clear()
        known = kept[agreement, id(bundle)] = (bundle, run_cases(bundle, agreement))
    return known[1]


def failed_cases(bundle: Bundle, agreement: str) -> list[CaseResult]:
    """The cases of an agreement that do not come out as their leads expect."""
    return [each for each in cases(bundle, agreement) if not each.held]


def _stored() -> Mapping[str, Stored]:
    """What is counted in the extracts in use: read once for each request."""
    if "populations" not in g:
        with desk().database.read() as connection:
            g.populations = populations.stored_populations(connection)
    found: Mapping[str, Stored] = g.populations
    return found


def path_of(documents: Mapping[str, str], agreement: str) -> str:
    """The document that states an agreement; "" where none does."""
    return reader().path_of(documents, agreement)


def traces(bundle: Bundle, agreement: str) -> tuple[Trace, ...]:
    """Everything that may leave under one agreement, with its clauses."""
    return traces_of(bundle.agreements[agreement], bundle.knowledge)


def _line(
    agreement: Agreement,
    *,
    now: bool,
    moved: bool,
    withdrawn: bool,
    waiting: Sequence[Proposal],
    drafts: Sequence[Draft],
) -> AgreementLine:
    mine = [proposal for proposal in waiting if proposal.agreement == agreement.id]
    pending = mine[-1] if mine and not mine[-1].complete else None
    signed = {controller for controller, _ in pending.approvals} if pending else set()
    today = desk().now().date()
    return AgreementLine(
        id=agreement.id,
        title=agreement.title,
        version=agreement.version,
        state="withdrawn"
        if withdrawn and not mine
        else _state(agreement, now, pending, moved, bool(mine)),
        review=agreement.review,
        ends=agreement.ends,
        drafts=sum(1 for draft in drafts if draft.agreement == agreement.id),
        waiting_for=tuple(sorted(set(pending.controllers) - signed)) if pending else (),
        review_due=today <= agreement.ends and review_due(agreement.review, today),
    )


def _state(
    agreement: Agreement, now: bool, pending: Proposal | None, moved: bool, proposed: bool
) -> str:
    if now:
        return "in-force"
    if agreement.ends < desk().now().date():
        return "ended"
    if pending:
        return "proposed"
    if moved:
        return "changed"
    return "not-begun" if proposed else "draft"
