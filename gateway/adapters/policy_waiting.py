"""Versions that every controller has approved and that begin on a later day.

Source: docs/reference/policy.md, "Life of a version"; docs/adr/0344.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import sqlalchemy as sa

from gateway import policy
from gateway.adapters import policy_states, policy_store
from gateway.adapters.policy_reading import reader, recipient_keys
from gateway.adapters.policy_tables import PROPOSALS
from gateway.model.shipped import table_digests
from gateway.policy import Bundle
from gateway.policy.agreements import Agreement
from gateway.policy.rereading import changed
from gateway.workflows.ports_policy import Proposal, Waiting


def waiting(connection: sa.Connection) -> tuple[Waiting, ...]:
    """Every version that waits for its first day, by agreement."""
    found = _unsettled(connection)
    if not found:
        return ()
    documents = policy_store.bundle(connection)
    return tuple(_waiting(connection, each, documents) for each in found)


def of(connection: sa.Connection, agreement: str) -> Waiting | None:
    """The version of one agreement that waits, if there is one."""
    return next(
        (each for each in waiting(connection) if each.proposal.agreement == agreement), None
    )


def succeeded(connection: sa.Connection) -> frozenset[str]:
    """The agreements of which the next version waits and will begin."""
    return frozenset(each.proposal.agreement for each in waiting(connection) if each.holds)


def in_force(connection: sa.Connection, agreement: str, *, on: dt.date) -> Agreement | None:
    """The current text of an agreement, if it is approved and one of its days is today."""
    bundle, _ = reader().load(policy_store.bundle(connection))
    found = bundle.agreements.get(agreement)
    if found is None or not found.starts <= on <= found.ends:
        return None
    digest = _digest(connection, bundle, agreement)
    return found if (agreement, digest) in policy_store.approved(connection) else None


def said(found: Waiting, until: Agreement | None) -> str:
    """What people read of a version that waits.

    Args:
        found: the version.
        until: what is in force until then, where something is.
    """
    version = f"Version {found.proposal.version} is approved"
    if found.starts is None or not found.holds:
        return (
            f"{version} and waits for its first day, but documents that it reads have changed "
            "since: it does not begin until it is proposed and approved again."
        )
    return f"{version}. {begins(found.starts, until)}"


def begins(starts: dt.date, until: Agreement | None) -> str:
    """When a version begins, and what is in force until then."""
    if until is None:
        return f"It begins on {starts}; nothing is shared before."
    if until.ends + dt.timedelta(days=1) < starts:
        return (
            f"It begins on {starts}. Version {until.version} goes on until its last day, "
            f"{until.ends}; from then on nothing is shared until this one begins."
        )
    return f"It begins on {starts}; until then version {until.version} goes on."


def _unsettled(connection: sa.Connection) -> tuple[Proposal, ...]:
    """Approved for every controller, and not the current text yet; the newest of each."""
    open_ones = sa.select(PROPOSALS.c.agreement).where(
        PROPOSALS.c.withdrawn == "", PROPOSALS.c.id.not_in(policy_states.brought(connection))
    )
    asked = set(connection.scalars(open_ones))
    if not asked:
        return ()
    there = reader().load(policy_store.bundle(connection))[0].agreements
    newest = {
        each.agreement: each
        for each in policy_store.proposals(connection)
        if each.complete and each.agreement in asked
    }
    brought = policy_states.brought(connection)
    return tuple(
        proposal
        for name, proposal in sorted(newest.items())
        if proposal.number not in brought
        and name in there
        and proposal.version > there[name].version
    )


def _waiting(
    connection: sa.Connection, proposal: Proposal, documents: Mapping[str, str]
) -> Waiting:
    changes = policy_store.changes_of(connection, proposal)
    after, _ = reader().load(changed(documents, changes))
    found = after.agreements.get(proposal.agreement)
    if found is None:
        return Waiting(proposal=proposal, starts=None, holds=False)
    holds = _digest(connection, after, proposal.agreement) == proposal.policy_digest
    moved = bool(policy_store.moved(connection, proposal))
    return Waiting(proposal=proposal, starts=found.starts, holds=holds and not moved)


def _digest(connection: sa.Connection, bundle: Bundle, agreement: str) -> str:
    keys = recipient_keys(connection)
    return policy.policy_digest(bundle, agreement, recipient_keys=keys, tables=table_digests())
