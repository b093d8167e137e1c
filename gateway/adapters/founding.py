"""Founding a data directory: keys, database, ledger, documents, in an order that can be resumed.

Each step finds out whether it was done; the mark of completion is written last.
So an `init` that was killed is finished by repeating it, and a finished one is
never touched again.

Source: security points 7, 20, 22; docs/reference/keys.md.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from gateway.adapters import keyring_files as files
from gateway.adapters import ledger_store, policy_store, schema
from gateway.adapters.database import Database
from gateway.adapters.keyring import KeyRing
from gateway.adapters.keyring_books import custody_desk
from gateway.adapters.keyring_ledger import record
from gateway.adapters.keyring_passphrase import new_passphrase, read_passphrase
from gateway.adapters.settings import MARK, Settings
from gateway.errors import UsageError
from gateway.model.keys import ID, KeyKind
from gateway.workflows import custody

FIRST_KINDS = (
    KeyKind.LEDGER_SIGNING,
    KeyKind.PACKAGE_SIGNING,
    KeyKind.SUBJECT_INDEX,
    KeyKind.BLIND_INDEX,
    KeyKind.LINK_MAP,
)
# Every module that declares tables; a test holds the list complete, another that a version of
# the schema makes them: `python -m gateway.adapters.migrations.draft` writes it.
TABLES = (
    "accounts",
    "asked_access",
    "clients",
    "commit_marks",
    "deliveries",
    "descriptors",
    "dry_runs",
    "duty_records",
    "emergency_records",
    "extract_store",
    "idempotency",
    "inbox_certificates",
    "inbox_records",
    "job_records",
    "keyring_books",
    "keyring_grants",
    "ledger_store",
    "notice_addresses",
    "notice_records",
    "operators",
    "policy_drafts",
    "policy_removal",
    "policy_tables",
    "receipts",
    "recipients",
    "register_matches",
    "register_trust",
    "release_store",
    "second_factors",
    "sessions",
    "sign_in_limits",
    "sign_ins_elsewhere",
    "upload_records",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Founded:
    """What `init` made: counts, and whether a passphrase was generated."""

    sender: str
    keys: int
    documents: int
    passphrase_made: bool


def found(settings: Settings, *, sender: str, at: dt.datetime) -> Founded:
    """Make a data directory, or finish one that was begun.

    Raises:
        UsageError: it was finished before, or the sender's name is malformed.
        Unavailable: the directory, the passphrase or the disk is not safe or not there.
    """
    if settings.founded:
        raise UsageError(
            "init/exists",
            f"{settings.data} is a data directory already; nothing was changed.",
            remedy="Name another with --data.",
        )
    if not ID.fullmatch(sender):
        raise UsageError(
            "init/malformed-name",
            "A sender is named with a-z, 0-9 and hyphens, 40 at most.",
            remedy="Write it so, for example your-council.",
        )
    _claim(settings.data)
    database = Database(settings.database_url)
    create_tables(database)
    for path in settings.data.glob("*.sqlite*"):
        path.chmod(0o600)  # what stands beside it while it is open has the mode of it
    _require_own(database, settings)
    ring, generated = _ring(settings, sender)
    _open_ledger(database, at)
    keys = _first_keys(ring, database, at)
    documents = _seed(settings.policies, database, at)
    files.create(settings.data / MARK, f"{ring.sender}\n".encode("ascii"))
    return Founded(sender=ring.sender, keys=keys, documents=documents, passphrase_made=generated)


def create_tables(database: Database) -> None:
    """Make every table, at the version of this gateway."""
    schema.migrate(database)


def read_documents(folder: Path) -> dict[str, str]:
    """Read the TOML documents of a folder, by path under it."""
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*.toml"))
    }


def _claim(data: Path) -> None:
    if data.is_dir() and not any(data.iterdir()):
        data.chmod(0o700)
    files.make_directory(data)


def _require_own(database: Database, settings: Settings) -> None:
    """A database that has a ledger belongs to the data directory that has its keys."""
    with database.read() as connection:
        begun = ledger_store.size(connection) > 0
    if begun and not KeyRing(settings.ring, lambda: b"").exists:
        raise UsageError(
            "init/database-in-use",
            "The database belongs to another data directory already; nothing was changed.",
            remedy="Name an empty database, or copy that data directory's keys to this machine.",
        )


def _ring(settings: Settings, sender: str) -> tuple[KeyRing, bool]:
    begun = KeyRing(settings.ring, lambda: read_passphrase(settings))
    if begun.exists:
        begun.unlock()
        return begun, False
    passphrase, generated = new_passphrase(settings)
    return KeyRing.create(settings.ring, passphrase, sender=sender), generated


def _open_ledger(database: Database, at: dt.datetime) -> None:
    with database.begin() as connection:
        if ledger_store.size(connection) == 0:
            record(connection, "ledger-opened", {}, at=at)


def _first_keys(ring: KeyRing, database: Database, at: dt.datetime) -> int:
    desk = custody_desk(ring, database, acting="", at=at)
    there = {found.kind for found in ring.records()}
    for kind in FIRST_KINDS:
        if kind not in there:
            custody.make_key(desk, kind)
    for monthly, month in ring.months_missing(at.date()):
        custody.make_key(desk, monthly, owner=month)
    return len(ring.records())


def _seed(folder: Path, database: Database, at: dt.datetime) -> int:
    documents = read_documents(folder) if folder.is_dir() else {}
    with database.begin() as connection:
        return policy_store.seed(connection, documents, at=at)
