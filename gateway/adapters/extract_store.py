"""Extracts on disk and their receipts in the database, one transaction with the ledger.

Source: requirements R15, R17, R18; security points 8, 20 and 23.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gateway.adapters import failing_rows, ledger_store
from gateway.adapters.database import METADATA, Database
from gateway.adapters.extract_files import (
    FailingRows,
    drop_files,
    not_as_recorded,
    sweep_files,
)
from gateway.adapters.store import SealedWriter
from gateway.errors import UsageError
from gateway.ledger import LeafRef, check_entry, decode_entry
from gateway.model.extracts import ExtractRecord, apart

EXTRACTS = sa.Table(
    "extracts",
    METADATA,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("sequence", sa.Integer, nullable=False, unique=True),
    sa.Column("dataset", sa.String(60), nullable=False),
    sa.Column("party", sa.String(60), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("received_at", sa.String(40), nullable=False),
    sa.Column("content_digest", sa.String(64), nullable=False),
    sa.Column("contract_digest", sa.String(64), nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("accepted", sa.Integer, nullable=False),
    sa.Column("quarantined", sa.Integer, nullable=False),
    sa.Column("dropped_columns", sa.Text, nullable=False),
    sa.Column("findings", sa.Text, nullable=False),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("evidence", sa.Text, nullable=False),
    sa.Column("storage_key", sa.String(60), nullable=False),
    sa.Column("sealed_name", sa.String(80), nullable=False),
    sa.Column("sealed_digest", sa.String(64), nullable=False),
    sa.Column("supersedes", sa.String(40), nullable=False),
    sa.Column("superseded_by", sa.String(40), nullable=False),
    sa.Column("leaf", sa.Integer, nullable=False),
    sa.UniqueConstraint("dataset", "party", "content_digest", "contract_digest"),
)
_JSON = ("dropped_columns", "findings", "profile", "evidence")

LedgerAppend = Callable[[sa.Connection, str, Mapping[str, str | int]], LeafRef]


@dataclass(frozen=True, slots=True)
class Extracts:
    """The store of extracts of one data directory."""

    database: Database
    directory: Path
    storage_key: tuple[str, str]
    append: LedgerAppend = field(repr=False)

    def find(
        self, dataset: str, party: str, content_digest: str, contract_digest: str = ""
    ) -> ExtractRecord | None:
        """The receipt of the same bytes, if they came before."""
        where = [
            EXTRACTS.c.dataset == dataset,
            EXTRACTS.c.party == party,
            EXTRACTS.c.content_digest == content_digest,
            *([EXTRACTS.c.contract_digest == contract_digest] if contract_digest else []),
        ]
        return self._first(sa.select(EXTRACTS).where(*where))

    def latest(self, dataset: str, party: str) -> ExtractRecord | None:
        """The newest accepted extract that nothing has superseded."""
        return self._first(
            sa.select(EXTRACTS)
            .where(
                EXTRACTS.c.dataset == dataset,
                EXTRACTS.c.party == party,
                EXTRACTS.c.state == "accepted",
                EXTRACTS.c.superseded_by == "",
            )
            .order_by(EXTRACTS.c.sequence.desc())
        )

    def sink(self, extract: str) -> SealedWriter:
        """Begin to seal one extract to this month's public storage key."""
        return SealedWriter(self.directory / f"{extract}.age", self.storage_key[1])

    def rows_sink(self, extract: str, rules: Iterable[tuple[str, str]]) -> FailingRows:
        """Begin to keep the numbers of failing rows."""
        return FailingRows(self.directory / f"{extract}.rows", failing_rows.head(rules))

    def record(self, receipt: ExtractRecord, *, again: bool = False) -> ExtractRecord:
        """Write receipt, lineage and ledger entry in one transaction.

        Args:
            receipt: what is known of the extract.
            again: it may stand beside the same bytes whose place another file has taken.

        Returns:
            The receipt as it stands: an earlier one, if the same bytes won the race.
        """
        with self.database.begin() as connection:
            earlier = connection.execute(
                sa.select(EXTRACTS).where(
                    EXTRACTS.c.dataset == receipt.dataset,
                    EXTRACTS.c.party == receipt.party,
                    EXTRACTS.c.content_digest == receipt.content_digest,
                    EXTRACTS.c.contract_digest == receipt.contract_digest,
                )
            ).first()
            if earlier is not None and again and earlier.superseded_by:
                # From now on these bytes are answered with the new receipt.
                digest = apart(earlier.contract_digest, earlier.id)
                connection.execute(
                    EXTRACTS.update()
                    .where(EXTRACTS.c.id == earlier.id)
                    .values(contract_digest=digest)
                )
            elif earlier is not None:
                # Another process took in the same bytes meanwhile: its files stand, ours go.
                drop_files(self.directory, receipt.id)
                return _record(earlier)
            stored = self._with_lineage(connection, receipt)
            leaf = self._written(connection, stored)
            number = connection.execute(sa.select(sa.func.max(EXTRACTS.c.sequence))).scalar() or 0
            connection.execute(
                EXTRACTS.insert().values(sequence=number + 1, leaf=leaf.index, **_row(stored))
            )
            return stored

    def sweep(self) -> int:
        """Remove the files that killed runs left; call it only while nothing is taken in."""
        with self.database.begin() as connection:
            known = set(connection.execute(sa.select(EXTRACTS.c.id)).scalars())
        return sweep_files(self.directory, known)

    def all(self) -> list[ExtractRecord]:
        """Every extract, newest first."""
        with self.database.begin() as connection:
            rows = connection.execute(sa.select(EXTRACTS).order_by(EXTRACTS.c.sequence.desc()))
            return [_record(row) for row in rows]

    def by_id(self, extract: str) -> ExtractRecord | None:
        """One extract, if there is one with this id."""
        return self._first(sa.select(EXTRACTS).where(EXTRACTS.c.id == extract))

    def get(self, extract: str) -> ExtractRecord:
        """One extract.

        Raises:
            UsageError: there is none with this id.
        """
        found = self.by_id(extract)
        if found is None:
            raise UsageError(
                "store/unknown-extract",
                "There is no extract with this id.",
                remedy="`gateway extracts` lists them.",
            )
        return found

    def in_use(self, dataset: str) -> list[ExtractRecord]:
        """The accepted, unsuperseded extracts of a dataset, one for each party."""
        return self._accepted(dataset, EXTRACTS.c.superseded_by == "")

    def replaced(self, dataset: str) -> list[ExtractRecord]:
        """The accepted extracts of a dataset that newer ones have replaced, and that are kept."""
        return self._accepted(dataset, EXTRACTS.c.superseded_by != "")

    def _accepted(self, dataset: str, which: sa.ColumnElement[bool]) -> list[ExtractRecord]:
        query = sa.select(EXTRACTS).where(
            EXTRACTS.c.dataset == dataset, EXTRACTS.c.state == "accepted", which
        )
        with self.database.begin() as connection:
            return [_record(row) for row in connection.execute(query.order_by(EXTRACTS.c.sequence))]

    def _written(self, connection: sa.Connection, receipt: ExtractRecord) -> LeafRef:
        """The ledger's entry about a receipt; it commits to the sealed file."""
        evidence = json.dumps(receipt.evidence, sort_keys=True, default=str).encode()
        return self.append(
            connection,
            "extract-received",
            {
                "extract": receipt.id,
                "dataset": receipt.dataset,
                "party": receipt.party,
                "state": receipt.state,
                "rows": receipt.rows,
                "accepted": receipt.accepted,
                "quarantined": receipt.quarantined,
                "findings": len(receipt.findings),
                "dropped_columns": len(receipt.dropped_columns),
                "content_digest": receipt.content_digest,
                "contract_digest": receipt.contract_digest,
                "sealed_digest": receipt.sealed_digest,
                "evidence_digest": hashlib.sha256(evidence).hexdigest(),
                "storage_key": receipt.storage_key,
                "supersedes": receipt.supersedes,
            },
        )

    def recorded_digest(self, receipt: ExtractRecord) -> str:
        """The digest of the sealed file as the ledger has it, its entry proved.

        Raises:
            IntegrityError: the ledger says something else about this extract.
        """
        with self.database.begin() as connection:
            leaf = connection.execute(
                sa.select(EXTRACTS.c.leaf).where(EXTRACTS.c.id == receipt.id)
            ).scalar_one()
            proof = ledger_store.prove(connection, int(leaf))
        check_entry(proof)
        facts = decode_entry(proof.entry).facts
        if (
            facts.get("extract") != receipt.id
            or facts.get("sealed_digest") != receipt.sealed_digest
        ):
            raise not_as_recorded()
        return receipt.sealed_digest

    def _first(self, query: sa.Select[Any]) -> ExtractRecord | None:
        with self.database.begin() as connection:
            row = connection.execute(query.limit(1)).first()
        return None if row is None else _record(row)

    def _with_lineage(self, connection: sa.Connection, receipt: ExtractRecord) -> ExtractRecord:
        """A newer accepted extract takes the place of the partner's earlier one."""
        receipt = dataclasses.replace(receipt, storage_key=self.storage_key[0])
        if receipt.state != "accepted":
            return receipt
        previous = connection.execute(
            sa.select(EXTRACTS.c.id).where(
                EXTRACTS.c.dataset == receipt.dataset,
                EXTRACTS.c.party == receipt.party,
                EXTRACTS.c.state == "accepted",
                EXTRACTS.c.superseded_by == "",
            )
        ).scalars()
        superseded = list(previous)
        connection.execute(
            EXTRACTS.update().where(EXTRACTS.c.id.in_(superseded)).values(superseded_by=receipt.id)
        )
        return dataclasses.replace(receipt, supersedes=superseded[-1] if superseded else "")


def _row(receipt: ExtractRecord) -> dict[str, Any]:
    row = {
        column.name: getattr(receipt, column.name)
        for column in EXTRACTS.columns
        if column.name not in {"sequence", "leaf"}
    }
    row["received_at"] = receipt.received_at.isoformat()
    return row | {name: json.dumps(row[name], default=str) for name in _JSON}


def _record(row: Any) -> ExtractRecord:
    held = row._asdict()
    stored = {name: value for name, value in held.items() if name not in {"sequence", "leaf"}}
    stored |= {name: json.loads(stored[name]) for name in _JSON}
    stored["received_at"] = dt.datetime.fromisoformat(stored["received_at"])
    stored["dropped_columns"] = tuple(stored["dropped_columns"])
    stored["findings"] = tuple(stored["findings"])
    return ExtractRecord(**stored)
