"""Who may run this release, with which keys: asked before anything is opened, answered as a value.

A no of the permission table or for want of a grant is a refusal like one of the
policy: all of them are answered alike, and each leaves its ledger entry.

Source: security points 1, 3, 7 and 20; UK GDPR Art 5(2), Art 32(4).
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from gateway.adapters.apartness import require_apart_from_policy
from gateway.adapters.keyring_books import require_apart
from gateway.adapters.not_records import not_a_release
from gateway.adapters.release_keys import ReleaseKeys
from gateway.adapters.release_world import World
from gateway.errors import RefusedError
from gateway.model import PartyRole, Plan, PurposeKind, Reason, Refusal, SharingRequest
from gateway.model.permissions import Action, Operator, authorise
from gateway.workflows.sharing import Outcome


def may_not(
    connection: sa.Connection, officer: Operator, decision: Plan | Refusal
) -> Refusal | None:
    """Why this officer may not run a release under this decision, if they may not.

    Somebody without the role learns nothing of the decision itself.
    """
    digest = decision.policy_digest
    try:
        authorise(officer, Action.RELEASE)
        require_apart_from_policy(connection, officer, digest)
        if isinstance(decision, Plan):
            _require_own_controller(officer, decision)
    except RefusedError as no:
        return refusal_of(no, digest)
    return None


def not_releasable(
    connection: sa.Connection, officer: Operator, plan: Plan, keys: ReleaseKeys, *, on: dt.date
) -> Refusal | None:
    """Why nothing can be released under a plan that permits it: no rows, or no grant."""
    if plan.kind is not PurposeKind.RECORDS:
        return not_a_release(plan)
    try:
        for use in keys.uses(connection, on=on):
            require_apart(use.grant, officer.name)
    except RefusedError as no:
        return refusal_of(no, plan.policy_digest)
    return None


def note(world: World, request: SharingRequest, refusal: Refusal, *, officer: str) -> str:
    """Write a refusal into the ledger; the release's id, under which it is found."""
    release = world.new_release()
    with world.database.begin() as connection:
        world.append(
            connection,
            "release-refused",
            {
                "release": release,
                "purpose": request.purpose,
                "agreement": request.agreement,
                "policy_digest": refusal.policy_digest,
                "reasons": len(refusal.reasons),
                "code": refusal.reasons[0].code,
                "operator": officer,
            },
        )
    return release


def noted(world: World, plan: Plan, no: RefusedError, *, officer: str) -> RefusedError:
    """The same error with the release under which its refusal stands in the ledger."""
    refusal = refusal_of(no, plan.policy_digest)
    release = note(world, plan.request, refusal, officer=officer)
    return no.about(release=release, policy_digest=plan.policy_digest)


def answered(
    request: SharingRequest, refusal: Refusal, *, state: str, release: str = ""
) -> Outcome:
    """The answer to a refusal."""
    return Outcome(
        state=state,
        request=request,
        release=release,
        policy_digest=refusal.policy_digest,
        refusal=refusal.reasons,
    )


def refusal_of(no: RefusedError, digest: str) -> Refusal:
    """A no of the permission table, or for want of a grant, as the policy's would be."""
    reason = Reason(code=no.code, clause="", reason=f"{no.sentence} {no.remedy}".strip())
    return Refusal(reasons=(reason,), policy_digest=digest)


def _require_own_controller(officer: Operator, plan: Plan) -> None:
    """A role that is bound to controllers runs the releases of those alone."""
    if not any(officer.speaks_for(PartyRole.RELEASE_OFFICER, to) for to in ("", plan.controller)):
        raise RefusedError(
            "operators/other-controller",
            f"This release officer does not act for {plan.controller}.",
            remedy="Ask a release officer of the controller.",
        )
