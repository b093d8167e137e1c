"""Add the notices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the notices, and where people are told."""
    _addresses()
    _occasions()
    _notices()


def _addresses() -> None:
    op.create_table(
        "notice_addresses",
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("changed", sa.String(length=40), nullable=False),
        sa.Column("changed_by", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("person"),
    )


def _occasions() -> None:
    op.create_table(
        "notice_occasions",
        sa.Column("id", sa.String(length=160), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "notice_positions",
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("read", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source"),
    )


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("occasion", sa.String(length=160), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.String(length=40), nullable=False),
        sa.Column("last_code", sa.String(length=60), nullable=False),
        sa.Column("sent", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["occasion"],
            ["notice_occasions.id"],
        ),
        sa.PrimaryKeyConstraint("occasion", "person"),
    )
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.create_index("notices_waiting", ["state", "next_at"], unique=False)
