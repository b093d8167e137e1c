"""Add the deliveries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


# Packages that were made before went to folders.
_OF_PACKAGES = """
INSERT INTO deliveries (
    package, "release", recipient, channel, target, state, touched, attempts, next_at, until,
    last_code, created, dispatched_at, acknowledged_at, receipt, receipt_digest
)
SELECT
    id, "release", recipient, 'folder', '{}',
    CASE WHEN forwarded = '' THEN 'waiting' ELSE 'dispatched' END,
    CASE WHEN forwarded = '' THEN 0 ELSE 1 END,
    0, '', '', '', forwarded, forwarded, '', '', ''
FROM packages
"""


def upgrade() -> None:
    """Add the deliveries, the inbox, and what both believe."""
    _descriptors()
    _inbox()
    _deliveries()
    op.execute(_OF_PACKAGES)


def _descriptors() -> None:
    op.create_table(
        "descriptors",
        sa.Column("use", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("sender", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("added", sa.String(length=40), nullable=False),
        sa.Column("added_by", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("use", "name", "sender"),
    )


def _inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("sender", sa.String(length=64), nullable=False),
        sa.Column("package", sa.String(length=64), nullable=False),
        sa.Column("party", sa.String(length=60), nullable=False),
        sa.Column("by", sa.String(length=60), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("recipient_key", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("arrived", sa.String(length=40), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.Column("acknowledged", sa.String(length=40), nullable=False),
        sa.Column("opened", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("sender", "package"),
    )
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_inbox_party"), ["party"], unique=False)


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("package", sa.String(length=60), nullable=False),
        sa.Column("release", sa.String(length=60), nullable=False),
        sa.Column("recipient", sa.String(length=60), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("touched", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.String(length=40), nullable=False),
        sa.Column("until", sa.String(length=40), nullable=False),
        sa.Column("last_code", sa.String(length=120), nullable=False),
        sa.Column("created", sa.String(length=40), nullable=False),
        sa.Column("dispatched_at", sa.String(length=40), nullable=False),
        sa.Column("acknowledged_at", sa.String(length=40), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.Column("receipt_digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["package"],
            ["packages.id"],
        ),
        sa.PrimaryKeyConstraint("package"),
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deliveries_recipient"), ["recipient"], unique=False)
        batch_op.create_index(batch_op.f("ix_deliveries_release"), ["release"], unique=False)
