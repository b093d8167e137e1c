"""What custody needs of the world: a ring of keys, and books written in one transaction.

Source: docs/explanation/architecture.md; security points 5–8.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from gateway.model.keys import Destruction, KeyKind, KeyRecord, KeyState
from gateway.model.permissions import Action, Operator

Fact = str | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A study root on its way to another key holder: sealed to them, signed by us.

    `sealed` is age v1 to the party's key; `root_digest` is SHA-256 of the root.
    """

    study: str
    epoch: str
    scheme: str
    root_digest: str
    party: str
    signer: str
    sealed: bytes = field(repr=False)
    signature: bytes = field(repr=False)


class KeyStore(Protocol):
    """The key ring, as custody sees it."""

    def unlock(self) -> None:
        """Prove the passphrase now."""

    def records(self) -> tuple[KeyRecord, ...]:
        """Every key, without its secret."""

    def record(self, key: str) -> KeyRecord:
        """One key, without its secret."""

    def make(
        self, kind: KeyKind, *, owner: str = "", epoch: str = "", at: dt.datetime
    ) -> KeyRecord:
        """A key of fresh randomness."""

    def put(
        self,
        kind: KeyKind,
        secret: bytes,
        *,
        owner: str,
        epoch: str,
        at: dt.datetime,
        state: KeyState = KeyState.PENDING,
    ) -> KeyRecord:
        """Keep a key that came from elsewhere, pending."""

    def settle(self, key: str) -> KeyRecord:
        """Make a pending key ready."""

    def secret(self, key: str, kind: KeyKind, *, pending: bool = False) -> bytes:
        """The secret of one key, as the kind that it is."""

    def destroy(self, key: str) -> None:
        """Overwrite and unlink."""

    def rewrap(self, passphrase: bytes) -> int:
        """Seal every key under a new passphrase, all or none."""

    def sign_as(self, operator: str, message: bytes) -> bytes:
        """A signature by an operator's personal key."""


class Books(Protocol):
    """One open transaction over operators, grants, orders and the ledger."""

    def operator(self, name: str) -> Operator:
        """The operator of that name, as of now."""

    def anyone_may(self, action: Action) -> bool:
        """Whether anybody holds a role for this act."""

    def record(self, event: str, facts: Mapping[str, Fact]) -> None:
        """Append one ledger entry."""

    def destroyed(self, key: str) -> bool:
        """Whether destruction of a key of this id was ever ordered."""

    def destruction(self, key: str) -> Destruction | None:
        """The destruction that was ordered of this key, if any was."""

    def order_destruction(self, record: KeyRecord, by: str) -> None:
        """Note that a key is to be destroyed, for good."""

    def offered(self, key: str, party: str) -> None:
        """Note who received a copy of a key."""

    def holders(self, key: str) -> tuple[str, ...]:
        """Who else received a copy of a key."""

    def accepted_by(self, key: str) -> str:
        """Who accepted a pending key ("" where nobody did)."""

    def note_acceptance(self, key: str, by: str) -> None:
        """Note who accepted a key."""

    def acted_on_policy(self, policy_digest: str) -> frozenset[str]:
        """Who proposed or approved this policy digest."""

    def add_grant(
        self, key: str, purpose: str, policy_digest: str, until: dt.date, by: str
    ) -> None:
        """Sign and keep a grant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyDesk:
    """The ring and its books; `acting` is the operator's name, "" before there is any."""

    ring: KeyStore
    books: Callable[[], AbstractContextManager[Books]]
    acting: str
    at: dt.datetime
