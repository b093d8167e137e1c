"""Add the roles that were asked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the roles that were asked for."""
    op.create_table(
        "operator_roles_asked",
        sa.Column("operator", sa.String(length=40), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("controller", sa.String(length=40), nullable=False),
        sa.Column("asked_by", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator"],
            ["operators.name"],
        ),
        sa.PrimaryKeyConstraint("operator", "role", "controller"),
    )
