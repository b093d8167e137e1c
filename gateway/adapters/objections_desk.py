"""The desk of answers and settlements: register, queue and operators in one transaction.

Source: docs/explanation/objections.md; security points 16 and 20.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway import objections
from gateway.adapters import operators, policy_store, register_queue, register_store
from gateway.adapters.database import Database
from gateway.adapters.keyring import KeyRing
from gateway.adapters.register_acts import NewAct, record_act
from gateway.adapters.register_trust import EntryRow, RegisterMark, read_whole
from gateway.errors import UsageError
from gateway.model import Participation
from gateway.model.permissions import Operator
from gateway.objections import EntryKind
from gateway.policy import load
from gateway.workflows.answer_objection import Answer, Entry, Settlement


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswerDesk:
    """The one real desk of `answer_objection`."""

    database: Database
    ring: KeyRing
    mark: RegisterMark
    at: dt.datetime

    def operator(self, name: str) -> Operator:
        """Who acts, with the roles of this moment."""
        with self.database.begin() as connection:
            return operators.find(connection, name)

    def entries(self, reference: str, purpose: str) -> Sequence[Entry]:
        """The entries of a receipt or number, with the rules of their purposes.

        Raises:
            UsageError: there is none, or it is not about that purpose.
        """
        with self.database.begin() as connection:
            rows = [
                row
                for row in read_whole(connection, self.mark)
                if reference in (row.receipt, str(row.sequence)) and row.kind not in _ABOUT_ENTRIES
            ]
            found = [_entry(row, _rules(connection, row, purpose)) for row in rows]
        if not found:
            raise UsageError(
                "objections/unknown-entry",
                "The register has no entry of that receipt or number.",
                remedy="`gateway objections` lists them.",
            )
        if purpose and any(row.purpose not in (purpose, objections.ANY_PURPOSE) for row in rows):
            raise UsageError(
                "objections/other-purpose",
                "That entry is not about this purpose.",
                remedy="`gateway objections` says which purpose each entry is about.",
            )
        return found

    def answer(self, entries: Sequence[Entry], answer: Answer) -> int:
        """The answer in register and ledger, in one transaction; its number."""
        number = 0
        with self.database.begin() as connection:
            for controller in sorted({entry.controller for entry in entries}):
                about = [entry for entry in entries if entry.controller == controller]
                act = NewAct(
                    kind=EntryKind.ANSWERED,
                    subject=about[0].receipt,
                    purpose=answer.purpose or about[0].purpose,
                    controller=controller,
                    authority=answer.authority.value,
                    operator=answer.officer,
                    about=[entry.number for entry in about],
                    status=answer.state.value,
                )
                keys = register_store.keys_of(self.ring, controller)
                number = record_act(connection, act, keys, at=self.at)
        self._mark()
        return number

    def settle(self, settlement: Settlement) -> int:
        """The settlement in register and ledger, in one transaction; its number."""
        kind = EntryKind.MATCH_SAME if settlement.same else EntryKind.MATCH_OTHER
        with self.database.begin() as connection:
            match = register_queue.find(connection, settlement.match)
            read_whole(connection, self.mark)
            keys = register_store.keys_of(self.ring, match.controller)
            register_queue.require_unchanged(match, matching=keys.matching)
            act = NewAct(
                kind=kind,
                subject=match.id,
                purpose=objections.ANY_PURPOSE,
                controller=match.controller,
                authority=settlement.authority.value,
                operator=settlement.officer,
                about=[match.entry],
                told={"match": match.reference},
            )
            number = record_act(connection, act, keys, at=self.at)
            day = self.at.date().isoformat()
            register_queue.settle(
                connection, match.id, state=kind.value, by=settlement.officer, day=day
            )
        self._mark()
        return number

    def _mark(self) -> None:
        with self.database.begin() as connection:
            self.mark.advance(connection)


_ABOUT_ENTRIES = frozenset(
    kind.value for kind in (EntryKind.ANSWERED, EntryKind.MATCH_SAME, EntryKind.MATCH_OTHER)
)


def _entry(row: EntryRow, rules: dict[str, Participation]) -> Entry:
    return Entry(
        number=row.sequence,
        receipt=row.receipt,
        kind=EntryKind(row.kind),
        purpose=row.purpose,
        controller=row.controller,
        rules=rules,
    )


def _rules(connection: Connection, row: EntryRow, purpose: str) -> dict[str, Participation]:
    """The rule of each purpose of this controller that an answer would be about."""
    bundle, _findings = load(policy_store.bundle(connection))
    wanted = purpose or row.purpose
    return {
        f"{name}: {each}": Participation(agreement.purposes[each].participation)
        for name, agreement in bundle.agreements.items()
        if row.controller in agreement.controllers
        for each in agreement.purposes
        if wanted in (each, objections.ANY_PURPOSE)
    }
