"""The register of objections, opt-outs and consents: appended, numbered, never rewritten.

Every entry stands in the ledger in the same transaction. Numbers have no gap, each
row is chained to the one before it, and the ledger and a mark beside the key ring
(which no data backup holds) remember how far the register had come: a register
that was shortened, changed or restored from yesterday stops every release.

Source: security point 16; docs/explanation/objections.md.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy import Connection

from gateway import objections
from gateway.adapters import ledger_store
from gateway.adapters.keyring import KeyRing
from gateway.adapters.register_acts import settled
from gateway.adapters.register_seal import (
    NONCE,
    RegisterKeys,
    pack,
    register_keys,
    seal,
    seal_batch,
    unpack,
    unseal,
    unseal_batch,
)
from gateway.adapters.register_trust import (
    ENTRIES,
    EVENTS,
    EntryRow,
    RegisterMark,
    head,
    link,
    read_whole,
    sequence,
)
from gateway.errors import Unavailable
from gateway.model import Participation
from gateway.model.keys import KeyKind
from gateway.objections import EntryKind, Register

__all__ = [
    "NewEntries",
    "RegisterMark",
    "details_of",
    "keys_of",
    "keys_or_new",
    "open_register",
    "record",
    "sequence",
]

_LIFTING = (EntryKind.OBJECTION_WITHDRAWN, EntryKind.OPT_OUT_WITHDRAWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntries:
    """What is to be recorded for one controller: the same act of one or many people."""

    receipt: str
    kind: EntryKind
    purpose: str
    controller: str
    authority: str
    operator: str
    details: pl.DataFrame = field(repr=False)
    elements: pl.DataFrame = field(repr=False)
    lifts: tuple[int, ...] = ()
    status: str = objections.Status.UNANSWERED.value


def record(
    connection: Connection, new: NewEntries, keys: RegisterKeys, *, at: dt.datetime
) -> tuple[int, int]:
    """Append entries and their ledger event, in the caller's transaction.

    Returns:
        The first and the last number.
    """
    last, chain = head(connection)
    sequences = list(range(last + 1, last + 1 + new.details.height))
    numbered = new.elements.with_columns(pl.Series("sequence", sequences, dtype=pl.Int64))
    packed = pack(objections.tombstones_of(numbered, keys.tombstone), sequences)
    common, rows = _common(new, keys, at), []
    for number, sealed, tombstones in zip(
        sequences, _sealed(new.details, keys, last + 1), packed, strict=True
    ):
        chain = link(chain, (number, *common.values(), sealed, tombstones))
        rows.append(EntryRow(number, **common, details=sealed, tombstones=tombstones, chain=chain))
    connection.execute(ENTRIES.insert(), [row._asdict() for row in rows])
    _to_ledger(connection, new, sequences, at)
    return sequences[0], sequences[-1]


def open_register(
    connection: Connection,
    ring: KeyRing,
    purpose: str,
    controller: str,
    *,
    mark: RegisterMark | None = None,
    participation: Participation = Participation.OBJECTION,
) -> Register:
    """Verify the whole register and open what is in force for one purpose and controller.

    Args:
        connection: of `Database.begin`.
        ring: holds the controller's register root; not asked if there is no entry.
        purpose: entries of this purpose and of all purposes count.
        controller: whose register.
        mark: how far it had come, as noted beside the key ring.
        participation: the purpose's rule, which says whether an answer can lift.

    Raises:
        Unavailable: the register is not whole, or its root is not there.
    """
    last = sequence(connection)
    rows = [row for row in read_whole(connection, mark) if row.controller == controller]
    entries = objections.in_force(entries_of(rows), purpose=purpose, participation=participation)
    counting = set(entries["sequence"].to_list())
    kept = [row for row in rows if row.sequence in counting]
    if not kept:
        return objections.empty_register(sequence=last)
    return _opened(ring, rows, kept, entries, last)


def _sealed(details: pl.DataFrame, keys: RegisterKeys, first: int) -> Iterator[bytes]:
    """What stands in each row: one person's details, or those of a whole batch in its first row."""
    nonce = secrets.token_bytes(NONCE)
    if details.height == 1:
        told = {
            name: value for name, value in details.row(0, named=True).items() if value is not None
        }
        yield seal(told, keys, sequence=first, nonce=nonce)
        return
    some = [name for name in details.columns if details[name].null_count() < details.height]
    yield seal_batch(details.select(some), keys, first=first, nonce=nonce)
    yield from repeat(b"", details.height - 1)


def entries_of(rows: list[EntryRow]) -> pl.DataFrame:
    """What each row says, as `objections.ENTRY_SCHEMA`."""
    columns = {
        name: pl.Series([getattr(row, name) for row in rows], dtype=pl.String)
        for name in ("kind", "purpose", "status", "lifts")
    }
    sequences = pl.Series([row.sequence for row in rows], dtype=pl.Int64)
    lifts = pl.col("lifts").str.json_decode(pl.List(pl.Int64))
    return pl.DataFrame({"sequence": sequences, **columns}).with_columns(lifts)


def details_of(
    connection: Connection, ring: KeyRing, number: int, *, mark: RegisterMark
) -> dict[str, str]:
    """What one person told with one entry, opened for a rights officer."""
    rows = read_whole(connection, mark)
    controller = rows[number - 1].controller
    own = [row for row in rows if row.controller == controller]
    keys = {each: keys_of(ring, controller, each) for each in {row.generation for row in own}}
    told = _details(own, keys, pl.Series([number], dtype=pl.Int64))
    row = told.filter(pl.col("sequence") == number).drop("sequence").row(0, named=True)
    return {name: value for name, value in row.items() if value is not None}


def keys_of(ring: KeyRing, controller: str, generation: str = "") -> RegisterKeys:
    """The register keys of a controller: of one generation, or the newest."""
    found = ring.find(KeyKind.REGISTER_ROOT, owner=controller, epoch=generation)
    root = ring.register_root(controller, found.epoch)
    return register_keys(root, controller=controller, generation=found.epoch)


def keys_or_new(
    connection: Connection, ring: KeyRing, controller: str, *, at: dt.datetime
) -> RegisterKeys:
    """The newest register keys; the first objection makes a register that has none.

    Nobody is turned away for want of a key; but where entries are already sealed, a
    missing root is a loss that no new one can hide.
    """
    try:
        return keys_of(ring, controller)
    except Unavailable:
        there = sa.select(ENTRIES.c.sequence).where(ENTRIES.c.controller == controller).limit(1)
        if connection.execute(there).first() is not None:
            raise
    made = ring.make(KeyKind.REGISTER_ROOT, owner=controller, epoch="1", at=at)
    facts = {"key": made.id, "kind": made.kind.value}
    ledger_store.append(connection, "key-made", facts, salt=secrets.token_bytes(32), at=at)
    return keys_of(ring, controller)


def _opened(
    ring: KeyRing, every: list[EntryRow], rows: list[EntryRow], entries: pl.DataFrame, last: int
) -> Register:
    controller = rows[0].controller
    newest = keys_of(ring, controller)
    generations = {row.generation for row in rows}
    keys = {each: keys_of(ring, controller, each) for each in generations}
    sequences = pl.Series([row.sequence for row in rows], dtype=pl.Int64)
    wanted = sequences.alias("sequence").to_frame()
    told = wanted.join(_details(every, keys, sequences), on="sequence", maintain_order="left")
    details = told.drop("sequence")
    identities = objections.standard_form(details).with_columns(sequences.alias("sequence"))
    if generations == {newest.generation}:
        packed = pl.Series([row.tombstones for row in rows], dtype=pl.Binary)
        tombstones = unpack(pl.DataFrame({"sequence": sequences, "tombstones": packed}))
    else:
        tombstones = objections.tombstones_of(identities, newest.tombstone)
    return Register(
        entries=entries,
        tombstones=tombstones,
        identities=identities,
        key=newest.tombstone,
        sequence=last,
        received=pl.DataFrame({"sequence": sequences, "received": [row.received for row in rows]}),
        settled=settled(every, newest),
        matching=newest.matching,
    )


def _details(
    rows: list[EntryRow], keys: Mapping[str, RegisterKeys], wanted: pl.Series
) -> pl.DataFrame:
    """`sequence` and `FIELDS` of the wanted entries; whole batches are opened at once."""
    numbers = set(wanted.to_list())
    starts = [at for at, row in enumerate(rows) if row.details]
    found: list[pl.DataFrame] = []
    single: list[dict[str, Any]] = []
    for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
        row, count = rows[start], end - start
        if count > 1 and any(each.sequence in numbers for each in rows[start:end]):
            told = unseal_batch(row.details, keys[row.generation], first=row.sequence, count=count)
            found.append(told.with_columns(sequence=pl.int_range(count) + row.sequence))
        elif count == 1 and row.sequence in numbers:
            opened = unseal(row.details, keys[row.generation], sequence=row.sequence)
            single.append({**opened, "sequence": row.sequence})
    schema = {"sequence": pl.Int64, **dict.fromkeys(objections.FIELDS, pl.String)}
    singles = pl.DataFrame(single, schema=schema)
    return pl.concat([singles, *found], how="diagonal")


def _common(new: NewEntries, keys: RegisterKeys, at: dt.datetime) -> dict[str, str]:
    return {
        "receipt": new.receipt,
        "kind": new.kind.value,
        "purpose": new.purpose,
        "controller": new.controller,
        "authority": new.authority,
        "operator": new.operator,
        "status": new.status,
        "received": at.isoformat(),
        "lifts": json.dumps(list(new.lifts)),
        "generation": keys.generation,
    }


def _to_ledger(
    connection: Connection, new: NewEntries, sequences: list[int], at: dt.datetime
) -> None:
    purpose = "all-purposes" if new.purpose == objections.ANY_PURPOSE else new.purpose
    facts: dict[str, str | int] = {
        "purpose": purpose,
        "register_sequence": sequences[-1],
        "source": new.authority,
        "register": new.controller,
        "operator": new.operator,
    }
    if len(sequences) > 1:
        event, facts = "register-loaded", facts | {"entries": len(sequences)}
    else:
        event = EVENTS[1] if new.kind in _LIFTING else EVENTS[0]
        facts |= {"subject": new.receipt, "kind": new.kind.value}
    ledger_store.append(connection, event, facts, salt=secrets.token_bytes(32), at=at)
