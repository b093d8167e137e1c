"""A second person accepts what was unusual about a release.

Source: security points 3, 15; docs/explanation/disclosure.md, "The tripwire".
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from gateway.adapters import operators
from gateway.adapters.dispatching import Append
from gateway.adapters.policy_reading import agreement_of
from gateway.adapters.release_store import (
    RELEASES,
    ReleaseRecord,
    ReleaseState,
    releases,
    with_record,
)
from gateway.errors import RefusedError, UsageError
from gateway.model.permissions import (
    Action,
    Operator,
    authorise,
    barred,
    not_your_controller,
    permits,
)
from gateway.model.remarks import remark

LONGEST_REASON = 400


def acceptors(connection: sa.Connection, agreement: str) -> frozenset[str]:
    """Who may accept a release under an agreement, if they did not run it themselves.

    Release officers, and approvers of its controllers: who speaks for none of them answers
    for none of its people (UK GDPR Art 26). Of an agreement that does not load, nobody knows
    the controllers, so that release officers are left.
    """
    return among(operators.listed(connection), _controllers(connection, agreement))


def among(people: Iterable[Operator], controllers: tuple[str, ...]) -> frozenset[str]:
    """Who of these people may accept a release under an agreement of these controllers."""
    return frozenset(
        person.name
        for person in people
        if not barred(Action.RELEASE_ACCEPT, person.owes) and _concerned(person, controllers)
    )


def accept(
    connection: sa.Connection, append: Append, release: str, *, by: str, reason: str, at: str
) -> ReleaseRecord:
    """Accept what was unusual: the next release of this purpose may be so.

    Args:
        connection: one writing transaction.
        append: writes into the ledger.
        release: the held release.
        by: a release officer, or an approver of a controller of its agreement; not the one
            who ran it.
        reason: why it is as it should be.
        at: now, as text.

    Raises:
        UsageError: it is not held as unusual, or no reason is given.
        RefusedError: the person may not, ran it, or approves for other controllers only.
    """
    person = operators.find(connection, by)
    authorise(person, Action.RELEASE_ACCEPT)
    found = releases(connection, RELEASES.c.id == release)
    if not found or found[0].state is not ReleaseState.HELD or "alarms" not in found[0].record:
        raise UsageError(
            "release/not-held",
            "No release of that id is held because it was unusual.",
            remedy="`gateway releases` shows their states.",
        )
    if "accepted_by" in found[0].record:
        raise UsageError(
            "release/accepted-before",
            "Somebody has accepted that already.",
            remedy="Run the release again: it may go now.",
        )
    if found[0].officer == by:
        raise RefusedError(
            "operators/same-person",
            "Whoever ran a release does not accept what was unusual about it.",
            remedy="Ask another release officer, or an approver.",
        )
    _require_concerned(connection, person, found[0].agreement)
    because = remark(reason, LONGEST_REASON)
    if not because:
        raise UsageError(
            "release/no-reason",
            "There is no reason.",
            remedy="Say why it is as it should be (--reason).",
        )
    accepted = {"accepted_by": by, "accepted": at, "accepted_because": because}
    record = {**found[0].record, **accepted}
    facts = {"release": release, "purpose": found[0].purpose, "agreement": found[0].agreement}
    append(connection, "release-accepted", {**facts, "operator": by})
    with_record(connection, release, record)
    return found[0]


def _controllers(connection: sa.Connection, agreement: str) -> tuple[str, ...]:
    """Its controllers as it stands: the next release under it is what an acceptance lets go."""
    known = agreement_of(connection, agreement)
    return tuple(known.controllers) if known else ()


def _concerned(person: Operator, controllers: tuple[str, ...]) -> bool:
    return bool(permits(Action.RELEASE_ACCEPT, person.roles_over(controllers)))


def _require_concerned(connection: sa.Connection, person: Operator, agreement: str) -> None:
    controllers = _controllers(connection, agreement)
    if not _concerned(person, controllers):
        raise not_your_controller(person.name, agreement, controllers)
