"""Emergency disclosures that wait: for a second person, for a reason, for who oversees them.

What waits for a second person lapses within the hour, so it stands before all else. Only
who may see a disclosure is led to its page; nothing here says whom it is about.

Source: security point 4; docs/how-to/disclose-in-an-emergency.md; docs/adr/0298.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from flask import url_for

from gateway.adapters import emergency_records, emergency_rules, operators
from gateway.adapters.emergency_records import WAITING, Emergency, EmergencyState
from gateway.adapters.emergency_rules import Wanted
from gateway.adapters.policy_reading import DecisionInputs
from gateway.errors import RefusedError
from gateway.model import Plan
from gateway.model.permissions import Action
from gateway.web import emergencies_shown
from gateway.web.callers import Caller
from gateway.web.desk import desk
from gateway.web.release_columns import recipient_title
from gateway.web.waiting_item import Group, Item
from gateway.web.words import moment


def groups(
    connection: sa.Connection, read: DecisionInputs, caller: Caller
) -> tuple[Group, Group, Group]:
    """What waits for a second person, for the reasons, and for whoever oversees them.

    Args:
        connection: any.
        read: the documents and what is approved of them.
        caller: who looks; they are led only to what they may see.
    """
    return (
        Group(
            name="Emergency disclosures to confirm",
            action=Action.EMERGENCY_CONFIRM,
            items=tuple(_pending(connection, read, caller)),
            how="gateway emergency confirm EMERGENCY --as YOU",
        ),
        Group(
            name="Reasons of emergency disclosures that are owed",
            action=Action.EMERGENCY_REASON,
            items=tuple(_owed(connection, read, caller)),
            whom="the two people who disclosed it",
            how="gateway emergency reason EMERGENCY --as YOU",
        ),
        Group(
            name="Emergency disclosures to look at",
            action=Action.EMERGENCY_READ,
            items=tuple(_made(connection, caller)),
        ),
    )


def _pending(connection: sa.Connection, read: DecisionInputs, caller: Caller) -> Iterator[Item]:
    now = desk().now()
    for each in emergency_records.unfinished(connection):
        if each.state in WAITING and not each.lapsed(now):
            plan = _plan(read, each)
            yield Item(
                text=f"To {recipient_title(read.bundle, each.recipient)}",
                hint=_stands(each, plan),
                by=each.asked_by,
                href=_page(each, caller),
                people=_confirmers(connection, plan) if plan else None,
            )


def _stands(emergency: Emergency, plan: Plan | None) -> str:
    lapses = f"lapses unless confirmed by {moment(emergency.until)}"
    if plan is None:
        return f"the agreement does not let it be confirmed now, {lapses}"
    if emergency.state is EmergencyState.ASKED:
        return f"the person is being looked for, {lapses}"
    return lapses


def _plan(read: DecisionInputs, emergency: Emergency) -> Plan | None:
    try:
        return emergency_rules.plan_from(read, Wanted.of(emergency), on=desk().now().date())
    except RefusedError:
        return None


def _confirmers(connection: sa.Connection, plan: Plan) -> frozenset[str]:
    """Who may confirm under this plan; who asked for it is left out by the item."""
    return frozenset(
        person.name
        for person in operators.listed(connection)
        if _may_confirm(connection, person.name, plan)
    )


def _may_confirm(connection: sa.Connection, person: str, plan: Plan) -> bool:
    try:
        emergency_rules.require_may(connection, person, Action.EMERGENCY_CONFIRM, plan)
    except RefusedError:
        return False
    return True


def _owed(connection: sa.Connection, read: DecisionInputs, caller: Caller) -> Iterator[Item]:
    for each in emergency_records.unsettled(connection):
        for reason in emergency_records.reasons(connection, each.id):
            if not reason.filed_at:
                title = recipient_title(read.bundle, each.recipient)
                yield Item(
                    text=f"Reason of {reason.person} for what went to {title}",
                    hint=f"owed by {moment(reason.due)}",
                    href=_page(each, caller),
                    people=frozenset({reason.person}),
                )


def _made(connection: sa.Connection, caller: Caller) -> Iterator[Item]:
    for each in emergency_records.unsettled(connection):
        filed = emergency_records.reasons(connection, each.id)
        owed = ", ".join(reason.person for reason in filed if not reason.filed_at)
        yield Item(
            text=f"To {each.recipient}, by {' and '.join(each.people)}",
            hint=f"reasons owed by {owed}" if owed else "",
            since=each.disclosed_at,
            href=_page(each, caller),
        )


def _page(emergency: Emergency, caller: Caller) -> str:
    """The page of one, for whoever may see it; to others it is as if it were not there."""
    if not emergencies_shown.sees(caller, emergency):
        return ""
    return url_for("emergency.one", emergency=emergency.id)
