"""The register's desk: agreements, operators, store and mark, for `object_to`.

Source: docs/explanation/objections.md; security point 16.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
from sqlalchemy import Connection

from gateway import objections
from gateway.adapters import operators, policy_store, register_store
from gateway.adapters.database import Database
from gateway.adapters.keyring import KeyRing
from gateway.adapters.register_store import NewEntries, RegisterMark
from gateway.model import Participation
from gateway.model.permissions import Operator
from gateway.policy import Agreement, load
from gateway.workflows.object_to import RegisterReceipt, Wish, require_lifted


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRegisterDesk:
    """The one real desk of `object_to`."""

    database: Database
    ring: KeyRing
    mark: RegisterMark
    at: dt.datetime

    def operator(self, name: str) -> Operator:
        """Who acts, with the roles of this moment."""
        with self.database.begin() as connection:
            return operators.find(connection, name)

    def controllers(self, purpose: str, agreement: str) -> tuple[str, ...]:
        """The controllers of the agreements that have the purpose."""
        found = (each for _, each in self._agreements(purpose, agreement))
        return tuple(sorted({name for each in found for name in each.controllers}))

    def record(self, wish: Wish, details: pl.DataFrame, elements: pl.DataFrame) -> RegisterReceipt:
        """Entries, what they lift, and the ledger event, in one transaction."""
        controllers = self.controllers(wish.purpose, wish.agreement)
        receipt = f"reg-{secrets.token_hex(8)}"
        lifted = last = 0
        with self.database.begin() as connection:
            for controller in controllers:
                keys = register_store.keys_or_new(connection, self.ring, controller, at=self.at)
                new = NewEntries(
                    receipt=receipt,
                    kind=wish.kind,
                    purpose=wish.purpose,
                    controller=controller,
                    authority=wish.authority.value,
                    operator=wish.operator,
                    details=details,
                    elements=elements,
                    lifts=self._lifts(connection, wish, controller, elements),
                )
                _, last = register_store.record(connection, new, keys, at=self.at)
                lifted += len(new.lifts)
            require_lifted(wish, lifted)
        with self.database.begin() as connection:
            self.mark.advance(connection)
        return RegisterReceipt(
            receipt=receipt,
            kind=wish.kind,
            purpose=wish.purpose,
            people=details.height,
            controllers=controllers,
            lifted=lifted,
            sequence=last,
            effects=self._effects(wish),
        )

    def _lifts(
        self, connection: Connection, wish: Wish, controller: str, elements: pl.DataFrame
    ) -> tuple[int, ...]:
        """What a loosening act takes back in one controller's register."""
        if wish.kind not in objections.LIFTS:
            return ()
        register = register_store.open_register(
            connection, self.ring, wish.purpose, controller, mark=self.mark
        )
        return tuple(
            objections.entries_lifted(elements, register, kind=wish.kind, purpose=wish.purpose)
        )

    def _agreements(self, purpose: str, agreement: str) -> Iterator[tuple[str, Agreement]]:
        with self.database.begin() as connection:
            bundle, _findings = load(policy_store.bundle(connection))
        for name, each in bundle.agreements.items():
            known = purpose == objections.ANY_PURPOSE or purpose in each.purposes
            if known and agreement in ("", name):
                yield name, each

    def _effects(self, wish: Wish) -> dict[str, Participation]:
        return {
            f"{name}: {purpose}": Participation(each.purposes[purpose].participation)
            for name, each in self._agreements(wish.purpose, wish.agreement)
            for purpose in each.purposes
            if wish.purpose in (purpose, objections.ANY_PURPOSE)
        }
