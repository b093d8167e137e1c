"""Finding entries of the ledger by what they say, without decoding all of them.

Entries are kept in one permitted spelling (RFC 8785), so that a fact is a run of
bytes that the database itself can look for. What is found is decoded and compared.

Source: security design point 20; RFC 8785.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import rfc8785
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from gateway import ledger
from gateway.adapters.ledger_store import LEAVES
from gateway.ledger import Entry, Fact


class _Place(sa.sql.functions.GenericFunction[int]):
    """Where bytes begin in a column: 0 where they are not."""

    type = sa.Integer()
    name = "gateway_place"
    inherit_cache = True


@compiles(_Place, "sqlite")
def _place_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)})"


@compiles(_Place)
def _place(element: Any, compiler: Any, **options: Any) -> str:
    column, wanted = (compiler.process(each, **options) for each in element.clauses)
    return f"position({wanted} in {column})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One entry with its place in the ledger."""

    index: int
    id: str
    entry: Entry


def naming(
    connection: sa.Connection, events: Collection[str], **facts: Fact
) -> Iterator[tuple[int, Entry]]:
    """The entries of some events that state every one of these facts, in order.

    Args:
        connection: any.
        events: the names of the events.
        facts: what an entry must state to be given.
    """
    query = sa.select(LEAVES.c["index"], LEAVES.c.entry).order_by(LEAVES.c["index"])
    query = query.where(LEAVES.c.event.in_(sorted(events)))
    for name, value in facts.items():
        query = query.where(_states(name, value))
    for index, encoded in connection.execute(query):
        entry = ledger.decode_entry(bytes(encoded))
        if all(entry.facts.get(name) == value for name, value in facts.items()):
            yield int(index), entry


def newest(
    connection: sa.Connection,
    *,
    event: str = "",
    operator: str = "",
    before: int | None = None,
    limit: int = 50,
) -> list[Found]:
    """The newest entries, of one event or one operator if named.

    Args:
        connection: any.
        event: the name of an event; every one if empty.
        operator: whose acts; everybody's if empty.
        before: only entries that stand before this index.
        limit: how many at most.
    """
    query = sa.select(LEAVES).order_by(LEAVES.c["index"].desc()).limit(limit)
    if event:
        query = query.where(LEAVES.c.event == event)
    if operator:
        query = query.where(_states("operator", operator))
    if before is not None:
        query = query.where(LEAVES.c["index"] < before)
    return [
        Found(index=row.index_, id=row.id, entry=ledger.decode_entry(bytes(row.entry)))
        for row in connection.execute(_with_plain_index(query))
    ]


def _with_plain_index(query: sa.Select[Any]) -> sa.Select[Any]:
    """The column `index` under a name that a row does not give to a method of its own."""
    return query.with_only_columns(LEAVES.c["index"].label("index_"), LEAVES.c.id, LEAVES.c.entry)


def _states(name: str, value: Fact) -> sa.ColumnElement[bool]:
    wanted = rfc8785.dumps({name: value})[1:-1]
    return _Place(LEAVES.c.entry, sa.literal(wanted, sa.LargeBinary)) > 0
