"""Keep who wrote a proposal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Keep who wrote a proposal."""
    op.add_column("policy_proposals", sa.Column("writers", sa.Text(), nullable=True))
