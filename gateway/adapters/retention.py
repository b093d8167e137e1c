"""Letting go of what has outlived its retention: written down first, then unreadable, then gone.

An extract is kept for the days that its contract says. Its destruction is an entry of
the ledger before the file goes; a month's storage pair is destroyed once nothing that
is kept was sealed to it, so that no copy of a file can be read any more. A kill
between the two is finished by the next purge.

Source: UK GDPR Art 5(1)(e); security points 8, 20, 25; docs/how-to/run-the-service.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from gateway.adapters import clients, emergency_records, jobs, policy_reading, upload_records
from gateway.adapters.database import Database
from gateway.adapters.extract_files import drop_files
from gateway.adapters.extract_store import EXTRACTS
from gateway.adapters.keyring import KeyRing, month_of
from gateway.adapters.keyring_books import SqlBooks
from gateway.adapters.settings import Settings
from gateway.adapters.uploads import of_settings
from gateway.model.extracts import apart
from gateway.model.keys import MONTHLY, KeyRecord

DESTROYED = "destroyed"
JOBS_KEPT = dt.timedelta(days=90)
STILL_ARRIVING = dt.timedelta(days=2)  # a piece that began in the month may not be counted yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """An extract whose retention is over."""

    id: str
    dataset: str
    storage_key: str
    sealed_digest: str
    contract_digest: str
    since: dt.date


def purge(settings: Settings, ring: KeyRing, *, at: dt.datetime | None = None) -> dict[str, Any]:
    """Let go of everything that has outlived its retention; a repetition finishes it.

    Args:
        settings: of the installation.
        ring: opened, so that pairs of months can be destroyed.
        at: now, where a test says it.

    Returns:
        How many extracts, storage keys, uploads and finished jobs are gone.
    """
    now = at or dt.datetime.now(dt.UTC)
    database = Database(settings.database_url)
    directory = settings.data / "extracts"
    try:
        with database.begin() as connection:
            gone = list(_expired(connection, now))
            for extract in gone:
                _write_down(connection, ring, extract, now)
            known = connection.execute(sa.select(EXTRACTS.c.id).where(_is_gone())).scalars().all()
            forgotten = jobs.forget(connection, before=now - JOBS_KEPT)
            clients.forget_spent(connection, at=now)
        for each in known:
            drop_files(directory, each)
        uploads = of_settings(
            settings, database, recipient=ring.upload_recipient, now=lambda: now
        ).tidy()
        keys = [_destroy(database, ring, record, now) for record in _spent(database, ring, now)]
    finally:
        database.close()
    return {
        "extracts": len(gone),
        "storage_keys": len(keys),
        "uploads": uploads,
        "jobs": forgotten,
    }


def expired(connection: sa.Connection, *, at: dt.datetime) -> tuple[Expired, ...]:
    """The extracts that a purge would let go of now."""
    return tuple(_expired(connection, at))


def _expired(connection: sa.Connection, at: dt.datetime) -> Iterator[Expired]:
    """Extracts past the days of their contract; one without a contract is kept."""
    contracts = policy_reading.decision_inputs(connection).bundle.contracts
    for row in connection.execute(sa.select(EXTRACTS).where(sa.not_(_is_gone()))):
        contract = contracts.get(row.dataset)
        if contract is None:
            continue
        since = dt.datetime.fromisoformat(row.received_at).date()
        if since + dt.timedelta(days=contract.retention_days) < at.date():
            yield Expired(
                id=row.id,
                dataset=row.dataset,
                storage_key=row.storage_key,
                sealed_digest=row.sealed_digest,
                contract_digest=row.contract_digest,
                since=since,
            )


def _write_down(
    connection: sa.Connection, ring: KeyRing, extract: Expired, at: dt.datetime
) -> None:
    sealed = {"digest": extract.sealed_digest} if extract.sealed_digest else {}
    key = {"key": extract.storage_key} if extract.storage_key else {}
    facts = {"extract": extract.id, "dataset": extract.dataset, "code": "retention/over"}
    SqlBooks(connection, ring, at=at).record("extract-destroyed", {**facts, **sealed, **key})
    # The same bytes, sent again, are an extract of their own: this one cannot be read any more.
    digest = apart(extract.contract_digest, extract.id)
    connection.execute(
        EXTRACTS.update()
        .where(EXTRACTS.c.id == extract.id)
        .values(state=DESTROYED, contract_digest=digest, findings="[]", profile="{}")
    )


def _is_gone() -> sa.ColumnElement[bool]:
    return EXTRACTS.c.state == DESTROYED


def _spent(database: Database, ring: KeyRing, at: dt.datetime) -> list[KeyRecord]:
    """Pairs of past months to which nothing that is kept was sealed."""
    with database.read() as connection:
        kept = set(
            connection.execute(
                sa.select(EXTRACTS.c.storage_key).where(sa.not_(_is_gone())).distinct()
            ).scalars()
        )
        kept |= upload_records.keys_needed(connection) | emergency_records.keys_needed(connection)
    month = month_of((at - STILL_ARRIVING).date())
    return [
        record
        for record in ring.records()
        if record.kind in MONTHLY and record.owner < month and record.id not in kept
    ]


def _destroy(database: Database, ring: KeyRing, record: KeyRecord, at: dt.datetime) -> str:
    with database.begin() as connection:
        books = SqlBooks(connection, ring, at=at)
        if not books.destroyed(record.id):
            books.order_destruction(record, "retention")
            books.record("key-destroyed", {"key": record.id, "kind": record.kind.value})
    ring.destroy(record.id)
    return record.id
