"""What an agreement was last approved for, what differs since, and who wrote it.

A shared document takes effect through the proposal of any agreement. So the next
proposal of another one is compared with all the texts that this one's last approval
stood for, and whoever wrote what differs is its editor, through whomever it came.

Source: docs/reference/policy.md, "Life of a version"; security point 3; docs/adr/0339, 0340.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

import sqlalchemy as sa

from gateway.adapters import (
    policy_keys,
    policy_reading,
    policy_states,
    policy_store,
    policy_waiting,
)
from gateway.adapters.policy_reading import reader
from gateway.adapters.policy_states import State
from gateway.adapters.policy_tables import PROPOSALS
from gateway.policy import Bundle, compare
from gateway.policy.key_changes import SignedKeys, key_changes, key_sentences
from gateway.policy.rereading import changed
from gateway.policy.standing import NOTHING, as_approved, differ, read_by, without
from gateway.workflows.ports_policy import OWN, Proposal

# No document and no key says what the digest covers besides; it is not to be signed unseen.
ELSE = (
    "signs another digest, though no document and no recipient's key differs: the tables of "
    "names and places that come with the gateway differ, or its way of making a digest"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What the next approval of an agreement is compared with.

    `version` was approved last with `digest`, 0 if none was; `sure` is whether the
    documents are known to be those that it was approved for.
    """

    version: int
    digest: str = ""
    sure: bool
    state: int
    documents: Mapping[str, str] = field(repr=False)

    @property
    def bundle(self) -> Bundle:
        """What loads of the documents."""
        return reader().load(self.documents)[0]

    @property
    def said(self) -> str:
        """What the difference is told from, in a sentence."""
        if not self.version:
            return "No version of this agreement was approved before: read the whole agreement."
        if not self.sure:
            return (
                f"Not every text that version {self.version} was approved with is known: "
                "read the whole agreement."
            )
        return f"This is what differs from version {self.version} as it was approved."


class Signed(Protocol):
    """A proposal, or the version that it became."""

    @property
    def agreement(self) -> str:
        """Whose it is."""

    @property
    def policy_digest(self) -> str:
        """What is signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """What a signature covers: the digest of an agreement, and the keys then and now."""

    agreement: str
    digest: str
    keys: SignedKeys


def signing(
    connection: sa.Connection, proposal: Signed, past: Basis, *, earlier: bool = False
) -> Signing:
    """What a proposal has signed, beside what was signed last.

    Args:
        connection: of the store.
        proposal: of the agreement.
        past: what its agreement was last approved for.
        earlier: whether it is told of as it was made, and not as of now.
    """
    digest = proposal.policy_digest
    keys = policy_keys.signed(
        connection, proposal.agreement, last=past.digest, next_=digest if earlier else ""
    )
    return Signing(agreement=proposal.agreement, digest=digest, keys=keys)


def basis(connection: sa.Connection, agreement: str, *, before: int = 0) -> Basis:
    """What an agreement was last approved for, withdrawn or not.

    Args:
        connection: of the store.
        agreement: its id.
        before: the number of a proposal, where only earlier ones count.
    """
    signed = [
        each
        for each in policy_store.proposals(connection, agreement, withdrawn_too=True)
        if each.complete and not each.begins and (not before or each.number < before)
    ]
    last = signed[-1] if signed else None
    own = policy_states.of(connection, last.number) if last else None
    state = own or policy_states.first(connection)
    documents = policy_states.texts(connection, state) if state else {}
    return Basis(
        version=last.version if last else 0,
        digest=last.policy_digest if last else "",
        sure=own is not None or (last is not None and _gives(connection, documents, last)),
        state=state.number if state else 0,
        documents=documents or policy_store.bundle(connection),
    )


def differences(now: Bundle, after: Bundle, past: Basis, signed: Signing) -> tuple[str, ...]:
    """What a proposal changes, in sentences, as who signs for its agreement has to read it.

    Args:
        now: the documents beside the proposal.
        after: the documents as it would have them.
        past: what its agreement was last approved for.
        signed: whose proposal it is, its digest, and the keys that this covers.
    """
    found = compare(as_approved(now, past.bundle, after, signed.agreement), after)
    found += differing_keys(after, past, signed)
    return tuple(found) or ((ELSE,) if past.sure and past.digest != signed.digest else ())


def differing_keys(after: Bundle, past: Basis, signed: Signing) -> list[str]:
    """The recipients' keys that a proposal has signed and the last approval has not."""
    old, agreement = past.bundle, signed.agreement
    found = key_changes(old, after, agreement, keys=signed.keys, sure=past.sure)
    return list(key_sentences(old, after, found))


def begins(connection: sa.Connection, proposal: Proposal, *, on: dt.date) -> str:
    """When a proposal begins, if later, what stands until then, and what it takes the place of.

    Args:
        connection: of the store.
        proposal: the newest of its agreement.
        on: today.
    """
    documents = policy_store.bundle(connection)
    changes = policy_store.changes_of(connection, proposal)
    found = reader().load(changed(documents, changes))[0].agreements.get(proposal.agreement)
    told = []
    if found is not None and on < found.starts:
        shared = {path: text for path, text in changes.items() if not path.startswith(OWN)}
        there = changed(documents, shared)
        until = policy_waiting.stands(connection, there, proposal.agreement, on=on)
        told.append(policy_waiting.begins(found.starts, until))
    waits = policy_waiting.of(connection, proposal.agreement)
    if waits and _replaces(proposal, waits.proposal):
        told.append(
            f"It takes the place of version {waits.proposal.version}, which is approved and "
            f"waits for {policy_waiting.day(waits.starts)}: that one never begins."
        )
    return " ".join(told)


def _replaces(proposal: Proposal, waits: Proposal) -> bool:
    newer = proposal.number > waits.number and proposal.version >= waits.version
    return newer and not proposal.complete


def told(
    connection: sa.Connection, proposal: Proposal, *, on: dt.date
) -> tuple[str, tuple[str, ...]]:
    """When it begins, where that is later, and what a proposal changes, led by beside what."""
    documents = policy_store.bundle(connection)
    changes = policy_store.changes_of(connection, proposal)
    now, after = (reader().load(each)[0] for each in (documents, changed(documents, changes)))
    past = basis(connection, proposal.agreement)
    found = differences(now, after, past, signing(connection, proposal, past))
    return begins(connection, proposal, on=on), (past.said, *found)


def writers(
    connection: sa.Connection,
    agreement: str,
    documents: Mapping[str, str],
    changes: Mapping[str, str],
) -> frozenset[str]:
    """Whoever wrote what a digest reads and its agreement was never approved for.

    Args:
        connection: of the store.
        agreement: whose digest it is.
        documents: all texts that the digest is made from.
        changes: those among them that are new.
    """
    past = basis(connection, agreement)
    read = read_by(reader().load(documents)[0], agreement)
    known = read_by(past.bundle, agreement) if past.sure else NOTHING
    fresh = without(read, known)
    found = _unkept(connection) if fresh else set[str]()
    for before, after in pairwise(policy_states.since(connection, 0 if fresh else past.state)):
        names = read if after.number > past.state else fresh
        if before.shared != after.shared and differ(names, *_read(connection, before, after)):
            found |= _editors(connection, after.proposal)
    current = policy_store.bundle(connection)
    for path, text in changes.items():
        if current.get(path, "") != text:
            found |= policy_states.wrote(connection, path, text)
    return frozenset(found)


def _gives(connection: sa.Connection, documents: Mapping[str, str], proposal: Proposal) -> bool:
    """Whether these documents have the digest that was proposed."""
    facts = policy_reading.agreements(connection, documents).get(proposal.agreement)
    return facts is not None and facts.policy_digest == proposal.policy_digest


def _read(connection: sa.Connection, *states: State) -> list[Bundle]:
    return [reader().load(policy_states.texts(connection, each))[0] for each in states]


def _editors(connection: sa.Connection, number: int) -> frozenset[str]:
    """Whoever wrote what a proposal brought."""
    query = sa.select(PROPOSALS.c.policy_digest).where(PROPOSALS.c.id == number)
    digest = connection.scalar(query)
    return policy_store.editors(connection, str(digest))


def _unkept(connection: sa.Connection) -> set[str]:
    """Who changed a shared document before states were kept: nobody knows what it was before."""
    kept = policy_states.brought(connection)
    return {
        name
        for proposal in policy_store.proposals(connection, withdrawn_too=True)
        if proposal.complete and proposal.number not in kept
        if any(
            not path.startswith("agreements/")
            for path in policy_store.changes_of(connection, proposal)
        )
        for name in proposal.editors
    }
