"""Keep what was taken out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Keep what was taken out."""
    op.create_table(
        "policy_removals",
        sa.Column("proposal", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("removed", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["digest"],
            ["policy_texts.digest"],
        ),
        sa.ForeignKeyConstraint(
            ["proposal"],
            ["policy_proposals.id"],
        ),
        sa.PrimaryKeyConstraint("proposal", "path"),
    )
