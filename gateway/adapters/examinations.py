"""What may be wrong with an installation, found out without changing it.

Each examination looks at one thing and says whether it is well, what is wrong, and
how to mend it. Readiness is those without which no service may be given; the doctor
looks at all of them.

Source: security points 7, 11, 20, 22; docs/how-to/run-the-service.md.
"""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import sqlalchemy as sa

from gateway import keyed_hash
from gateway.adapters import (
    jobs,
    keyring_files,
    ledger_check,
    ledger_store,
    operators,
    policy_reading,
    register_trust,
    schema,
)
from gateway.adapters.database import Database
from gateway.adapters.keyring import FEW_MONTHS, KeyRing, open_ring
from gateway.adapters.keyring_signing import raw_public
from gateway.adapters.settings import Settings
from gateway.errors import GatewayError
from gateway.model.keys import KeyKind
from gateway.model.permissions import Action, permits

ROOM_WANTED = 2 << 30
CLOCK_SLACK = dt.timedelta(minutes=5)
REVIEW_AHEAD = dt.timedelta(days=90)
STALE_JOB = dt.timedelta(hours=1)


class Health(StrEnum):
    """Well, worth a look, or to be mended before anything is shared."""

    WELL = "well"
    LOOK = "look"
    ILL = "ill"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one examination found; the sentence names no person and no value."""

    subject: str
    health: Health
    sentence: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined."""

    settings: Settings
    database: Database
    ring: KeyRing
    at: dt.datetime


Examination = Callable[[Patient], Iterator[Found]]


def examine(
    settings: Settings, *, at: dt.datetime, only: tuple[Examination, ...] = ()
) -> list[Found]:
    """Examine an installation; a fault of one examination is its finding and stops no other.

    Args:
        settings: of the installation.
        at: now.
        only: the examinations wanted; all when empty.
    """
    try:
        patient = Patient(settings, Database(settings.database_url), open_ring(settings), at)
    except GatewayError as fault:
        return [_fault("installation", fault)]
    found: list[Found] = []
    try:
        for examination in only or EVERY:
            found += _examined(examination, patient)
    finally:
        patient.database.close()
    return found


def _examined(examination: Examination, patient: Patient) -> list[Found]:
    try:
        return list(examination(patient))
    except GatewayError as fault:
        return [_fault(examination.__name__.replace("_", " "), fault)]


def _fault(subject: str, fault: GatewayError) -> Found:
    sentence = f"{fault.sentence} [{fault.code}]"
    return Found(subject=subject, health=Health.ILL, sentence=sentence, remedy=fault.remedy)


def _well(subject: str, sentence: str) -> Found:
    return Found(subject=subject, health=Health.WELL, sentence=sentence)


def data_directory(patient: Patient) -> Iterator[Found]:
    """Ours alone, and room on its disk."""
    data = patient.settings.data
    keyring_files.check_directory(data)
    free = shutil.disk_usage(data).free
    if free < ROOM_WANTED:
        yield Found(
            subject="disk",
            health=Health.LOOK,
            sentence=f"{free >> 20} MiB are free where the data directory lies.",
            remedy="Free disk space, or run `gateway purge`: a full disk stops receiving.",
        )
    yield _well("data directory", f"It is private; {free >> 30} GiB are free.")


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
    yield _well("database", f"It answers; its schema is {found}.")


def keys(patient: Patient) -> Iterator[Found]:
    """The ring is private, and this month's storage key is there, and the next months'."""
    keyring_files.check_directory(patient.settings.ring)
    today = patient.at.date()
    patient.ring.storage_recipient(today)
    left = patient.ring.storage_months_left(today)
    if left < FEW_MONTHS:
        yield Found(
            subject="storage keys",
            health=Health.LOOK,
            sentence=f"Storage keys are there for {left} months.",
            remedy="A custodian makes more: `gateway keys new --kind storage`.",
        )
    yield _well("keys", f"The ring is private; storage keys reach {left} months.")


def ledger(patient: Patient) -> Iterator[Found]:
    """Every entry and every checkpoint verifies, and the clock has not run back."""
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
    yield _well("ledger", f"{report.size} entries and their checkpoints verify.")


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
    if last is not None and last.checkpoint.at > patient.at + CLOCK_SLACK:
        yield Found(
            subject="clock",
            health=Health.ILL,
            sentence="The newest checkpoint is later than this machine's clock.",
            remedy="Set the clock (timedatectl), then start again.",
        )
        return
    yield _well("ledger", f"It holds {size} entries and continues its last checkpoint.")


def register(patient: Patient) -> Iterator[Found]:
    """The register of objections has no gap and ends where the ledger says."""
    with patient.database.read() as connection:
        last = register_trust.sequence(connection)
    yield _well("register", f"{last} entries without a gap.")


def policies(patient: Patient) -> Iterator[Found]:
    """Every document loads; what is in force, and what is due for review."""
    with patient.database.read() as connection:
        read = policy_reading.decision_inputs(connection)
    for finding in read.findings[:10]:
        yield Found(
            subject="policies",
            health=Health.LOOK,
            sentence=f"{finding.document}: {finding.sentence} [{finding.code}]",
            remedy=finding.remedy or "`gateway policy check` says more.",
        )
    if not read.bundle.agreements:
        yield Found(
            subject="policies",
            health=Health.ILL,
            sentence="No agreement loads.",
            remedy="`gateway policy check` names what stops them.",
        )
    today = patient.at.date()
    for agreement in read.bundle.agreements.values():
        if today <= agreement.review <= today + REVIEW_AHEAD:
            yield Found(
                subject="policies",
                health=Health.LOOK,
                sentence=f"{agreement.id} is due for review on {agreement.review}.",
                remedy="A governance lead begins it now.",
            )
    yield _well("policies", f"{len(read.bundle.agreements)} agreements load.")


def people(patient: Patient) -> Iterator[Found]:
    """There are people for every act, and two for those that need two."""
    with patient.database.read() as connection:
        every = operators.listed(connection)
    for action in (Action.OPERATOR_ADD, Action.POLICY_APPROVE, Action.RELEASE, Action.KEY_GRANT):
        able = [person for person in every if permits(action, person.role_words())]
        if len(able) < (2 if action is Action.OPERATOR_ADD else 1):
            yield Found(
                subject="people",
                health=Health.LOOK,
                sentence=f'{len(able)} people may do "{action}".',
                remedy="An administrator adds another: `gateway operators add`.",
            )
    yield _well("people", f"{len(every)} operators.")


def work(patient: Patient) -> Iterator[Found]:
    """Nothing waits for a passphrase, nothing has failed, nothing waits too long."""
    with patient.database.read() as connection:
        counts = jobs.tally(connection)
        oldest = jobs.oldest_waiting(connection)
    held = sum(count for (_, state), count in counts.items() if state == jobs.JobState.HELD)
    failed = sum(count for (_, state), count in counts.items() if state == jobs.JobState.FAILED)
    if held:
        yield Found(
            subject="work",
            health=Health.LOOK,
            sentence=f"{held} jobs wait until a worker has the keys.",
            remedy="Give the worker its passphrase file (GATEWAY_PASSPHRASE_FILE).",
        )
    if failed:
        yield Found(
            subject="work",
            health=Health.LOOK,
            sentence=f"{failed} jobs could not be done.",
            remedy='The page "Work in hand" says why for each.',
        )
    if oldest is not None and patient.at - oldest > STALE_JOB:
        yield Found(
            subject="work",
            health=Health.LOOK,
            sentence="A job has waited for more than an hour.",
            remedy="See whether a worker runs (`gateway serve` or `gateway worker`).",
        )
    yield _well("work", f"{sum(counts.values())} jobs are known.")


def machine(_patient: Patient) -> Iterator[Found]:
    """What this machine can do for speed and for safety."""
    path = keyed_hash.path()
    if path == "hashlib":
        yield Found(
            subject="kernel",
            health=Health.LOOK,
            sentence="Tokens are made by hashlib, because the compiled kernel is not there.",
            remedy="Install a C compiler and install the gateway again; the tokens are the same.",
        )
    if not _may_confine():
        yield Found(
            subject="checker",
            health=Health.LOOK,
            sentence="The process that opens partners' files cannot be cut off from the network.",
            remedy="Allow user namespaces (sysctl kernel.unprivileged_userns_clone=1).",
        )
    yield _well("machine", f"Tokens are made on the {path} path.")


def _may_confine() -> bool:
    """Whether the kernel lets a child have a network of its own."""
    asked = (
        "from gateway.adapters.confinement import confine; "
        "raise SystemExit(not confine(memory=1 << 30, cpu_seconds=5, largest_file=1 << 20))"
    )
    root = str(Path(__file__).parents[2])
    told = subprocess.run(
        [sys.executable, "-c", asked], cwd=root, capture_output=True, check=False, timeout=60
    )
    return told.returncode == 0


READINESS: tuple[Examination, ...] = (database, keys, ledger_head, register, policies)
EVERY: tuple[Examination, ...] = (
    data_directory,
    database,
    keys,
    ledger,
    register,
    policies,
    people,
    work,
    machine,
)
