"""The shelf of policy documents over one transaction.

Source: docs/reference/policy.md, "Life of a version"; security point 20.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection

from gateway.adapters import (
    operators,
    policy_reading,
    policy_removal,
    policy_settling,
    policy_since,
    policy_store,
    policy_waiting,
)
from gateway.adapters.database import Database
from gateway.adapters.keyring import KeyRing
from gateway.adapters.keyring_ledger import record
from gateway.model.permissions import Action, Operator
from gateway.workflows.ports_policy import AgreementFacts, PolicyDesk, Proposal, Shelf, Waiting


class SqlShelf:
    """Documents, proposals and operators over one open transaction."""

    def __init__(self, connection: Connection, ring: KeyRing, *, at: dt.datetime) -> None:
        """Write into this transaction, at this time."""
        self._connection = connection
        self._ring = ring
        self._at = at

    def operator(self, name: str) -> Operator:
        """Read an operator as of now."""
        return operators.find(self._connection, name)

    def anyone_may(self, action: Action) -> bool:
        """Whether anybody holds a role for this act."""
        return operators.anyone_may(self._connection, action)

    def record(self, event: str, facts: Mapping[str, str | int]) -> None:
        """Append one ledger entry."""
        record(self._connection, event, facts, at=self._at)

    def bundle(self) -> Mapping[str, str]:
        """Give the current documents."""
        return policy_store.bundle(self._connection)

    def heads(self) -> Mapping[str, str]:
        """Give the SHA-256 of each current document."""
        return policy_store.heads(self._connection)

    def once_current(self, path: str) -> Collection[str]:
        """Give the SHA-256 of what is known to have stood there."""
        return policy_store.once_current(self._connection, path)

    def agreements(self, documents: Mapping[str, str]) -> Mapping[str, AgreementFacts]:
        """Read every agreement of these documents that loads."""
        return policy_reading.agreements(self._connection, documents)

    def check(self, documents: Mapping[str, str], paths: Collection[str]) -> None:
        """Refuse if one of these paths does not load."""
        policy_reading.check(documents, paths)

    def uses(self, agreement: str, changes: Mapping[str, str]) -> Sequence[str]:
        """What still needs the documents that these changes take out."""
        return policy_removal.uses(self._connection, agreement, changes)

    def latest(self, agreement: str) -> Proposal:
        """Give the newest proposal of an agreement."""
        return policy_store.latest(self._connection, agreement)

    def changes_of(self, proposal: Proposal) -> Mapping[str, str]:
        """Give the texts that a proposal would change."""
        return policy_store.changes_of(self._connection, proposal)

    def stands(self, documents: Mapping[str, str], agreement: str) -> dt.date | None:
        """Give the first day of an agreement that is approved and has not ended."""
        on = self._at.date()
        found = policy_waiting.stands(self._connection, documents, agreement, on=on)
        return found.starts if found else None

    def proposals(self, agreement: str) -> Sequence[Proposal]:
        """Give every proposal that is not withdrawn, oldest first."""
        return policy_store.proposals(self._connection, agreement)

    def waiting(self) -> Sequence[Waiting]:
        """Give every version that is approved and waits for its first day."""
        return policy_waiting.waiting(self._connection)

    def editors(self, policy_digest: str) -> Collection[str]:
        """Say who proposed or wrote a text of this digest."""
        return policy_store.editors(self._connection, policy_digest)

    def writers(
        self, agreement: str, documents: Mapping[str, str], changes: Mapping[str, str]
    ) -> Collection[str]:
        """Say who wrote what an agreement was never approved for."""
        return policy_since.writers(self._connection, agreement, documents, changes)

    def moved(self, proposal: Proposal) -> Sequence[str]:
        """Give the documents that have changed under a proposal."""
        return policy_store.moved(self._connection, proposal)

    def propose(self, proposal: Proposal, changes: Mapping[str, str]) -> Proposal:
        """Sign as its editor and keep."""
        signature = self._ring.sign_as(proposal.editor, proposal.editor_message())
        return policy_store.add_proposal(
            self._connection, proposal, changes=changes, signature=signature, at=self._at
        )

    def approve(self, proposal: Proposal, controller: str, approver: str) -> None:
        """Sign as an approver and keep."""
        message = proposal.approver_message(controller, approver)
        policy_store.add_approval(
            self._connection,
            proposal,
            controller=controller,
            approver=approver,
            signature=self._ring.sign_as(approver, message),
            at=self._at,
        )

    def settle(self, proposal: Proposal, *, begins: dt.date | None = None) -> None:
        """Make its texts the current ones, and take out what it gives no text."""
        policy_removal.take_out(self._connection, proposal, at=self._at)
        policy_settling.settle(self._connection, proposal, at=self._at, begins=begins)

    def begin(self, proposal: Proposal) -> None:
        """Make the text that waited the current one."""
        policy_settling.begin(self._connection, proposal, at=self._at)

    def withdraw(self, agreement: str, by: str) -> int:
        """Withdraw every proposal of an agreement."""
        return policy_store.withdraw(self._connection, agreement, by=by, at=self._at)


def policy_desk(
    ring: KeyRing,
    database: Database,
    *,
    acting: str,
    at: dt.datetime,
    within: Callable[[Connection], None] | None = None,
) -> PolicyDesk:
    """Put together what the life of a policy version works with.

    Args:
        ring: signs.
        database: holds the documents.
        acting: the operator.
        at: now.
        within: what is done at the end of the same transaction; what it raises undoes all.
    """

    @contextmanager
    def shelf() -> Iterator[Shelf]:
        with database.begin() as connection:
            yield SqlShelf(connection, ring, at=at)
            if within is not None:
                within(connection)

    return PolicyDesk(shelf=shelf, acting=acting, at=at)
