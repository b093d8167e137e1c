"""What is written down when a release is decided, refused, held, and accepted by a second person.

Source: security points 15, 20; docs/explanation/disclosure.md, "The tripwire".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import sqlalchemy as sa

from gateway.adapters import operators
from gateway.adapters.dispatching import Append
from gateway.adapters.release_store import (
    RELEASES,
    ReleaseRecord,
    ReleaseState,
    open_release,
    releases,
    step,
    with_record,
)
from gateway.adapters.release_world import World
from gateway.disclosure import Alarm
from gateway.errors import RefusedError, UsageError
from gateway.model import Plan, Reason
from gateway.model.permissions import Action, authorise

LONGEST_REASON = 400


def write_decision(
    connection: sa.Connection, world: World, plan: Plan, *, release: str, officer: str
) -> None:
    """Write down that a release was decided, before any row is read."""
    world.append(
        connection,
        "release-decided",
        {
            "release": release,
            "purpose": plan.request.purpose,
            "agreement": plan.request.agreement,
            "policy_digest": plan.policy_digest,
            "version": plan.agreement_version,
            "operator": officer,
        },
    )
    open_release(
        connection,
        ReleaseRecord(
            id=release,
            state=ReleaseState.DECIDED,
            purpose=plan.request.purpose,
            agreement=plan.request.agreement,
            policy_digest=plan.policy_digest,
            officer=officer,
            created=world.now(),
        ),
    )


def write_refusal(
    connection: sa.Connection, world: World, plan: Plan, *, release: str, reasons: Sequence[Reason]
) -> None:
    """Write down that nothing may leave, and why."""
    world.append(
        connection,
        "release-refused",
        {
            "release": release,
            "purpose": plan.request.purpose,
            "agreement": plan.request.agreement,
            "policy_digest": plan.policy_digest,
            "reasons": len(reasons),
            "code": reasons[0].code,
        },
    )
    record = {"refusal": [[reason.code, reason.reason] for reason in reasons]}
    step(connection, release, ReleaseState.REFUSED, record=record)


def write_hold(
    connection: sa.Connection, world: World, plan: Plan, *, release: str, alarms: Sequence[Alarm]
) -> list[Reason]:
    """Write down that a person has to look first; the reasons as they are answered."""
    world.append(
        connection,
        "release-held",
        {
            "release": release,
            "purpose": plan.request.purpose,
            "agreement": plan.request.agreement,
            "policy_digest": plan.policy_digest,
            "reasons": len(alarms),
            "code": alarms[0].code,
        },
    )
    reasons = [Reason(code=a.code, clause=plan.clause, reason=a.sentence) for a in alarms]
    record = {
        "alarms": [asdict(alarm) for alarm in alarms],
        "refusal": [[reason.code, reason.reason] for reason in reasons],
    }
    step(connection, release, ReleaseState.HELD, record=record)
    return reasons


def accept(
    connection: sa.Connection, append: Append, release: str, *, by: str, reason: str, at: str
) -> ReleaseRecord:
    """Accept what was unusual: the next release of this purpose may be so.

    Args:
        connection: one writing transaction.
        append: writes into the ledger.
        release: the held release.
        by: a release officer or approver, not the one who ran it.
        reason: why it is as it should be.
        at: now, as text.

    Raises:
        UsageError: it is not held as unusual, or no reason is given.
        RefusedError: the person may not, or ran it.
    """
    authorise(operators.find(connection, by), Action.RELEASE_ACCEPT)
    found = releases(connection, RELEASES.c.id == release)
    if not found or found[0].state is not ReleaseState.HELD or "alarms" not in found[0].record:
        raise UsageError(
            "release/not-held",
            "No release of that id is held because it was unusual.",
            remedy="`gateway releases` shows their states.",
        )
    if "accepted_by" in found[0].record:
        raise UsageError("release/accepted-before", "Somebody has accepted that already.")
    if found[0].officer == by:
        raise RefusedError(
            "operators/same-person",
            "Whoever ran a release does not accept what was unusual about it.",
            remedy="Ask another release officer, or an approver.",
        )
    if not reason.strip():
        raise UsageError("release/no-reason", "Say why it is as it should be (--reason).")
    accepted = {"accepted_by": by, "accepted": at, "accepted_because": reason[:LONGEST_REASON]}
    record = {**found[0].record, **accepted}
    facts = {"release": release, "purpose": found[0].purpose, "agreement": found[0].agreement}
    append(connection, "release-accepted", {**facts, "operator": by})
    with_record(connection, release, record)
    return found[0]
