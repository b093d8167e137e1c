"""What is written down when a release is decided, refused or held.

Source: security points 15, 20; docs/explanation/disclosure.md, "The tripwire".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import sqlalchemy as sa

from gateway.adapters.emergency_rules import is_emergency
from gateway.adapters.release_store import (
    ReleaseRecord,
    ReleaseState,
    open_release,
    step,
)
from gateway.adapters.release_world import World
from gateway.disclosure import Alarm
from gateway.ledger.promises import EMERGENCY
from gateway.model import Plan, Reason


def write_decision(world: World, plan: Plan, *, release: str, officer: str) -> None:
    """Write down that a release was decided, before any row is read, in one transaction."""
    facts: dict[str, str | int] = {
        "release": release,
        "purpose": plan.request.purpose,
        "agreement": plan.request.agreement,
        "policy_digest": plan.policy_digest,
        "version": plan.agreement_version,
        # Whose approval it needed: a proof has to show one of each.
        "controllers": ",".join(plan.controllers),
        "operator": officer,
    }
    if is_emergency(plan):
        facts["kind"] = EMERGENCY
    decided = ReleaseRecord(
        id=release,
        state=ReleaseState.DECIDED,
        purpose=plan.request.purpose,
        agreement=plan.request.agreement,
        policy_digest=plan.policy_digest,
        officer=officer,
        created=world.now(),
    )
    with world.database.begin() as connection:
        world.append(connection, "release-decided", facts)
        open_release(connection, decided)


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
