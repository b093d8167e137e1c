"""A proposal as its approvers read it: the agreement as it would be, not only what it changes.

A new agreement stands in no document yet; here it is read from the texts that were
proposed, so that it has its title, its parties and its sentences from the first day.

Source: docs/reference/policy.md, "Life of a version"; requirement N4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from gateway.adapters import operators, policy_store
from gateway.adapters.policy_reading import reader
from gateway.model.words import PartyRole
from gateway.policy import Bundle
from gateway.policy.agreements import Agreement
from gateway.policy.rereading import changed
from gateway.web.documents import party_title
from gateway.workflows.ports_policy import Proposal


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Who stands in an agreement, by the titles that people know."""

    controllers: tuple[str, ...]
    parties: tuple[str, ...]
    processors: tuple[str, ...]
    protocol: str
    signed: tuple[tuple[str, object], ...]


def parties_of(bundle: Bundle, agreement: Agreement) -> Parties:
    """The parties of an agreement and the protocol that it stands under."""

    def titles(keys: Sequence[str]) -> tuple[str, ...]:
        return tuple(party_title(bundle, each) for each in keys)

    under = agreement.under or ""
    known = bundle.knowledge.protocols.get(under)
    return Parties(
        controllers=titles(agreement.controllers),
        parties=titles(agreement.parties),
        processors=titles(agreement.processors or ()),
        protocol=known.title if known else under,
        signed=tuple((party_title(bundle, p), on) for p, on in (agreement.signed or {}).items()),
    )


def signers(connection: sa.Connection, proposal: Proposal | None) -> frozenset[str]:
    """Who can still sign a proposal: approvers of a controller that has not, none its editor."""
    if proposal is None:
        return frozenset()
    signed = {controller for controller, _ in proposal.approvals}
    wanted = [each for each in proposal.controllers if each not in signed]
    wrote = policy_store.editors(connection, proposal.policy_digest)
    return frozenset(
        person.name
        for person in operators.listed(connection)
        if person.name not in wrote
        and any(person.speaks_for(PartyRole.APPROVER, controller) for controller in wanted)
    )


def read_in(form: Mapping[str, str], proposal: Proposal | None) -> dict[str, str]:
    """Which proposal a person read before pressing the button, for the request of a job.

    A form can say anything: only the digest that is known is written down.
    """
    digest = form.get("policy_digest", "")
    known = proposal is not None and digest == proposal.policy_digest
    return {"policy_digest": digest if known else "another"}


def proposed_bundle(documents: Mapping[str, str], changes: Mapping[str, str]) -> Bundle:
    """The documents as a proposal would have them."""
    return reader().load(changed(documents, changes))[0]


def newcomers(
    connection: sa.Connection, bundle: Bundle, proposals: Iterable[Proposal]
) -> Iterator[tuple[Proposal, Agreement | None]]:
    """Proposals of agreements that stand in no document yet, each with what it would be.

    Args:
        connection: of the store.
        bundle: the current documents.
        proposals: those that are not withdrawn, oldest first.
    """
    newest = {each.agreement: each for each in proposals}
    new = [each for key, each in sorted(newest.items()) if key not in bundle.agreements]
    documents = policy_store.bundle(connection) if new else {}
    for proposal in new:
        changes = policy_store.changes_of(connection, proposal)
        found = proposed_bundle(documents, changes).agreements.get(proposal.agreement)
        yield proposal, found
