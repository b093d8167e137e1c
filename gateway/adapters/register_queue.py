"""The queue of doubtful matches: which entry, in which extract, and why; nobody's details.

A row is written in the transaction in which the release that withheld the person is
built. Its name is a keyed hash of the pair, so that a row that was exchanged for
another is found out before anybody settles it.

Source: security point 16; docs/how-to/object.md, "Settle a doubtful match".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import sqlalchemy as sa
from sqlalchemy import Connection

from gateway import objections
from gateway.adapters.register_matches import MATCHES, OPEN
from gateway.adapters.register_trust import ENTRIES, not_trustworthy
from gateway.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One doubtful pair: an entry of the register, and somebody in an extract."""

    id: str
    entry: int
    receipt: str
    controller: str
    purpose: str
    dataset: str
    extracts: tuple[str, ...]
    release: str
    because: tuple[str, ...]
    day: str
    reference: str
    state: str = OPEN
    settled: str = ""
    settled_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """The release in which pairs were met."""

    release: str
    purpose: str
    controller: str
    dataset: str
    extracts: tuple[str, ...]
    day: str


def add(
    connection: Connection, doubts: pl.DataFrame, occasion: Occasion, *, matching: bytes
) -> int:
    """Queue the pairs that do not stand there yet; how many were new.

    Args:
        connection: of the release's transaction.
        doubts: `sequence`, `match`, `because`, as `objections.honour` tells them.
        occasion: where they were met.
        matching: the register's key for matches.
    """
    receipts = _receipts(connection, doubts["sequence"].unique().to_list())
    there = set(connection.scalars(sa.select(MATCHES.c.id)))
    new: dict[str, Match] = {}
    for sequence, reference, because in doubts.unique(["sequence", "match"]).iter_rows():
        name = objections.match_id(occasion.controller, sequence, match=reference, key=matching)
        new[name] = Match(
            id=name,
            entry=sequence,
            receipt=receipts[sequence],
            controller=occasion.controller,
            purpose=occasion.purpose,
            dataset=occasion.dataset,
            extracts=occasion.extracts,
            release=occasion.release,
            because=tuple(because),
            day=occasion.day,
            reference=reference.hex(),
        )
    rows = [_row(match) for name, match in sorted(new.items()) if name not in there]
    if rows:
        connection.execute(MATCHES.insert(), rows)
    return len(rows)


def listed(connection: Connection, *, every: bool = False) -> list[Match]:
    """The queue, oldest first; with `every`, what was settled too."""
    query = sa.select(MATCHES).order_by(MATCHES.c.day, MATCHES.c.entry, MATCHES.c.id)
    wanted = query if every else query.where(MATCHES.c.state == OPEN)
    return [_match(row) for row in connection.execute(wanted)]


def find(connection: Connection, name: str) -> Match:
    """One doubtful pair.

    Raises:
        UsageError: there is none of this name.
    """
    row = connection.execute(sa.select(MATCHES).where(MATCHES.c.id == name)).first()
    if row is None:
        raise UsageError(
            "objections/unknown-match",
            "There is no doubtful match of that name.",
            remedy="`gateway objections` lists them.",
        )
    return _match(row)


def require_unchanged(match: Match, *, matching: bytes) -> None:
    """Refuse a row that names another pair than it did.

    Raises:
        Unavailable: entry or reference are not those of its name, or the key is new.
    """
    made = objections.match_id(
        match.controller, match.entry, match=bytes.fromhex(match.reference), key=matching
    )
    if made != match.id:
        raise not_trustworthy("a doubtful match was changed, or made under an earlier root")


def settle(connection: Connection, name: str, *, state: str, by: str, day: str) -> None:
    """Take a pair off the queue; what counts stands in the register."""
    connection.execute(
        MATCHES.update().where(MATCHES.c.id == name).values(state=state, settled=day, settled_by=by)
    )


def _receipts(connection: Connection, sequences: Sequence[int]) -> dict[int, str]:
    wanted, known = set(sequences), sa.select(ENTRIES.c.sequence, ENTRIES.c.receipt)
    return {row.sequence: row.receipt for row in connection.execute(known) if row[0] in wanted}


def _row(match: Match) -> dict[str, object]:
    return {
        **{column.name: getattr(match, column.name) for column in MATCHES.columns},
        "extracts": json.dumps(match.extracts),
        "because": json.dumps(match.because),
    }


def _match(row: sa.Row[tuple[object, ...]]) -> Match:
    told = row._asdict()
    lists = {name: tuple(json.loads(told[name])) for name in ("extracts", "because")}
    return Match(**{**told, **lists})
