"""What the life of a policy version needs of the world: a shelf and a signature.

Source: docs/reference/policy.md, "Life of a version"; docs/explanation/architecture.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from gateway.model.permissions import Action, Operator

# Where the documents of agreements lie: the one kind that no other agreement reads.
OWN = "agreements/"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementFacts:
    """What approval needs to know of one agreement as a set of documents states it.

    `published` is the day on which the newest notice of its purposes was
    published, where the agreement says so; `starts` is its first day.
    """

    id: str
    path: str
    version: int
    controllers: tuple[str, ...]
    policy_digest: str
    starts: dt.date
    published: dt.date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One policy digest of one agreement, proposed by an editor.

    `approvals` are (controller, approver) whose signatures verify; `writers` are all who
    saved a revision of the draft that it was made from, and whoever else is known to have
    written what its digest reads and its agreement was never approved for. `begins` is the
    first day (ISO) that it waits for, approved; "" if it waits for none.
    """

    agreement: str
    version: int
    controllers: tuple[str, ...]
    policy_digest: str
    editor: str
    number: int = 0
    approvals: tuple[tuple[str, str], ...] = ()
    writers: tuple[str, ...] = ()
    begins: str = ""

    @property
    def editors(self) -> frozenset[str]:
        """Whoever proposed it or wrote of it."""
        return frozenset({self.editor, *self.writers})

    @property
    def complete(self) -> bool:
        """Whether every controller has approved."""
        return set(self.controllers) <= {controller for controller, _ in self.approvals}

    def editor_message(self) -> bytes:
        """Write what the editor signs: the digest, for whom it is to bind, and who wrote it."""
        if self.writers:
            wrote = ",".join(self.writers)
            return self._message("gateway-policy-propose/2", self.editor, wrote)
        return self._message("gateway-policy-propose/1", self.editor)

    def approver_message(self, controller: str, approver: str) -> bytes:
        """Write what a controller's approver signs: the same digest and controllers."""
        return self._message("gateway-policy-approve/1", controller, approver)

    def _message(self, kind: str, *names: str) -> bytes:
        parts = (kind, self.agreement, self.policy_digest, *self.controllers, *names)
        return "\n".join(parts).encode("utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A version that every controller has approved and that begins on a later day.

    `holds` is whether the documents still give the digest that was approved.
    """

    proposal: Proposal
    starts: dt.date
    holds: bool


class Shelf(Protocol):
    """One open transaction over documents, proposals, operators and the ledger."""

    def operator(self, name: str) -> Operator:
        """The operator of that name, as of now."""

    def anyone_may(self, action: Action) -> bool:
        """Whether anybody holds a role for this act."""

    def record(self, event: str, facts: Mapping[str, str | int]) -> None:
        """Append one ledger entry."""

    def bundle(self) -> Mapping[str, str]:
        """The current documents."""

    def heads(self) -> Mapping[str, str]:
        """The SHA-256 of the current text of each document, by path."""

    def once_current(self, path: str) -> Collection[str]:
        """The SHA-256 of what is known to have stood at a path; "" for no document."""

    def agreements(self, documents: Mapping[str, str]) -> Mapping[str, AgreementFacts]:
        """Every agreement of these documents that loads, by id."""

    def check(self, documents: Mapping[str, str], paths: Collection[str]) -> None:
        """Refuse, finding by finding, if one of these paths does not load."""

    def uses(self, agreement: str, changes: Mapping[str, str]) -> Sequence[str]:
        """What still needs the documents that these changes take out, one sentence each."""

    def latest(self, agreement: str) -> Proposal:
        """The newest proposal of an agreement."""

    def changes_of(self, proposal: Proposal) -> Mapping[str, str]:
        """The texts that a proposal would change."""

    def stands(self, documents: Mapping[str, str], agreement: str) -> dt.date | None:
        """The first day of an agreement as documents have it, if approved and not ended."""

    def proposals(self, agreement: str) -> Sequence[Proposal]:
        """Every proposal of an agreement that is not withdrawn, oldest first."""

    def waiting(self) -> Sequence[Waiting]:
        """Every version that is approved and waits for its first day."""

    def editors(self, policy_digest: str) -> Collection[str]:
        """Whoever proposed or wrote a text of this digest, withdrawn ones included."""

    def writers(
        self, agreement: str, documents: Mapping[str, str], changes: Mapping[str, str]
    ) -> Collection[str]:
        """Whoever wrote what these documents' digest reads and was never approved for it.

        Of `changes` also who saved or proposed the very text before, in whatever draft.
        """

    def moved(self, proposal: Proposal) -> Sequence[str]:
        """The documents that a proposal would change and that have changed since."""

    def propose(self, proposal: Proposal, changes: Mapping[str, str]) -> Proposal:
        """Sign as its editor and keep."""

    def approve(self, proposal: Proposal, controller: str, approver: str) -> None:
        """Sign as an approver and keep."""

    def settle(self, proposal: Proposal, *, begins: dt.date | None = None) -> None:
        """Make its texts the current ones; the agreement's own waits if it begins later."""

    def begin(self, proposal: Proposal) -> None:
        """Make the text that waited the current one."""

    def withdraw(self, agreement: str, by: str) -> int:
        """Withdraw every proposal of an agreement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDesk:
    """What `propose`, `approve` and `withdraw` work with."""

    shelf: Callable[[], AbstractContextManager[Shelf]]
    acting: str
    at: dt.datetime
