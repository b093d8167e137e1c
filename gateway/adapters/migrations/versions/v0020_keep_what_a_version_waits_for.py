"""Keep the first day that an approved version waits for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Keep the first day that an approved version waits for."""
    op.add_column("policy_proposals", sa.Column("begins", sa.String(length=10), nullable=True))
