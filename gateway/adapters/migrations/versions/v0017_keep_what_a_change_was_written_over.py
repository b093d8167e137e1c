"""Keep what a change was written over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Keep what a change was written over."""
    op.add_column("policy_changes", sa.Column("base", sa.String(length=64), nullable=True))
