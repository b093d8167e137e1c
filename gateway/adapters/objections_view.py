"""Both sides of a doubtful match, for a rights officer alone, and only after it is written down.

The entry is opened under the register root, the person is looked for in the sealed
extract by the match's reference. Neither is kept: it is shown once, to the officer.

Source: security points 16, 20 and 21; UK GDPR Art 5(1)(f).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl
import pyrage

from gateway import objections
from gateway.adapters import operators, register_queue, register_store
from gateway.adapters.database import Database
from gateway.adapters.extract_store import Extracts
from gateway.adapters.keyring import KeyRing
from gateway.adapters.keyring_ledger import record
from gateway.adapters.register_queue import Match
from gateway.adapters.register_trust import RegisterMark
from gateway.adapters.store_reading import SealedExtract, StoredExtract
from gateway.model import Contract, Role
from gateway.model.permissions import Action, authorise


@dataclass(frozen=True, slots=True, kw_only=True)
class BothSides:
    """What the register was told, and what the extract holds; empty if it is gone from there."""

    entry: Mapping[str, str] = field(repr=False)
    person: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewDesk:
    """Register, extracts and contracts, opened for one look."""

    database: Database
    ring: KeyRing
    mark: RegisterMark
    extracts: Extracts
    contracts: Mapping[str, Contract] = field(repr=False)
    at: dt.datetime

    def show(self, name: str, *, officer: str) -> BothSides:
        """Write down who looks, then open both sides.

        Raises:
            RefusedError: the officer may not.
            UsageError: there is no such match.
        """
        with self.database.begin() as connection:
            authorise(operators.find(connection, officer), Action.SUBJECT_ANSWER)
            match = register_queue.find(connection, name)
            keys = register_store.keys_of(self.ring, match.controller)
            register_queue.require_unchanged(match, matching=keys.matching)
            facts = {"subject": match.id, "register": match.controller, "operator": officer}
            record(connection, "register-match-read", facts, at=self.at)
        with self.database.begin() as connection:
            told = register_store.details_of(connection, self.ring, match.entry, mark=self.mark)
        return BothSides(entry=told, person=self._person(match, keys.matching))

    def _person(self, match: Match, matching: bytes) -> Mapping[str, str]:
        contract = self.contracts[match.dataset]
        wanted = bytes.fromhex(match.reference)
        for extract in match.extracts:
            for block in self._opened(extract).frames():
                told = block.with_columns(_references(block, contract, matching))
                found = told.filter(pl.col("match") == pl.lit(wanted))
                if found.height:
                    return _details(found, contract)
        return {}

    def _opened(self, extract: str) -> StoredExtract:
        receipt = self.extracts.get(extract)
        secret = self.ring.storage_identity(receipt.storage_key)
        sealed = SealedExtract(
            self.extracts.directory / receipt.sealed_name,
            self.extracts.recorded_digest(receipt),
            pyrage.x25519.Identity.from_str(secret),
        )
        return StoredExtract(receipt, sealed)


def _references(block: pl.DataFrame, contract: Contract, matching: bytes) -> pl.Series:
    person = next((c.name for c in contract.columns if c.role is Role.PERSON_ID), None)
    named = pl.col(person).cast(pl.String) if person in block.columns else pl.lit("id:")
    return objections.references(
        block.with_columns(pl.coalesce(named, pl.lit("id:")).alias("person")), matching
    )


def _details(found: pl.DataFrame, contract: Contract) -> Mapping[str, str]:
    roles = {column.name: column.role for column in contract.columns if column.role}
    row = found.row(0, named=True)
    wanted = (*objections.DETAIL_ROLES, Role.PERSON_ID)
    return {
        role.value: str(row[name])
        for name, role in roles.items()
        if role in wanted and row.get(name) is not None
    }
