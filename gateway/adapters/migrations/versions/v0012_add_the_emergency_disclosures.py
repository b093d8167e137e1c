"""Add the emergency disclosures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the emergency disclosures, and the reasons that are owed for them."""
    _emergencies()
    _reasons()


def _emergencies() -> None:
    op.create_table(
        "emergencies",
        sa.Column("id", sa.String(length=60), nullable=False),
        sa.Column("agreement", sa.String(length=60), nullable=False),
        sa.Column("purpose", sa.String(length=60), nullable=False),
        sa.Column("recipient", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("asked_by", sa.String(length=40), nullable=False),
        sa.Column("asked_at", sa.String(length=40), nullable=False),
        sa.Column("until", sa.String(length=40), nullable=False),
        sa.Column("confirmed_by", sa.String(length=40), nullable=False),
        sa.Column("confirmed_at", sa.String(length=40), nullable=False),
        sa.Column("release", sa.String(length=60), nullable=False),
        sa.Column("disclosed_at", sa.String(length=40), nullable=False),
        sa.Column("overridden", sa.Integer(), nullable=False),
        sa.Column("read_by", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("storage_key", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("emergencies", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_emergencies_state"), ["state"], unique=False)


def _reasons() -> None:
    op.create_table(
        "emergency_reasons",
        sa.Column("emergency", sa.String(length=60), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("due", sa.String(length=40), nullable=False),
        sa.Column("filed_at", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("storage_key", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(
            ["emergency"],
            ["emergencies.id"],
        ),
        sa.PrimaryKeyConstraint("emergency", "person"),
    )
    with op.batch_alter_table("emergency_reasons", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_emergency_reasons_person"), ["person"], unique=False)
