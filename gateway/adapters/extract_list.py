"""Extracts as a list shows them: who sent what when, and what became of it, newest first.

Findings and profiles stay in their rows: a list of many extracts must not read them.

Source: docs/explanation/service.md; requirements R15.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from gateway.adapters.extract_store import EXTRACTS

_SHOWN = ("id", "dataset", "party", "state", "received_at", "rows", "accepted", "quarantined")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractLine:
    """One extract in a list."""

    id: str
    dataset: str
    party: str
    state: str
    received_at: dt.datetime
    rows: int
    accepted: int
    quarantined: int
    superseded_by: str


def listed(
    connection: sa.Connection,
    *,
    party: str | None = None,
    dataset: str | None = None,
    limit: int = 50,
    offset: int = 0,
) -> list[ExtractLine]:
    """The newest extracts, of one party or one dataset if named."""
    query = sa.select(*(EXTRACTS.c[name] for name in (*_SHOWN, "superseded_by")))
    query = query if party is None else query.where(EXTRACTS.c.party == party)
    query = query if dataset is None else query.where(EXTRACTS.c.dataset == dataset)
    query = query.order_by(EXTRACTS.c.sequence.desc()).limit(limit).offset(offset)
    return [_line(row) for row in connection.execute(query)]


def latest(connection: sa.Connection) -> list[ExtractLine]:
    """The newest extract of each dataset and party."""
    newest = sa.select(sa.func.max(EXTRACTS.c.sequence)).group_by(
        EXTRACTS.c.dataset, EXTRACTS.c.party
    )
    query = sa.select(*(EXTRACTS.c[name] for name in (*_SHOWN, "superseded_by")))
    query = query.where(EXTRACTS.c.sequence.in_(newest)).order_by(EXTRACTS.c.sequence.desc())
    return [_line(row) for row in connection.execute(query)]


def _line(row: Any) -> ExtractLine:
    held = row._asdict()
    held["received_at"] = dt.datetime.fromisoformat(held["received_at"])
    return ExtractLine(**held)
