"""Examinations of what is stored: directory, database, keys, ledger, register.

Source: security points 7, 20, 22; docs/how-to/run-the-service.md.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import sqlalchemy as sa

from gateway.adapters import (
    backup,
    keyring_files,
    ledger_check,
    ledger_store,
    register_trust,
    schema,
)
from gateway.adapters import clock as clocks
from gateway.adapters.examination import Found, Health, Patient, well
from gateway.adapters.keyring import FEW_MONTHS
from gateway.adapters.keyring_signing import raw_public
from gateway.errors import HeldForPerson
from gateway.model.counting import counted
from gateway.model.keys import KeyKind

ROOM_WANTED, ROOM_NEEDED = 2 << 30, 32 << 20


def data_directory(patient: Patient) -> Iterator[Found]:
    """It is ours alone."""
    keyring_files.check_directory(patient.settings.data.resolve())
    yield well("data directory", "It is private.")


def disk(patient: Patient) -> Iterator[Found]:
    """There is room where the data directory lies."""
    free = shutil.disk_usage(patient.settings.data).free
    if free < ROOM_WANTED:
        yield Found(
            subject="disk",
            health=Health.ILL if free < ROOM_NEEDED else Health.LOOK,
            sentence=f"{free >> 20} MiB are free where the data directory lies.",
            remedy="Free disk space, or run `gateway purge`: a full disk stops receiving.",
        )
        return
    yield well("disk", f"{free >> 30} GiB are free.")


def restored(patient: Patient) -> Iterator[Found]:
    """What was put back from a backup is reconciled with what came after it."""
    try:
        backup.require_reconciled(patient.settings.data)
    except HeldForPerson as held:
        yield Found(
            subject="restore",
            health=Health.ILL,
            sentence=f"{held.sentence} [{held.code}]",
            remedy=held.remedy,
        )
        return
    yield well("restore", "Nothing waits to be reconciled.")


def database(patient: Patient) -> Iterator[Found]:
    """It answers, its tables are this gateway's, and it is whole."""
    found = schema.current(patient.database)
    schema.require_known(found)
    if found != schema.newest():
        yield Found(
            subject="database",
            health=Health.LOOK,
            sentence=f"Its schema is {found or 'none'}, this gateway's is {schema.newest()}.",
            remedy="Run `gateway database upgrade`.",
        )
    if not patient.database.postgresql:
        with patient.database.read() as connection:
            told = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        if told != "ok":
            yield Found(
                subject="database",
                health=Health.ILL,
                sentence="The SQLite file is damaged.",
                remedy="Stop the service and restore the newest backup (`gateway restore`).",
            )
            return
    yield well("database", f"It answers; its schema is {found}.")


def keys(patient: Patient) -> Iterator[Found]:
    """The ring is private, and this month's storage key is there, and the next months'."""
    keyring_files.check_directory(patient.settings.ring)
    today = patient.at.date()
    patient.ring.storage_recipient(today)
    patient.ring.upload_recipient(today)
    left = patient.ring.storage_months_left(today)
    if left < FEW_MONTHS:
        yield Found(
            subject="storage keys",
            health=Health.LOOK,
            sentence=f"Storage keys are there for {counted(left, 'month')}.",
            remedy="A custodian makes more: `gateway keys new --kind storage`.",
        )
    yield well("keys", f"The ring is private; storage keys reach {counted(left, 'month')}.")


def ledger(patient: Patient) -> Iterator[Found]:
    """Every entry and every checkpoint verifies."""
    public = {
        record.id: raw_public(record.public)
        for record in patient.ring.verifying_keys(KeyKind.LEDGER_SIGNING)
    }
    with patient.database.read() as connection:
        report = ledger_check.verify(connection, keys=public)
    if not report.ok:
        yield Found(
            subject="ledger",
            health=Health.ILL,
            sentence=f"The ledger does not verify ({report.faults[0]}).",
            remedy="Share nothing. Compare it with the checkpoints kept outside this machine.",
        )
        return
    yield well("ledger", f"{report.size} entries and their checkpoints verify.")


def ledger_head(patient: Patient) -> Iterator[Found]:
    """The ledger is there and continues its last checkpoint: the quick look of readiness."""
    with patient.database.read() as connection:
        size, last = ledger_store.size(connection), ledger_store.last_checkpoint(connection)
        same = last is None or (
            last.checkpoint.size <= size
            and ledger_store.root(connection, last.checkpoint.size) == last.checkpoint.root
        )
        newest = connection.execute(
            sa.select(ledger_store.LEAVES.c["index"]).order_by(
                ledger_store.LEAVES.c["index"].desc()
            )
        ).scalar()
    if size == 0 or newest is None or not same:
        yield Found(
            subject="ledger",
            health=Health.ILL,
            sentence="The ledger is empty, or does not continue its last checkpoint.",
            remedy="Share nothing; `gateway ledger verify` says more.",
        )
        return
    held = counted(size, "entry", "entries")
    yield well("ledger", f"It holds {held} and continues its last checkpoint.")


def clock(patient: Patient) -> Iterator[Found]:
    """It has not run back behind what was signed here."""
    with patient.database.read() as connection:
        behind = clocks.is_behind(connection, at=patient.at)
    if behind:
        yield Found(
            subject="clock",
            health=Health.ILL,
            sentence="The newest checkpoint is later than this machine's clock: nothing leaves.",
            remedy=clocks.REMEDY,
        )
        return
    yield well("clock", "It is not behind the newest checkpoint.")


def register(patient: Patient) -> Iterator[Found]:
    """The register of objections has no gap and ends where the ledger says."""
    with patient.database.read() as connection:
        last = register_trust.sequence(connection)
    yield well("register", f"{counted(last, 'entry', 'entries')} without a gap.")
