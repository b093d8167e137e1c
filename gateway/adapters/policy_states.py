"""Every state that the documents had, one for each proposal that was approved by all.

A proposal alone says which texts it changes; a state says all the texts that its
digest stood for, those too that came with other agreements. Beside the states stands
who ever saved a text, in whatever draft.

Source: docs/reference/policy.md, "Life of a version"; docs/adr/0339, 0340.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from gateway.adapters.policy_tables import CHANGES, HEADS, PROPOSALS, SAVED, STATES, TEXTS


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One state: the digest of each document by path; `proposal` brought it, 0 for the first."""

    number: int
    proposal: int
    heads: Mapping[str, str] = field(repr=False)

    @property
    def shared(self) -> Mapping[str, str]:
        """The documents that several agreements read."""
        return {path: d for path, d in self.heads.items() if not path.startswith("agreements/")}


def keep(connection: sa.Connection, proposal: int | None) -> None:
    """Keep the documents as they stand now."""
    rows = connection.execute(sa.select(HEADS.c.path, HEADS.c.digest).order_by(HEADS.c.path))
    heads = json.dumps({row.path: row.digest for row in rows})
    connection.execute(STATES.insert().values(proposal=proposal, heads=heads))


def first(connection: sa.Connection) -> State | None:
    """The first state that was kept."""
    row = connection.execute(sa.select(STATES).order_by(STATES.c.id).limit(1)).first()
    return _state(row) if row else None


def of(connection: sa.Connection, proposal: int) -> State | None:
    """The state that a proposal brought; none where it waits, or was approved before states."""
    query = sa.select(STATES).where(STATES.c.proposal == proposal).order_by(STATES.c.id.desc())
    row = connection.execute(query.limit(1)).first()
    return _state(row) if row else None


def before(connection: sa.Connection, state: State) -> State | None:
    """The state that another took the place of."""
    query = sa.select(STATES).where(STATES.c.id < state.number).order_by(STATES.c.id.desc())
    row = connection.execute(query.limit(1)).first()
    return _state(row) if row else None


def since(connection: sa.Connection, number: int) -> list[State]:
    """The states from one on, oldest first."""
    query = sa.select(STATES).where(STATES.c.id >= number).order_by(STATES.c.id)
    return [_state(row) for row in connection.execute(query)]


def brought(connection: sa.Connection) -> frozenset[int]:
    """The proposals whose state is kept."""
    query = sa.select(STATES.c.proposal).where(STATES.c.proposal.is_not(None))
    return frozenset(connection.scalars(query))


def texts(connection: sa.Connection, state: State) -> dict[str, str]:
    """The documents of a state, by path."""
    wanted = TEXTS.c.digest.in_(set(state.heads.values()))
    query = sa.select(TEXTS.c.digest, TEXTS.c.text).where(wanted)
    known = {row.digest: row.text for row in connection.execute(query)}
    return {path: known[digest] for path, digest in state.heads.items() if digest in known}


def remember(
    connection: sa.Connection, changes: Mapping[str, str], *, by: str, over: Mapping[str, str]
) -> None:
    """Keep who saved a text; who leaves one as it was has written nothing.

    Args:
        connection: one writing transaction.
        changes: the texts that were saved, by path.
        by: who saved them.
        over: the texts that they were written over.
    """
    for path, text in changes.items():
        row = {"path": path, "digest": _digest(text), "saved_by": by}
        there = sa.select(SAVED).filter_by(**row)
        if over.get(path) != text and connection.execute(there).first() is None:
            connection.execute(SAVED.insert().values(**row))


def wrote(connection: sa.Connection, path: str, text: str) -> frozenset[str]:
    """Whoever saved this very text in a draft, or proposed it, with whatever agreement."""
    digest = _digest(text)
    saved = sa.select(SAVED.c.saved_by).where(SAVED.c.path == path, SAVED.c.digest == digest)
    carried = (
        sa.select(PROPOSALS.c.editor, PROPOSALS.c.writers)
        .join(CHANGES, CHANGES.c.proposal == PROPOSALS.c.id)
        .where(CHANGES.c.path == path, CHANGES.c.digest == digest)
    )
    names = {name for row in connection.execute(carried) for name in _named(row)}
    return frozenset({*connection.scalars(saved), *names})


def _named(row: Any) -> tuple[str, ...]:
    return (row.editor, *(row.writers or "").split())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _state(row: Any) -> State:
    return State(number=row.id, proposal=row.proposal or 0, heads=json.loads(row.heads))
