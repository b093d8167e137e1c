"""Add receipts and idempotency keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add receipts and idempotency keys."""
    op.create_table(
        "idempotency_keys",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("request", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("created", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "receipts",
        sa.Column("extract", sa.String(length=60), nullable=False),
        sa.Column("jws", sa.Text(), nullable=False),
        sa.Column("signed", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("extract"),
    )
