"""Jobs of the policy workshop: propose, approve and withdraw, signed as the one who asked.

A person signs with a personal key that only the worker's ring opens; the page that
they pressed the button on said which text they saw, by its digest, and another text
is never signed in its place.

Source: docs/reference/policy.md, "Life of a version"; security point 3; docs/adr/0290.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection

from gateway.adapters import policy_drafts, policy_store
from gateway.adapters.database import Database
from gateway.adapters.jobs import Job
from gateway.adapters.keyring import KeyRing
from gateway.adapters.policy_drafts import DraftState
from gateway.adapters.policy_shelf import policy_desk
from gateway.adapters.settings import Settings
from gateway.errors import HeldForPerson, RefusedError, UsageError
from gateway.service import outcomes
from gateway.wiring.common import now
from gateway.workflows import approve as life
from gateway.workflows.ports import Progress
from gateway.workflows.ports_policy import PolicyDesk, Proposal

Act = Callable[[Database, KeyRing, Job], Mapping[str, Any]]


def propose(database: Database, ring: KeyRing, job: Job) -> Mapping[str, Any]:
    """Propose a draft to the approvers of its controllers."""
    with database.read() as connection:
        draft = policy_drafts.find(connection, job.subject)
        writers = {who for _, who, _, _ in policy_drafts.history(connection, draft.id)}
    if draft.state is DraftState.PROPOSED:
        return {"state": "proposed", "agreement": draft.agreement, "draft": draft.id}
    policy_drafts.require_revision(draft, job.request["revision"])

    def close(connection: Connection) -> None:
        policy_drafts.close(
            connection, draft.id, DraftState.PROPOSED, revision=job.request["revision"]
        )

    proposal = life.propose(
        policy_desk(ring, database, acting=job.by, at=now(), within=close),
        draft.agreement,
        changes=_changing(database, draft),
        bases={path: (base,) for path, base in draft.bases.items()},
        writers=writers,
    )
    return _told(proposal) | {"draft": draft.id}


def approve(database: Database, ring: KeyRing, job: Job) -> Mapping[str, Any]:
    """Approve the proposal that the approver has read."""
    waiting = _as_read(database, job)
    if any(approver == job.by for _, approver in waiting.approvals):
        return _told(waiting)
    return _told(life.approve(_desk(database, ring, job), job.request["agreement"]))


def withdraw(database: Database, ring: KeyRing, job: Job) -> Mapping[str, Any]:
    """Withdraw an agreement at once, or take back the proposal that was read and not approved."""
    agreement = job.request["agreement"]
    try:
        if job.request.get("policy_digest") and _as_read(database, job).complete:
            raise HeldForPerson(
                "policy/approved-meanwhile",
                "The proposal was approved by all meanwhile; the agreement was not withdrawn.",
                remedy="If it is to end at once, withdraw it on its own page.",
            )
        life.withdraw(_desk(database, ring, job), agreement)
    except UsageError as fault:
        # An earlier attempt of this job has withdrawn it.
        if fault.code != "policy/not-proposed":
            raise
    return {"state": "withdrawn", "agreement": agreement}


def preview(
    settings: Settings, database: Database, job: Job, *, progress: Progress
) -> dict[str, Any]:
    """What the draft that the editor looked at would change."""
    from gateway.adapters.preview_desk import Draft
    from gateway.wiring.previewing import preview_of

    try:
        draft = _as_asked(database, job)
        asked = Draft(
            agreement=draft.agreement,
            changes=_changing(database, draft),
            editor=job.by,
            reason=str(job.request["reason"]),
        )
        return {"state": "previewed", **preview_of(settings, asked, progress=progress)}
    except (RefusedError, HeldForPerson, UsageError) as no:
        return outcomes.of_no("refused", no)


def _as_read(database: Database, job: Job) -> Proposal:
    """The newest proposal, if it is the one that the person read."""
    with database.read() as connection:
        newest = policy_store.latest(connection, job.request["agreement"])
    if newest.policy_digest != job.request["policy_digest"]:
        raise HeldForPerson(
            "policy/other-proposal",
            "A newer proposal has taken the place of the one that you read.",
            remedy="Read the newer one, then decide about it.",
        )
    return newest


def _as_asked(database: Database, job: Job) -> policy_drafts.Draft:
    """The draft, if it is still as it was when somebody asked.

    Raises:
        HeldForPerson: it was saved again since.
    """
    with database.read() as connection:
        draft = policy_drafts.find(connection, job.subject)
    policy_drafts.require_revision(draft, job.request["revision"])
    return draft


def said(
    act: Act,
    database: Database,
    ring: KeyRing,
    job: Job,
) -> Mapping[str, Any]:
    """What came of an act; a refusal is an outcome that the person reads, not a fault."""
    try:
        return act(database, ring, job)
    except (RefusedError, HeldForPerson, UsageError) as no:
        return outcomes.of_no("refused", no)


def _desk(database: Database, ring: KeyRing, job: Job) -> PolicyDesk:
    return policy_desk(ring, database, acting=job.by, at=now())


def _changing(database: Database, draft: policy_drafts.Draft) -> dict[str, str]:
    """The draft's texts that differ from the current ones."""
    with database.read() as connection:
        current = policy_store.bundle(connection)
    return {path: text for path, text in draft.changes.items() if current.get(path, "") != text}


def _told(proposal: Proposal) -> dict[str, Any]:
    return {
        "state": "approved" if proposal.complete else "proposed",
        "agreement": proposal.agreement,
        "policy_digest": proposal.policy_digest,
        "version": proposal.version,
    }
