"""Versions that every controller has approved and that begin on a later day.

Only the text of the agreement itself waits: what it shares with others took effect with
its approval, so that nothing but its own agreement changes on its first day.

Source: docs/reference/policy.md, "Life of a version"; docs/adr/0344.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import sqlalchemy as sa

from gateway import policy
from gateway.adapters import policy_store
from gateway.adapters.policy_reading import reader, recipient_keys
from gateway.adapters.policy_tables import PROPOSALS
from gateway.model.shipped import table_digests
from gateway.policy import Bundle
from gateway.policy.agreements import Agreement
from gateway.policy.rereading import changed
from gateway.workflows.ports_policy import OWN, Proposal, Waiting


def waiting(connection: sa.Connection) -> tuple[Waiting, ...]:
    """Every version that waits for its first day, by agreement."""
    marked = sa.select(PROPOSALS.c.id).where(PROPOSALS.c.begins.is_not(None))
    if connection.scalar(marked.where(PROPOSALS.c.withdrawn == "").limit(1)) is None:
        return ()
    signed = [each for each in policy_store.proposals(connection) if each.complete]
    newest = {each.agreement: each for each in signed if each.begins and _last(each, signed)}
    documents = policy_store.bundle(connection)
    return tuple(_waiting(connection, newest[name], documents) for name in sorted(newest))


def of(connection: sa.Connection, agreement: str) -> Waiting | None:
    """The version of one agreement that waits, if there is one."""
    return next(
        (each for each in waiting(connection) if each.proposal.agreement == agreement), None
    )


def succeeding(connection: sa.Connection) -> dict[str, dt.date]:
    """The first day of each agreement's next version that waits and will begin."""
    return {each.proposal.agreement: each.starts for each in waiting(connection) if each.holds}


def succeeded_by(first: dt.date | None, day: dt.date) -> bool:
    """Whether the next version begins before a day of the present one is missed."""
    return first is not None and first <= day + dt.timedelta(days=1)


def stands(
    connection: sa.Connection, documents: Mapping[str, str], agreement: str, *, on: dt.date
) -> Agreement | None:
    """An agreement as these documents have it, if it is approved and has not ended."""
    bundle, _ = reader().load(documents)
    found = bundle.agreements.get(agreement)
    if found is None or found.ends < on:
        return None
    digest = _digest(connection, bundle, agreement)
    return found if (agreement, digest) in policy_store.approved(connection) else None


def said(connection: sa.Connection, found: Waiting, *, on: dt.date) -> str:
    """What people read of a version that waits."""
    name, version = found.proposal.agreement, f"Version {found.proposal.version} is approved"
    if not found.holds:
        return (
            f"{version} and waits for {day(found.starts)}, but documents that it reads have "
            "changed since: it does not begin until it is proposed and approved again."
        )
    until = stands(connection, policy_store.bundle(connection), name, on=on)
    return f"{version}. {begins(found.starts, until)}"


def begins(starts: dt.date, until: Agreement | None) -> str:
    """When a version begins, and what is in force until then."""
    if until is None or until.starts >= starts:
        return f"It begins on {day(starts)}; nothing is shared before."
    if until.ends + dt.timedelta(days=1) < starts:
        return (
            f"It begins on {day(starts)}. Version {until.version} goes on until its last day, "
            f"{day(until.ends)}; from then on nothing is shared until this one begins."
        )
    return f"It begins on {day(starts)}; until then version {until.version} goes on."


def day(found: dt.date) -> str:
    """A day as people write it."""
    return f"{found.day} {found:%B %Y}"


def _last(found: Proposal, signed: list[Proposal]) -> bool:
    """Whether no later approval took its place; one of an earlier version does not."""
    return not any(
        each.agreement == found.agreement
        and each.number > found.number
        and each.version >= found.version
        for each in signed
    )


def _waiting(
    connection: sa.Connection, proposal: Proposal, documents: Mapping[str, str]
) -> Waiting:
    changes = policy_store.changes_of(connection, proposal)
    own = {path: text for path, text in changes.items() if path.startswith(OWN)}
    after, _ = reader().load(changed(documents, own))
    there = after.agreements.get(proposal.agreement)
    holds = (
        there is not None
        and fits(connection, after, proposal)
        and not any(path.startswith(OWN) for path in policy_store.moved(connection, proposal))
    )
    starts = there.starts if there else dt.date.fromisoformat(proposal.begins)
    return Waiting(proposal=proposal, starts=starts, holds=holds)


def fits(connection: sa.Connection, after: Bundle, proposal: Proposal) -> bool:
    """Whether documents with what a proposal changes are still what it asked to be signed.

    Args:
        connection: of the store.
        after: the current documents with the proposal's changes; they hold its agreement.
        proposal: complete or not.
    """
    return _digest(connection, after, proposal.agreement) == proposal.policy_digest


def _digest(connection: sa.Connection, bundle: Bundle, agreement: str) -> str:
    keys = recipient_keys(connection)
    return policy.policy_digest(bundle, agreement, recipient_keys=keys, tables=table_digests())
