"""Whether the register is whole: no gap, nothing changed, nothing lost, not yesterday's.

Three memories must agree: the rows, each chained to the one before it; the
ledger, which was told of each in the same transaction; and a mark beside the key
ring, which no data backup holds.

Source: security points 16 and 24.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from gateway import ledger
from gateway.adapters import keyring_files, ledger_store
from gateway.adapters.database import METADATA
from gateway.errors import Unavailable

ENTRIES = sa.Table(
    "register_entries",
    METADATA,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("receipt", sa.String(40), nullable=False),
    sa.Column("kind", sa.String(30), nullable=False),
    sa.Column("purpose", sa.String(60), nullable=False),
    sa.Column("controller", sa.String(40), nullable=False),
    sa.Column("authority", sa.String(30), nullable=False),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("status", sa.String(30), nullable=False),
    sa.Column("received", sa.String(40), nullable=False),
    sa.Column("lifts", sa.Text, nullable=False),
    sa.Column("generation", sa.String(40), nullable=False),
    sa.Column("details", sa.LargeBinary, nullable=False),
    sa.Column("tombstones", sa.LargeBinary, nullable=False),
    sa.Column("chain", sa.LargeBinary(32), nullable=False),
)
_UNIT = "\x1f"
EVENTS = (
    "register-entry-added",
    "register-entry-lifted",
    "register-loaded",
    "register-entry-answered",
    "register-match-settled",
)


class EntryRow(NamedTuple):
    """One row as it is chained; `details` are sealed."""

    sequence: int
    receipt: str
    kind: str
    purpose: str
    controller: str
    authority: str
    operator: str
    status: str
    received: str
    lifts: str
    generation: str
    details: bytes
    tombstones: bytes
    chain: bytes


@dataclass(frozen=True, slots=True)
class RegisterMark:
    """How far the register has come, remembered where no data backup reaches."""

    path: Path

    def read(self) -> tuple[int, str]:
        """The last number and chain value that were noted; zero before the first."""
        try:
            number, _, chain = self.path.read_text("ascii").strip().partition(" ")
            return int(number), chain
        except FileNotFoundError:
            return 0, ""
        except (OSError, ValueError):
            raise not_trustworthy("its mark beside the key ring is not readable") from None

    def advance(self, connection: Connection, *, anew: bool = False) -> None:
        """Note how far the register has come; call it after the commit, in a new transaction.

        Args:
            connection: of a new transaction.
            anew: the same numbers have other entries: they were entered again after a restore.
        """
        number, chain = head(connection)
        if number > self.read()[0] or anew:
            keyring_files.note(self.path, f"{number} {chain.hex()}".encode())


def sequence(connection: Connection) -> int:
    """The last number: what a release compares with what it was built on.

    Raises:
        Unavailable: there is a gap, or the ledger knows of another number.
    """
    counted = connection.execute(
        sa.select(sa.func.count(), sa.func.max(ENTRIES.c.sequence)).select_from(ENTRIES)
    ).one()
    last = int(counted[1] or 0)
    if int(counted[0]) != last:
        raise not_trustworthy("its numbers have a gap")
    if _ledger_sequence(connection) != last:
        raise not_trustworthy("it does not end where the ledger says that it ends")
    return last


def head(connection: Connection) -> tuple[int, bytes]:
    """The last number and its chain value."""
    row = connection.execute(
        sa.select(ENTRIES.c.sequence, ENTRIES.c.chain).order_by(ENTRIES.c.sequence.desc()).limit(1)
    ).first()
    return (0, bytes(32)) if row is None else (int(row.sequence), bytes(row.chain))


def _ledger_sequence(connection: Connection) -> int:
    """The last number that the ledger was told."""
    leaves = ledger_store.LEAVES
    entry = connection.execute(
        sa.select(leaves.c.entry)
        .where(leaves.c.event.in_(EVENTS))
        .order_by(leaves.c["index"].desc())
        .limit(1)
    ).scalar()
    if entry is None:
        return 0
    return int(ledger.decode_entry(bytes(entry)).facts["register_sequence"])


def read_whole(connection: Connection, mark: RegisterMark | None) -> list[EntryRow]:
    """Read every row, following the chain to its end, past the mark.

    Raises:
        Unavailable: an entry is missing or changed, or the mark was not reached.
    """
    number, noted = mark.read() if mark else (0, "")
    columns = [ENTRIES.c[name] for name in EntryRow._fields]
    found = connection.execute(sa.select(*columns).order_by(ENTRIES.c.sequence))
    rows = list(map(EntryRow._make, found))
    chain = bytes(32)
    for place, row in enumerate(rows, 1):
        chain = link(chain, row[:-1])
        if row.sequence != place or chain != row.chain:
            raise not_trustworthy("an entry is missing or was changed")
    if len(rows) < number:
        raise not_trustworthy("it is shorter than it has been")
    if number > 0 and rows[number - 1].chain.hex() != noted:
        raise not_trustworthy("it is not the one that was noted beside the key ring")
    return rows


def link(chain: bytes, values: Sequence[Any]) -> bytes:
    """The chain value of a row: over the one before it and each of its fields.

    The last two fields, sealed details and tombstones, are bytes; the length of the
    first says where it ends. All others are words without the separator.
    """
    number, *words, sealed, tombstones = values
    told = f"{number}\x1f{_UNIT.join(words)}\x1f{len(sealed)}\x1f".encode()
    return hashlib.sha256(b"".join((chain, told, sealed, tombstones))).digest()


def not_trustworthy(why: str) -> Unavailable:
    """The error for a register that may have lost or gained something: no release is made."""
    return Unavailable(
        "register/not-trustworthy",
        f"The register of objections cannot be relied on: {why}.",
        remedy="Nothing is shared until it is reconciled: restore it, or ask the rights officer.",
    )
