"""Who may disclose what to whom in an emergency: asked at each step, answered by one table.

The agreement in force decides as it does for every release; beside that the purpose must
be one of a single disclosure of which the data protection officer is told, and the
recipient one that the agreement lists and that is a safeguarding authority.

Source: security point 4; requirement R29; docs/adr/0298.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import sqlalchemy as sa

from gateway import policy
from gateway.adapters import operators
from gateway.adapters.apartness import require_apart_from_policy
from gateway.adapters.emergency_records import Emergency
from gateway.adapters.policy_reading import DecisionInputs, decision_inputs
from gateway.errors import RefusedError
from gateway.model import OutputPlan, Plan, PurposeKind, Refusal, SharingRequest
from gateway.model.permissions import PERMISSIONS, Action, authorise
from gateway.model.urgent import LONGEST, TYPED, Asked

PURPOSE = "urgent-safeguarding"
TELLS = "tell-data-protection-officer"
AUTHORITY = "safeguarding-authority"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Under which agreement, for which purpose, to which recipient."""

    agreement: str
    purpose: str
    recipient: str

    @classmethod
    def of(cls, emergency: Emergency) -> Wanted:
        """What an emergency disclosure was asked with."""
        return cls(
            agreement=emergency.agreement,
            purpose=emergency.purpose,
            recipient=emergency.recipient,
        )


def id_of(form: str, by: str, wanted: Wanted, asked: Asked) -> str:
    """The id of what one form asks: the same where it is sent twice, and another for other words.

    Args:
        form: what tells one form that was handed out from all others; nobody can guess it, so
            that the id says nothing of what was typed.
        by: who asks.
        wanted: what it is asked for.
        asked: what was typed.
    """
    told = "\n".join((by, wanted.agreement, wanted.purpose, wanted.recipient)).encode()
    digest = hashlib.blake2b(told + b"\n" + asked.written(), key=form.encode(), digest_size=16)
    return f"emg-{base64.b32encode(digest.digest()).decode().rstrip('=').lower()}"


def plan_for(connection: sa.Connection, wanted: Wanted, *, on: dt.date) -> Plan:
    """The Plan of one disclosure, as the agreement in force decides now.

    Raises:
        RefusedError: the policy's first reason with all sentences; `emergency/no-purpose`;
            `emergency/not-listed`.
    """
    return plan_from(decision_inputs(connection), wanted, on=on)


def plan_from(read: DecisionInputs, wanted: Wanted, *, on: dt.date) -> Plan:
    """As `plan_for`, from what was read already."""
    _require_single(read, wanted)
    decision = policy.decide(
        SharingRequest(purpose=wanted.purpose, agreement=wanted.agreement),
        read.bundle,
        on=on,
        approved=read.approved,
        recipient_keys=read.recipient_keys,
        tables=read.tables,
    )
    if isinstance(decision, Refusal):
        first = decision.reasons[0]
        said = " ".join(dict.fromkeys(reason.reason for reason in decision.reasons))
        raise RefusedError(
            first.code,
            said,
            remedy="A governance lead changes the agreement; this cannot be overridden.",
        )
    _require_emergency(decision)
    return _narrowed(decision, wanted.recipient)


def require_may(connection: sa.Connection, person: str, action: Action, plan: Plan) -> None:
    """Let somebody ask or confirm who may, for this controller, and made no rule of it.

    Raises:
        RefusedError: `emergency/reason-owed`, `operators/not-permitted`,
            `operators/not-apart` or `operators/other-controller`.
    """
    operator = operators.find(connection, person)
    authorise(operator, action)
    require_apart_from_policy(connection, operator, plan.policy_digest)
    roles = PERMISSIONS[action]
    if not any(operator.speaks_for(role, to) for role in roles for to in ("", plan.controller)):
        raise RefusedError(
            "operators/other-controller",
            f"Your role is not for {plan.controller}.",
            remedy="Ask somebody who acts for that controller.",
        )


def require_two(emergency: Emergency, second: str) -> None:
    """Nobody confirms what they have asked for.

    Raises:
        RefusedError: `emergency/same-person`.
    """
    if second == emergency.asked_by:
        raise RefusedError(
            "emergency/same-person",
            "Whoever asks for an emergency disclosure does not confirm it.",
            remedy="Ask a colleague who may to confirm it at once.",
        )


def require_apart(emergency: Emergency, overseer: str) -> None:
    """Nobody oversees what they took part in, whatever other role they have.

    Raises:
        RefusedError: `emergency/took-part`.
    """
    if overseer in emergency.people:
        raise RefusedError(
            "emergency/took-part",
            "Whoever took part in an emergency disclosure does not oversee it.",
            remedy="Ask another auditor or rights officer to look at it.",
        )


def choices(read: DecisionInputs, *, on: dt.date) -> Iterator[tuple[Wanted, Plan]]:
    """Each authority to which something may be disclosed as things stand now."""
    for agreement in read.bundle.agreements.values():
        for key, purpose in agreement.purposes.items():
            if purpose.kind != PurposeKind.SINGLE_DISCLOSURE.value:
                continue
            for output in purpose.outputs.values():
                wanted = Wanted(agreement=agreement.id, purpose=key, recipient=output.recipient)
                try:
                    yield wanted, plan_from(read, wanted, on=on)
                except RefusedError:
                    continue


def is_emergency(plan: Plan) -> bool:
    """Whether it discloses one person, with what is typed at the time, and says so at once."""
    typed = {rule.name for output in plan.outputs for rule in output.columns if _typed(rule)}
    single = plan.kind is PurposeKind.SINGLE_DISCLOSURE and TELLS in plan.duties
    return single and typed >= set(LONGEST)


def _require_emergency(plan: Plan) -> None:
    if not is_emergency(plan):
        raise _no_purpose(plan.request.purpose)


def _require_single(read: DecisionInputs, wanted: Wanted) -> None:
    agreement = read.bundle.agreements.get(wanted.agreement)
    purpose = agreement.purposes.get(wanted.purpose) if agreement else None
    if purpose is not None and purpose.kind != PurposeKind.SINGLE_DISCLOSURE.value:
        raise _no_purpose(wanted.purpose)


def _no_purpose(purpose: str) -> RefusedError:
    return RefusedError(
        "emergency/no-purpose",
        f'"{purpose}" is not a purpose of an emergency disclosure.',
        remedy="It is of kind single-disclosure, tells the data protection officer, and lets "
        "the risk statement and the contact route leave.",
    )


def _typed(rule: object) -> bool:
    return getattr(rule, "dataset", "") == TYPED


def _narrowed(plan: Plan, recipient: str) -> Plan:
    """The plan with the one output that goes to this authority."""
    listed = {o.recipient.id: o for o in plan.outputs if AUTHORITY in o.recipient.classes}
    chosen: OutputPlan | None = listed.get(recipient)
    if chosen is None:
        raise RefusedError(
            "emergency/not-listed",
            "The recipient is not a safeguarding authority that the agreement lists.",
            remedy=f"Listed are: {', '.join(sorted(listed)) or 'none'}.",
        )
    return replace(plan, outputs=(chosen,))
