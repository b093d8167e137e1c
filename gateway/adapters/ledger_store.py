"""The ledger's rows: leaves, their nodes and the signed checkpoints, in the one database.

A leaf is appended in the transaction of what it records, under the writer's lock. Every node
that a leaf completes is kept with it, so that append, root and proof read O(log n)
rows. `ledger_check` reads all of them and believes none.

Source: security design point 20; RFC 9162 section 2.1.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy import Connection

from gateway import ledger
from gateway.adapters.database import METADATA
from gateway.adapters.ledger_rows import written
from gateway.errors import NOT_BELIEVED, IntegrityError, Unavailable, UsageError
from gateway.ledger import Checkpoint, Entry, EntryProof, Fact, LeafRef
from gateway.sealing import CHECKPOINT_TYP, LedgerPart, Signer, sign_compact

LEAVES = sa.Table(
    "ledger_leaves",
    METADATA,
    sa.Column("index", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("id", sa.String(32), nullable=False, unique=True),
    sa.Column("event", sa.String(40), nullable=False, index=True),
    sa.Column("entry", sa.LargeBinary, nullable=False),
    sa.Column("salt", sa.LargeBinary(32), nullable=False),
)
# A node is kept under the leaf that completed it: (position + 1) * 2^level - 1.
NODES = sa.Table(
    "ledger_nodes",
    METADATA,
    sa.Column("leaf", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.LargeBinary(32), nullable=False),
)
CHECKPOINTS = sa.Table(
    "ledger_checkpoints",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("root", sa.LargeBinary(32), nullable=False),
    sa.Column("key_id", sa.String(80), nullable=False),
    sa.Column("jws", sa.Text, nullable=False),
)
SHOWN = sa.Table(
    "ledger_shown",
    METADATA,
    sa.Column("recipient_key", sa.String(80), primary_key=True),
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
)
PROVE_SINCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCheckpoint:
    """A checkpoint with its signature (compact JWS) and the key that made it."""

    checkpoint: Checkpoint
    key_id: str
    jws: str = field(repr=False)


def append(
    connection: Connection,
    event: str,
    facts: Mapping[str, Fact],
    *,
    salt: bytes,
    at: dt.datetime,
) -> LeafRef:
    """Add one entry, in the caller's transaction.

    Args:
        connection: of `Database.begin`; the entry stands when that commits.
        event: a name of the table `gateway.ledger.EVENTS`.
        facts: what the table allows; a fact that is "" is left out.
        salt: 32 fresh random bytes.
        at: the time of the event, with its zone.

    Raises:
        UsageError: the table does not allow the entry.
        IntegrityError: a node that the new root needs is gone.
    """
    given = {name: value for name, value in facts.items() if value != ""}
    encoded = ledger.encode_entry(Entry(event=event, facts=given, at=at))
    commitment = ledger.commit(encoded, salt=salt)
    index = size(connection)
    nodes = ledger.grow(index, ledger.leaf_hash(commitment), node=_reader(connection))
    ref = LeafRef(index=index, entry_id=ledger.entry_id(commitment), leaf_hash=nodes[0].hash)
    connection.execute(
        LEAVES.insert().values(index=index, id=ref.entry_id, event=event, entry=encoded, salt=salt)
    )
    connection.execute(
        NODES.insert(), [{"leaf": index, "level": n.level, "hash": n.hash} for n in nodes]
    )
    return ref


def size(connection: Connection) -> int:
    """How many entries there are."""
    last = connection.execute(sa.select(sa.func.max(LEAVES.c["index"]))).scalar()
    return 0 if last is None else int(last) + 1


def root(connection: Connection, at_size: int | None = None) -> bytes:
    """The root, now or at an earlier size; reads O(log n) rows."""
    count = size(connection) if at_size is None else at_size
    return ledger.root(count, node=_reader(connection))


def checkpoint(
    connection: Connection, signer: Signer, at: dt.datetime, *, origin: str
) -> SignedCheckpoint:
    """Sign what the ledger is now, once it is seen to continue the last checkpoint.

    Args:
        connection: of `Database.begin`.
        signer: the ledger signing key.
        at: now.
        origin: the ledger's name, as the sender's trust descriptor gives it.

    Raises:
        IntegrityError: the ledger is shorter than, or differs from, its last checkpoint.
    """
    last = last_checkpoint(connection)
    now = Checkpoint(origin=origin, size=size(connection), root=root(connection), at=at)
    if last is not None:
        _require_continues(connection, last.checkpoint, now)
    jws = sign_compact(ledger.encode_checkpoint(now), typ=CHECKPOINT_TYP, signer=signer)
    number = connection.execute(sa.select(sa.func.count()).select_from(CHECKPOINTS)).scalar_one()
    connection.execute(
        CHECKPOINTS.insert().values(
            number=number, size=now.size, root=now.root, key_id=signer.key_id, jws=jws
        )
    )
    return SignedCheckpoint(checkpoint=now, key_id=signer.key_id, jws=jws)


def last_checkpoint(connection: Connection) -> SignedCheckpoint | None:
    """The newest signed checkpoint, read without verifying its signature."""
    row = connection.execute(
        sa.select(CHECKPOINTS).order_by(CHECKPOINTS.c.number.desc()).limit(1)
    ).first()
    return None if row is None else signed_checkpoint(row.jws, row.key_id)


def stored_checkpoints(connection: Connection) -> list[str]:
    """Every signed checkpoint (compact JWS), oldest first."""
    return list(
        connection.execute(sa.select(CHECKPOINTS.c.jws).order_by(CHECKPOINTS.c.number)).scalars()
    )


def prove(connection: Connection, entry: str | int, *, at_size: int | None = None) -> EntryProof:
    """Prove one entry by its id or its index, against the root now or at an earlier size.

    Raises:
        UsageError: `ledger/no-such-entry`.
        IntegrityError: it is not what was written.
    """
    column = LEAVES.c["index"] if isinstance(entry, int) else LEAVES.c.id
    row = connection.execute(sa.select(LEAVES).where(column == entry)).mappings().first()
    if row is None:
        raise UsageError(
            "ledger/no-such-entry",
            "The ledger has no entry of that id or index.",
            remedy="`gateway ledger export` lists them.",
        )
    count = size(connection) if at_size is None else at_size
    node, index = _reader(connection), int(row["index"])
    said, salt = written(dict(row))
    root, path = ledger.root(count, node=node), ledger.inclusion_path(index, count, node=node)
    leaf = ledger.leaf_hash(ledger.commit(said, salt=salt))
    ledger.check_inclusion(leaf, path, index=index, size=count, root=root)
    return EntryProof(index=index, entry=said, salt=salt, size=count, root=root, path=path)


def prove_continuity(connection: Connection, old: int, new: int) -> tuple[bytes, ...]:
    """The consistency path from `old` to `new` entries."""
    return ledger.consistency_path(old, new, node=_reader(connection))


def ledger_part(
    connection: Connection, leaf: LeafRef, signed: SignedCheckpoint, *, recipient_key: str
) -> LedgerPart:
    """The ledger's part of one recipient's manifest, tied to what it was shown before.

    Continuity is proved from the last sizes that this recipient key was shown, and
    the present size is noted, so that no caller can forget it.

    Args:
        connection: of `Database.begin`; the note stands when that commits.
        leaf: the entry that commits to the manifest's core.
        signed: a checkpoint made after that entry.
        recipient_key: the recipient's key id, as in the envelope.
    """
    now = signed.checkpoint
    proof = prove(connection, leaf.index, at_size=now.size)
    earlier = _shown_to(connection, recipient_key, below=now.size)
    _note_shown(connection, recipient_key, now.size)
    return LedgerPart(
        index=leaf.index,
        size=now.size,
        root=now.root,
        entry=proof.entry,
        salt=proof.salt,
        path=proof.path,
        checkpoint=signed.jws,
        consistency=tuple(
            (old, root(connection, old), prove_continuity(connection, old, now.size))
            for old in earlier
        ),
    )


def entries(connection: Connection, *, event: str = "") -> Iterator[tuple[LeafRef, Entry]]:
    """The entries in order, all or those of one event."""
    query = sa.select(LEAVES).order_by(LEAVES.c["index"])
    if event:
        query = query.where(LEAVES.c.event == event)
    for row in connection.execute(query).mappings():
        entry, salt = written(dict(row))
        leaf = ledger.leaf_hash(ledger.commit(entry, salt=salt))
        ref = LeafRef(index=row["index"], entry_id=row["id"], leaf_hash=leaf)
        yield ref, ledger.decode_entry(entry)


def signed_checkpoint(jws: str, key_id: str) -> SignedCheckpoint:
    """Read a stored checkpoint; its signature is verified elsewhere, before it is believed."""
    payload = [*jws.split("."), ""][1]
    try:
        raw = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    except ValueError:
        raise IntegrityError(
            "ledger/checkpoint-form", "A checkpoint is malformed.", remedy=NOT_BELIEVED
        ) from None
    return SignedCheckpoint(checkpoint=ledger.decode_checkpoint(raw), key_id=key_id, jws=jws)


def _require_continues(connection: Connection, last: Checkpoint, now: Checkpoint) -> None:
    if now.origin != last.origin:
        raise Unavailable(
            "ledger/other-origin",
            "The last checkpoint is of a ledger with another name.",
            remedy="This is another gateway's checkpoint: restore the data directory "
            "that belongs to this ledger.",
        )
    if now.size < last.size or root(connection, last.size) != last.root:
        raise IntegrityError(
            "ledger/not-consistent",
            f"The ledger does not continue its checkpoint at {last.size} entries.",
            remedy="Run `gateway ledger verify`, stop releases, and call the auditor.",
        )


def _shown_to(connection: Connection, recipient_key: str, *, below: int) -> Sequence[int]:
    query = (
        sa.select(SHOWN.c.size)
        .where(SHOWN.c.recipient_key == recipient_key, SHOWN.c.size < below)
        .order_by(SHOWN.c.size.desc())
        .limit(PROVE_SINCE)
    )
    return sorted(connection.execute(query).scalars())


def _note_shown(connection: Connection, recipient_key: str, count: int) -> None:
    here = (SHOWN.c.recipient_key == recipient_key) & (SHOWN.c.size == count)
    if connection.execute(sa.select(SHOWN.c.size).where(here)).first() is None:
        connection.execute(SHOWN.insert().values(recipient_key=recipient_key, size=count))


def _reader(connection: Connection) -> ledger.NodeReader:
    def read(level: int, position: int) -> bytes:
        leaf = ((position + 1) << level) - 1
        here = (NODES.c.leaf == leaf) & (NODES.c.level == level)
        found = connection.execute(sa.select(NODES.c.hash).where(here)).scalar()
        if found is None:
            raise IntegrityError(
                "ledger/node-missing",
                "A part of the ledger's tree is gone.",
                remedy="Run `gateway ledger verify`, and restore the database.",
            )
        return bytes(found)

    return read
