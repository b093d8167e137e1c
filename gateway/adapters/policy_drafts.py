"""Drafts of governed documents: texts beside the current ones, until proposed or dropped.

A draft is one change, of one document or of several that belong together. Whoever
saves says which revision they started from; if it has moved meanwhile, nothing is
written and the other's text is shown, so that no edit is lost.

Source: docs/reference/policy.md, "Life of a version"; security point 3.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from gateway.adapters import policy_states, policy_store
from gateway.adapters.database import METADATA
from gateway.errors import HeldForPerson, InputRejected, UsageError
from gateway.model.remarks import remark
from gateway.policy.places import kind_of, misplaced

LARGEST = 1_000_000
MOST_DOCUMENTS = 20
NO_REASON = "No reason given."
LOOK_FIRST = "Look at what changed, then do it again on the newest text."


class DraftState(StrEnum):
    """Being written, proposed to the approvers, or dropped."""

    OPEN = "open"
    PROPOSED = "proposed"
    DROPPED = "dropped"


DRAFTS = sa.Table(
    "policy_drafts",
    METADATA,
    sa.Column("id", sa.String(60), primary_key=True),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("agreement", sa.String(100), nullable=False, index=True),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("begun_by", sa.String(40), nullable=False),
    sa.Column("begun", sa.String(40), nullable=False),
)
REVISIONS = sa.Table(
    "policy_draft_revisions",
    METADATA,
    sa.Column("draft", sa.ForeignKey("policy_drafts.id"), primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True),
    sa.Column("changes", sa.Text, nullable=False),
    sa.Column("bases", sa.Text, nullable=False),
    sa.Column("reason", sa.String(400), nullable=False),
    sa.Column("saved_by", sa.String(40), nullable=False),
    sa.Column("saved", sa.String(40), nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One change being written, as of its newest revision.

    `changes` are texts by path; `bases` the digests of the current texts that they
    began from ("" for a new document), so that a change underneath is noticed.
    """

    id: str
    title: str
    agreement: str
    state: DraftState
    revision: int
    changes: Mapping[str, str]
    bases: Mapping[str, str]
    reason: str
    begun_by: str
    saved_by: str
    saved: str

    def moved(self, current: Mapping[str, str]) -> tuple[str, ...]:
        """The documents whose current text is no longer the one that the draft began from."""
        return tuple(
            sorted(path for path in self.changes if digest_of(current, path) != self.bases[path])
        )


def digest_of(current: Mapping[str, str], path: str) -> str:
    """SHA-256 of the current text of a document; "" where there is none."""
    text = current.get(path)
    return hashlib.sha256(text.encode("utf-8")).hexdigest() if text is not None else ""


def begin(
    connection: sa.Connection,
    draft: str,
    *,
    title: str,
    agreement: str,
    changes: Mapping[str, str],
    by: str,
    at: dt.datetime,
) -> Draft:
    """Begin a draft from the current texts, with first changes beside them."""
    _refuse_unfit(changes)
    connection.execute(
        DRAFTS.insert().values(
            id=draft,
            title=remark(title, 200) or agreement,
            agreement=agreement,
            state=DraftState.OPEN,
            revision=1,
            begun_by=by,
            begun=at.isoformat(),
        )
    )
    current = policy_store.bundle(connection)
    bases = {path: digest_of(current, path) for path in changes}
    _add_revision(connection, draft, 1, changes, bases, reason="Begun.", by=by, at=at)
    return find(connection, draft)


def save(
    connection: sa.Connection,
    draft: str,
    *,
    revision: int,
    changes: Mapping[str, str],
    reason: str,
    by: str,
    at: dt.datetime,
) -> Draft:
    """Save new texts over the revision that they were made from.

    Args:
        connection: one writing transaction.
        draft: its id.
        revision: the revision that the author had before them.
        changes: the texts that change; the draft's others stay.
        reason: why, in the author's words.
        by: who saves.
        at: now.

    Raises:
        HeldForPerson: `policy/draft-moved`: somebody saved meanwhile; nothing was written.
        UsageError: the draft is not open any more.
    """
    _refuse_unfit(changes)
    known = find(connection, draft)
    _require_open(known)
    require_revision(known, revision)
    current = policy_store.bundle(connection)
    bases = {path: known.bases.get(path, digest_of(current, path)) for path in changes}
    moved = connection.execute(
        DRAFTS.update()
        .where(DRAFTS.c.id == draft, DRAFTS.c.revision == revision)
        .values(revision=revision + 1)
    )
    if moved.rowcount != 1:
        told = "Somebody saved this draft at the same moment."
        raise HeldForPerson("policy/draft-moved", told, remedy=LOOK_FIRST)
    policy_states.remember(connection, changes, by=by, over={**current, **known.changes})
    _add_revision(
        *(connection, draft, revision + 1, {**known.changes, **changes}, {**known.bases, **bases}),
        reason=reason,
        by=by,
        at=at,
    )
    return find(connection, draft)


def close(connection: sa.Connection, draft: str, state: DraftState, *, revision: int) -> None:
    """Say that a draft was proposed or dropped; it is edited no more.

    Raises:
        HeldForPerson: `policy/draft-moved`: somebody saved it since this revision.
        UsageError: the draft is not open any more.
    """
    known = find(connection, draft)
    _require_open(known)
    require_revision(known, revision)
    connection.execute(DRAFTS.update().where(DRAFTS.c.id == draft).values(state=state))


def find(connection: sa.Connection, draft: str) -> Draft:
    """Read a draft at its newest revision.

    Raises:
        UsageError: there is none with this id.
    """
    query = _newest().where(DRAFTS.c.id == draft)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise UsageError(
            "policy/unknown-draft",
            "There is no draft with this id.",
            remedy="The list of agreements shows the drafts.",
        )
    return _draft(row)


def listed(connection: sa.Connection, *, agreement: str = "") -> tuple[Draft, ...]:
    """The open drafts, newest first."""
    query = _newest().where(DRAFTS.c.state == DraftState.OPEN).order_by(REVISIONS.c.saved.desc())
    if agreement:
        query = query.where(DRAFTS.c.agreement == agreement)
    return tuple(_draft(row) for row in connection.execute(query).mappings())


def history(connection: sa.Connection, draft: str) -> tuple[tuple[int, str, str, str], ...]:
    """Every revision: number, who saved it, when, and why; newest first."""
    rows = connection.execute(
        sa.select(REVISIONS).where(REVISIONS.c.draft == draft).order_by(REVISIONS.c.revision.desc())
    ).mappings()
    return tuple((row["revision"], row["saved_by"], row["saved"], row["reason"]) for row in rows)


def _newest() -> sa.Select[Any]:
    return sa.select(DRAFTS, REVISIONS).join(
        REVISIONS,
        (REVISIONS.c.draft == DRAFTS.c.id) & (REVISIONS.c.revision == DRAFTS.c.revision),
    )


def _add_revision(
    connection: sa.Connection,
    draft: str,
    revision: int,
    changes: Mapping[str, str],
    bases: Mapping[str, str],
    *,
    reason: str,
    by: str,
    at: dt.datetime,
) -> None:
    connection.execute(
        REVISIONS.insert().values(
            draft=draft,
            revision=revision,
            changes=json.dumps(dict(changes)),
            bases=json.dumps(dict(bases)),
            reason=remark(reason, 400) or NO_REASON,
            saved_by=by,
            saved=at.isoformat(),
        )
    )


def require_revision(draft: Draft, revision: int) -> None:
    """Refuse what was made over an earlier revision: somebody has saved since."""
    if draft.revision != revision:
        raise HeldForPerson(
            "policy/draft-moved",
            f"{draft.saved_by} saved revision {draft.revision} of this draft after you opened it.",
            remedy=LOOK_FIRST,
            revision=draft.revision,
        )


def _require_open(draft: Draft) -> None:
    if draft.state is not DraftState.OPEN:
        raise UsageError(
            "policy/draft-closed",
            f"This draft was {draft.state} and is edited no more.",
            remedy="Begin a new one from the current text.",
        )


def _refuse_unfit(changes: Mapping[str, str]) -> None:
    if any(text and kind_of(path) is None for path, text in changes.items()):
        raise misplaced()
    if len(changes) > MOST_DOCUMENTS or any(
        len(text.encode("utf-8", "replace")) > LARGEST for text in changes.values()
    ):
        raise InputRejected(
            "policy/draft-too-large",
            f"A draft holds at most {MOST_DOCUMENTS} documents of 1,000,000 bytes each.",
            remedy="Split the change.",
        )


def _draft(row: Any) -> Draft:
    return Draft(
        id=row["id"],
        title=remark(row["title"], 200) or row["agreement"],
        agreement=row["agreement"],
        state=DraftState(row["state"]),
        revision=row["revision"],
        changes=json.loads(row["changes"]),
        bases=json.loads(row["bases"]),
        reason=row["reason"],
        begun_by=row["begun_by"],
        saved_by=row["saved_by"],
        saved=row["saved"],
    )
