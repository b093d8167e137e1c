"""Find the entries of an event without reading the whole ledger."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Find the entries of an event without reading the whole ledger."""
    op.create_index("ix_ledger_leaves_event", "ledger_leaves", ["event"])
