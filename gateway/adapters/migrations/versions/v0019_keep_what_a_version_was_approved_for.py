"""Keep what a version was approved for."""

from __future__ import annotations

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Keep what a version was approved for, from now on, and who saved what so far."""
    _make_tables()
    connection = op.get_bind()
    heads = sa.table("policy_heads", sa.column("path"), sa.column("digest"))
    current = {row.path: row.digest for row in connection.execute(sa.select(heads))}
    if current:
        states = sa.table("policy_states", sa.column("proposal"), sa.column("heads"))
        row = {"proposal": None, "heads": json.dumps(current, sort_keys=True)}
        connection.execute(sa.insert(states).values(**row))
    _remember_saves(connection)


def _remember_saves(connection: sa.Connection) -> None:
    """Who gave a document of a draft another text than the revision before."""
    names = ("draft", "revision", "changes", "saved_by")
    revisions = sa.table("policy_draft_revisions", *(sa.column(name) for name in names))
    query = sa.select(revisions).order_by(revisions.c.draft, revisions.c.revision)
    draft, before = "", dict[str, str]()
    found = set[tuple[str, str, str]]()
    for row in connection.execute(query):
        changes = json.loads(row.changes)
        if row.draft == draft:
            found |= {
                (path, hashlib.sha256(text.encode("utf-8")).hexdigest(), row.saved_by)
                for path, text in changes.items()
                if before.get(path) != text
            }
        draft, before = row.draft, changes
    saved = ("path", "digest", "saved_by")
    table = sa.table("policy_saved", *(sa.column(name) for name in saved))
    for each in sorted(found):
        connection.execute(sa.insert(table).values(**dict(zip(saved, each, strict=True))))


def _make_tables() -> None:
    op.create_table(
        "policy_saved",
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("saved_by", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("path", "digest", "saved_by"),
    )
    op.create_table(
        "policy_states",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("proposal", sa.Integer(), nullable=True),
        sa.Column("heads", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal"],
            ["policy_proposals.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("policy_states", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_policy_states_proposal"), ["proposal"], unique=False)
