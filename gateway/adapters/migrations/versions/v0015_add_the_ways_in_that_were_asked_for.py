"""Add the ways in that were asked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the ways in that were asked for."""
    op.create_table(
        "access_asked",
        sa.Column("way", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("asked_by", sa.String(length=40), nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("way", "name", "asked_by"),
    )
    with op.batch_alter_table("access_asked", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_access_asked_owner"), ["owner"], unique=False)
