"""How far the ledger has come, noted beside the key ring, where no copy of the database reaches.

A database that its own tools put back to an earlier day agrees with itself: nothing in it
says that objections, withdrawals and releases are gone. The mark does, and what was put
back is in hold as if `gateway restore` had done it.

Source: security point 24; docs/adr/0348-a-mark-shows-a-database-that-was-put-back.md.
"""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from gateway import ledger
from gateway.adapters import backup, keyring_files, ledger_store
from gateway.adapters.backup import Backup
from gateway.adapters.database import Database
from gateway.adapters.settings import Settings
from gateway.errors import GatewayError, Unavailable

NAME = "ledger.mark"


class Reached(NamedTuple):
    """A size that the ledger has had, and its root (hex) there; size 0 before the first note."""

    size: int
    root: str


def require_not_put_back(settings: Settings, database: Database) -> None:
    """Let nothing leave a database that is behind what this gateway has written into it.

    One that continues its mark moves the mark on.

    Raises:
        HeldForPerson: `restore/not-reconciled`; the directory is in hold from here on.
        Unavailable: the mark cannot be read or written.
    """
    backup.require_reconciled(settings.data)
    # The mark first: the ledger only grows, so what is read after it has come as far.
    noted = read(settings)
    with database.read() as connection:
        behind = _put_back_to(connection, noted)
        reached = _reached(connection)
    if behind is not None:
        backup.begin_hold(settings.data, behind)
        backup.require_reconciled(settings.data)
    if reached.size > noted.size:
        write(settings, reached)


def follow(settings: Settings, database: Database) -> None:
    """Note how far the ledger has come, after a commit, if it continues its mark.

    What was done is not undone by a mark that cannot be noted now: it stays where it was,
    and `require_not_put_back` tells the fault before anything else leaves.
    """
    with suppress(GatewayError):
        noted = read(settings)
        with database.read() as connection:
            reached = _reached(connection)
            if reached.size > noted.size and _put_back_to(connection, noted) is None:
                write(settings, reached)


def begin_anew(settings: Settings, database: Database) -> None:
    """Note how far the ledger has come, whatever was noted before: a person has reconciled it.

    Raises:
        Unavailable: the mark cannot be written.
    """
    with database.read() as connection:
        write(settings, _reached(connection))


def read(settings: Settings) -> Reached:
    """What was noted last.

    Raises:
        Unavailable: it is there and cannot be read.
    """
    try:
        size, _, root = (settings.ring / NAME).read_text("ascii").strip().partition(" ")
        return Reached(int(size), root)
    except FileNotFoundError:
        return Reached(0, "")
    except (OSError, ValueError):
        raise Unavailable(
            "ledger/mark-unreadable",
            "The ledger's mark beside the key ring cannot be read.",
            remedy="Give the file back to the service's user, or restore the keys.",
        ) from None


def write(settings: Settings, reached: Reached) -> None:
    """Note a size and its root, whatever was noted before.

    Raises:
        Unavailable: `keys/not-written`.
    """
    keyring_files.note(settings.ring / NAME, f"{reached.size} {reached.root}".encode())


def _reached(connection: Connection) -> Reached:
    size = ledger_store.size(connection)
    return Reached(size, ledger_store.root(connection, size).hex())


def _put_back_to(connection: Connection, noted: Reached) -> Backup | None:
    """Where a ledger that does not continue its mark is known to be whole; nothing if it does."""
    here = _reached(connection)
    if noted.size == 0 or (
        noted.size <= here.size and ledger_store.root(connection, noted.size).hex() == noted.root
    ):
        return None
    known = here if here.size < noted.size else _last_known(connection, noted.size)
    return Backup(
        format=backup.FORMAT,
        created=_time_of_last(connection, known.size),
        size=known.size,
        root=known.root,
        files={},
    )


def _last_known(connection: Connection, before: int) -> Reached:
    """The newest checkpoint in a ledger that has grown differently before a size."""
    kept = ledger_store.CHECKPOINTS
    last = connection.execute(
        sa.select(kept.c.size, kept.c.root)
        .where(kept.c.size < before)
        .order_by(kept.c.size.desc())
        .limit(1)
    ).first()
    if last is None:
        return Reached(0, ledger_store.root(connection, 0).hex())
    return Reached(int(last.size), bytes(last.root).hex())


def _time_of_last(connection: Connection, size: int) -> str:
    """When the last entry of a size was written: what came later may be lost."""
    leaves = ledger_store.LEAVES
    entry = connection.execute(
        sa.select(leaves.c.entry).where(leaves.c["index"] == size - 1)
    ).scalar()
    return "" if entry is None else ledger.utc_text(ledger.decode_entry(bytes(entry)).at)
