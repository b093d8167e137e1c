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
from dataclasses import dataclass, field

import polars as pl
import sqlalchemy as sa
from sqlalchemy import Connection

from gateway import objections
from gateway.adapters import ledger_store
from gateway.adapters.keyring import KeyRing
from gateway.adapters.register_seal import (
    NONCE,
    RegisterKeys,
    pack,
    register_keys,
    seal,
    unpack,
    unseal,
)
from gateway.adapters.register_trust import (
    CHAINED,
    ENTRIES,
    EVENTS,
    RegisterMark,
    head,
    link,
    sequence,
    verify_chain,
)
from gateway.errors import Unavailable
from gateway.model.keys import KeyKind
from gateway.objections import EntryKind, Register

__all__ = [
    "NewEntries",
    "RegisterMark",
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
    rows = []
    for number, details, tombstones in zip(
        sequences, new.details.iter_rows(named=True), packed, strict=True
    ):
        told = {name: value for name, value in details.items() if value is not None}
        row = _common(new, keys, at) | {"sequence": number, "tombstones": tombstones}
        nonce = secrets.token_bytes(NONCE)
        row["identity"] = seal(told, keys, sequence=number, nonce=nonce)
        chain = link(chain, [row[name] for name in CHAINED])
        rows.append(row | {"chain": chain})
    connection.execute(ENTRIES.insert(), rows)
    _to_ledger(connection, new, sequences, at)
    return sequences[0], sequences[-1]


def open_register(
    connection: Connection,
    ring: KeyRing,
    purpose: str,
    controller: str,
    *,
    mark: RegisterMark | None = None,
) -> Register:
    """Verify the whole register and open what is in force for one purpose and controller.

    Args:
        connection: of `Database.begin`.
        ring: holds the controller's register root; not asked if there is no entry.
        purpose: entries of this purpose and of all purposes count.
        controller: whose register.
        mark: how far it had come, as noted beside the key ring.

    Raises:
        Unavailable: the register is not whole, or its root is not there.
    """
    last = sequence(connection)
    verify_chain(connection, mark)
    rows = connection.execute(
        sa.select(ENTRIES).where(ENTRIES.c.controller == controller).order_by(ENTRIES.c.sequence)
    ).mappings()
    every = [dict(row) for row in rows]
    entries = pl.DataFrame(
        {
            name: [json.loads(row[name]) if name == "lifts" else row[name] for row in every]
            for name in objections.ENTRY_SCHEMA
        },
        schema=dict(objections.ENTRY_SCHEMA),
    )
    entries = objections.in_force(entries, purpose=purpose)
    counting = set(entries["sequence"].to_list())
    kept = [row for row in every if row["sequence"] in counting]
    if not kept:
        return objections.empty_register(sequence=last)
    return _opened(ring, controller, kept, entries, last)


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
    ring.make(KeyKind.REGISTER_ROOT, owner=controller, epoch="1", at=at)
    return keys_of(ring, controller)


def _opened(
    ring: KeyRing, controller: str, rows: list[dict[str, object]], entries: pl.DataFrame, last: int
) -> Register:
    newest = keys_of(ring, controller)
    by_generation = {
        str(generation): keys_of(ring, controller, str(generation))
        for generation in {row["generation"] for row in rows}
    }
    details = [
        unseal(
            bytes(row["identity"]),  # type: ignore[call-overload]
            by_generation[str(row["generation"])],
            sequence=int(str(row["sequence"])),
        )
        for row in rows
    ]
    identities = objections.standard_form(
        pl.DataFrame(details, schema=dict.fromkeys(objections.FIELDS, pl.String), orient="row")
    ).with_columns(pl.Series("sequence", [row["sequence"] for row in rows], dtype=pl.Int64))
    if set(by_generation) == {newest.generation}:
        tombstones = unpack(
            pl.DataFrame(
                {name: [row[name] for row in rows] for name in ("sequence", "tombstones")},
                schema={"sequence": pl.Int64, "tombstones": pl.Binary},
            )
        )
    else:
        tombstones = objections.tombstones_of(identities, newest.tombstone)
    return Register(
        entries=entries,
        tombstones=tombstones,
        identities=identities,
        key=newest.tombstone,
        sequence=last,
    )


def _common(new: NewEntries, keys: RegisterKeys, at: dt.datetime) -> dict[str, object]:
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
