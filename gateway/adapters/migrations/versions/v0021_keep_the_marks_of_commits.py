"""Keep the marks that say whether a commit was kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Keep the marks that say whether a commit was kept."""
    op.create_table(
        "commit_marks",
        sa.Column("session", sa.String(length=32), nullable=False),
        sa.Column("mark", sa.String(length=32), nullable=False),
        sa.Column("left_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("session"),
    )
    with op.batch_alter_table("commit_marks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_commit_marks_left_at"), ["left_at"], unique=False)
