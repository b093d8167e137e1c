"""The one place where real parts are put together: settings in, desks out.

Source: docs/explanation/architecture.md, "wiring".
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gateway import policy
from gateway.adapters import ledger_store, policy_store
from gateway.adapters.approvals import Approvals
from gateway.adapters.checker import Checker
from gateway.adapters.database import Database
from gateway.adapters.extract_store import Extracts
from gateway.adapters.judge import Judge
from gateway.adapters.keyring import KeyRing, open_ring
from gateway.adapters.keyring_memory import harden_process
from gateway.adapters.release_store import packages_of, releases
from gateway.adapters.release_sweep import sweep
from gateway.adapters.release_world import World, resume
from gateway.adapters.settings import Settings
from gateway.adapters.share_desk import Desk
from gateway.errors import Unavailable, UsageError
from gateway.ledger import LeafRef
from gateway.model.keys import KeyKind
from gateway.workflows.ports import IntakeDesk, Progress


def now() -> dt.datetime:
    """The time, with its zone."""
    return dt.datetime.now(dt.UTC)


def new_id() -> str:
    """A fresh random id: 26 characters that say nothing."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()


def append(connection: Any, event: str, facts: Mapping[str, str | int]) -> LeafRef:
    """Write one ledger entry in the caller's transaction, salted afresh, timed now."""
    return ledger_store.append(connection, event, facts, salt=secrets.token_bytes(32), at=now())


def open_database(settings: Settings) -> Database:
    """The database of an existing data directory.

    Raises:
        Unavailable: the directory was not made yet.
    """
    if not settings.data.exists():
        raise Unavailable(
            "store/no-data-directory",
            f"There is no data directory {settings.data}.",
            remedy="Run `gateway init` first, or name the directory with --data.",
        )
    return Database(settings.database_url)


def open_bundle(database: Database) -> policy.Bundle:
    """The governed documents in the store."""
    with database.begin() as connection:
        documents = policy_store.bundle(connection)
    bundle, _faults = policy.load(documents)
    return bundle


def extract_store(settings: Settings, database: Database | None = None) -> Extracts:
    """Extracts and their receipts; sealing needs only the month's public key."""
    ring = open_ring(settings)
    recipient = ring.storage_recipient(now().date())
    return Extracts(
        database or open_database(settings),
        settings.data / "extracts",
        (recipient.key_id, recipient.public),
        append,
    )


_warm: list[Judge] = []


@contextlib.contextmanager
def warm_judge(*, ready: bool = False) -> Iterator[None]:
    """Keep one judging process for all extracts that are taken in within the block.

    Args:
        ready: wait until the process has loaded its library.
    """
    with Judge() as judge:
        if ready:
            judge.wait()
        _warm.append(judge)
        try:
            yield
        finally:
            _warm.remove(judge)


@contextlib.contextmanager
def intake_desk(settings: Settings, *, progress: Progress) -> Iterator[IntakeDesk]:
    """What `receive` works with: no secret key among it."""
    database = open_database(settings)
    with contextlib.ExitStack() as stack:
        stack.callback(database.close)
        extracts = extract_store(settings, database)
        stack.enter_context(_receiving(settings.data, extracts))
        judge = _warm[-1] if _warm else stack.enter_context(Judge())
        checker = stack.enter_context(Checker())
        bundle = open_bundle(database)
        yield IntakeDesk(
            contracts=bundle.contracts,
            contract_digests={
                name: contract_digest(contract) for name, contract in bundle.contracts.items()
            },
            extracts=extracts,
            checker=checker,
            judge=judge,
            now=now,
            new_id=lambda kind: f"{kind}-{new_id()}",
            progress=progress,
        )


@contextlib.contextmanager
def _receiving(data: Path, extracts: Extracts) -> Iterator[None]:
    """Several files are taken in at once; whoever begins alone sweeps what a crash left."""
    with _lock_file(data / "receive.lock") as descriptor:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            extracts.sweep()
        # Nothing of this run is on disk yet, so that a sweep in between takes nothing from it.
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield


def contract_digest(contract: Any) -> str:
    """SHA-256 over all that a contract says: a changed contract checks a file anew."""
    return hashlib.sha256(repr(contract).encode()).hexdigest()


@contextlib.contextmanager
def share_desk(
    settings: Settings, *, progress: Progress, rehearsal: bool = False, on: dt.date | None = None
) -> Iterator[Desk]:
    """What `share` works with; one release at a time, and a crash is mended first.

    Args:
        settings: where everything lives.
        progress: told each step.
        rehearsal: nothing is written, a crashed release is left as it is.
        on: decide as of this day; for rehearsals only.
    """
    harden_process()
    database = open_database(settings)
    with contextlib.ExitStack() as stack:
        stack.callback(database.close)
        ring = open_ring(settings)
        ring.unlock()
        if not rehearsal:
            stack.enter_context(one_at_a_time(settings.data))
        # Policies are read once it is our turn: they may have changed while we waited.
        desk = _share_desk(settings, database, ring, progress=progress, on=on)
        if not rehearsal:
            desk.world.make_folders()
            resume(desk.world)
            sweep(desk.world, desk.ring)
        yield desk


def _share_desk(
    settings: Settings,
    database: Database,
    ring: KeyRing,
    *,
    progress: Progress,
    on: dt.date | None,
) -> Desk:
    bundle = open_bundle(database)
    approvals = Approvals(bundle, on or now().date())
    world = open_world(
        settings, database, ring, progress=progress, still_valid=approvals.still_valid
    )
    return Desk(
        world=world,
        ring=ring,
        extracts=extract_store(settings, database),
        approvals=approvals,
    )


def open_world(
    settings: Settings,
    database: Database,
    ring: KeyRing,
    *,
    progress: Progress,
    still_valid: Any,
) -> World:
    """Stores, signers and folders of the releases of one data directory."""
    return World(
        database=database,
        append=append,
        now=now,
        new_id=new_id,
        sender=ring.sender,
        package_signer=ring.signer(KeyKind.PACKAGE_SIGNING),
        ledger_signer=ring.signer(KeyKind.LEDGER_SIGNING),
        data=settings.data,
        progress=progress,
        still_valid=still_valid,
    )


@contextlib.contextmanager
def one_at_a_time(data: Path) -> Iterator[None]:
    """Releases of one data directory are made one after the other; a second one waits."""
    with _lock_file(data / "release.lock") as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _lock_file(path: Path) -> Iterator[int]:
    """A file to lock; the lock ends with the process, whatever becomes of it."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as fault:
        raise Unavailable(
            "store/not-writable",
            f"The data directory cannot be written ({fault.strerror}).",
            remedy="Mount it writable, free disk space, or name another with --data.",
        ) from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def release_documents(settings: Settings, release: str | None) -> list[dict[str, Any]]:
    """Every release, or one, with its exact record and its packages.

    Raises:
        UsageError: there is no release with this id.
    """
    database = open_database(settings)
    with database.begin() as connection:
        found = releases(connection, where=lambda each: release in (None, each.id))
        if release is not None and not found:
            raise UsageError(
                "release/unknown",
                "There is no release with this id.",
                remedy="`gateway releases` lists them.",
            )
        return [
            {
                "release": each.id,
                "state": each.state.value,
                "purpose": each.purpose,
                "agreement": each.agreement,
                "policy_digest": each.policy_digest,
                "officer": each.officer,
                "created": each.created.isoformat(timespec="seconds"),
                "record": {name: told for name, told in each.record.items() if name != "salt"},
                "packages": [
                    {
                        "package": package.id,
                        "output": package.output,
                        "recipient": package.recipient,
                        "rows": package.rows,
                        "path": str(Path(package.place) / package.recipient / f"{package.id}.gwp"),
                        "forwarded": package.forwarded,
                    }
                    for package in packages_of(connection, each.id)
                ],
            }
            for each in found
        ]
