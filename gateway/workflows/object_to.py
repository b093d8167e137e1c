"""Object: a person says no, or yes, and it counts from this moment on.

Read what was said; ask by what authority; find what it takes back; write it into
the register and the ledger together; answer with a receipt and what it does.
Anyone may tighten. Only a rights officer, by recorded authority, may loosen, one
person at a time.

Source: UK GDPR Arts 7(3), 12(2), 21; security point 16.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import polars as pl

from gateway.errors import HeldForPerson, RefusedError, UsageError
from gateway.model import Participation
from gateway.model.permissions import Operator
from gateway.objections import (
    LIFTS,
    LOOSENING,
    WITHDRAWAL,
    Authority,
    EntryKind,
    require_may_loosen,
    standard_form,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be recorded, but for whom it is about."""

    purpose: str
    agreement: str
    kind: EntryKind
    authority: Authority
    operator: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterReceipt:
    """The answer: a number to ask by, how many people, and what it does where."""

    receipt: str
    kind: EntryKind
    purpose: str
    people: int
    controllers: tuple[str, ...]
    lifted: int
    sequence: int
    effects: Mapping[str, Participation] = field(default_factory=dict)


class RegisterDesk(Protocol):
    """The register, the operators and the agreements."""

    def operator(self, name: str) -> Operator:
        """Who acts, with the roles of this moment."""

    def controllers(self, purpose: str, agreement: str) -> Sequence[str]:
        """Whose registers it concerns; nobody's if no agreement has the purpose."""

    def record(self, wish: Wish, details: pl.DataFrame, elements: pl.DataFrame) -> RegisterReceipt:
        """Entries, what they lift, and the ledger event, in one transaction."""


def object_to(desk: RegisterDesk, wish: Wish, details: pl.DataFrame) -> RegisterReceipt:
    """Record one act of one person, or one tightening act of many.

    Args:
        desk: where it is recorded.
        wish: purpose, kind and authority.
        details: one row for each person, as `objections.one_identity` reads it.

    Raises:
        UsageError: no agreement has this purpose, or the operator is not known.
        RefusedError: it loosens, and the operator, the authority or the number forbids it.
        HeldForPerson: a withdrawal that certainly matches no entry; nothing was changed.
    """
    if not desk.controllers(wish.purpose, wish.agreement):
        raise UsageError(
            "objections/unknown-purpose",
            "No agreement has this purpose.",
            remedy="Name a purpose of an agreement (`gateway policy status` lists the agreements, "
            '`gateway policy export` writes them out), or "*" for all purposes.',
        )
    if wish.operator:
        operator = desk.operator(wish.operator)
    if wish.kind in LOOSENING:
        _may_loosen(wish, operator if wish.operator else None, people=details.height)
    return desk.record(wish, details, standard_form(details))


def withdrawal_of(kind: EntryKind) -> EntryKind:
    """The act that takes an objection, opt-out or consent back."""
    return WITHDRAWAL[kind]


def require_lifted(wish: Wish, lifted: int) -> None:
    """A withdrawal must find what it withdraws, for certain.

    Raises:
        HeldForPerson: nothing certainly matches.
    """
    if wish.kind in LIFTS and wish.kind is not EntryKind.CONSENT and not lifted:
        raise HeldForPerson(
            "objections/nothing-to-withdraw",
            "No entry for this purpose is certainly this person's; nothing was changed.",
            remedy="Ask for more details (a national number, the address given then).",
        )


def _may_loosen(wish: Wish, operator: Operator | None, *, people: int) -> None:
    require_may_loosen(operator, wish.authority)
    if people != 1:
        raise RefusedError(
            "objections/one-at-a-time",
            "What lets more leave is recorded one person at a time.",
            remedy="Give one identity on standard input.",
        )
