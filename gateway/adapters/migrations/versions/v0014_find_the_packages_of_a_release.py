"""Find the packages of a release."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Find the packages of a release."""
    op.create_index("ix_packages_release", "packages", ["release"])
