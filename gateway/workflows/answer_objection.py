"""Answer an objection, and settle a doubtful match: what the council owes to who said no.

Find what it is about; ask whether the rule of the purpose lets it be answered so, and
whether this officer may; write it into the register and the ledger together. What
lets more leave needs a rights officer, a recorded authority, and is about one person.

Source: UK GDPR Arts 12(3), 21; security point 16; docs/how-to/object.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.errors import RefusedError, UsageError
from gateway.model import Participation
from gateway.model.permissions import Action, Operator, authorise
from gateway.objections import ANSWERS, Authority, EntryKind, Status, require_may_loosen

# What of it a council can weigh; what was said under another kind counts as it is.
WEIGHED = frozenset({EntryKind.OBJECTION})
CONFIRMED = frozenset({EntryKind.OBJECTION, EntryKind.OPT_OUT, EntryKind.CONSENT_WITHDRAWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the register by reference; `rules` are those of the purposes it is about."""

    number: int
    receipt: str
    kind: EntryKind
    purpose: str
    controller: str
    rules: Mapping[str, Participation] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the council answers to an entry, by whose word, for which of its purposes."""

    state: Status
    authority: Authority
    officer: str
    purpose: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What somebody found about a doubtful match: one person, or two."""

    match: str
    same: bool
    authority: Authority
    officer: str = ""


class AnswerDesk(Protocol):
    """The register and the operators."""

    def operator(self, name: str) -> Operator:
        """Who acts, with the roles of this moment."""

    def entries(self, reference: str, purpose: str) -> Sequence[Entry]:
        """The entries of a receipt or number, with the rules of their purposes."""

    def answer(self, entries: Sequence[Entry], answer: Answer) -> int:
        """The answer in register and ledger, in one transaction; its number."""

    def settle(self, settlement: Settlement) -> int:
        """The settlement in register and ledger, in one transaction; its number."""


def answer(desk: AnswerDesk, reference: str, wanted: Answer) -> int:
    """Answer the entries of a receipt, or one entry by its number.

    Raises:
        UsageError: there is no such entry, or it is none that is answered.
        RefusedError: the rule of a purpose, the officer, the authority or the number of
            people forbids it.
    """
    officer = desk.operator(wanted.officer)
    entries = desk.entries(reference, wanted.purpose)
    for entry in entries:
        _answerable(entry, wanted.state)
    if wanted.state is Status.NOT_UPHELD:
        require_may_loosen(officer, wanted.authority)
        if len(entries) != 1:
            raise RefusedError(
                "objections/one-at-a-time",
                "What lets more leave is recorded one person at a time.",
                remedy="Name the number of one entry; `gateway objections` lists them.",
            )
    else:
        authorise(officer, Action.OBJECTION_RECORD)
    return desk.answer(entries, wanted)


def settle(desk: AnswerDesk, wanted: Settlement) -> int:
    """Settle one doubtful match: anyone may say that it is the same person.

    Raises:
        UsageError: there is no such match.
        RefusedError: it says that they are two people, and the officer may not.
    """
    officer = desk.operator(wanted.officer) if wanted.officer else None
    if not wanted.same:
        require_may_loosen(officer, wanted.authority)
    return desk.settle(wanted)


def _answerable(entry: Entry, state: Status) -> None:
    if entry.kind not in CONFIRMED:
        raise UsageError(
            "objections/nothing-to-answer",
            f"Entry {entry.number} is no objection, opt-out or withdrawn consent.",
            remedy="`gateway objections` lists what there is to answer.",
        )
    weighed = entry.kind in WEIGHED or state is Status.UPHELD
    allowed = [state in ANSWERS[rule] for rule in entry.rules.values()]
    if not weighed or not allowed or not all(allowed):
        raise RefusedError(
            "objections/not-weighed",
            f"Entry {entry.number} counts as it is: it cannot be answered with {state.value}.",
            remedy="Only an objection is weighed, and only under a rule that considers it; of an "
            "objection to all purposes, name one purpose with --purpose.",
        )
