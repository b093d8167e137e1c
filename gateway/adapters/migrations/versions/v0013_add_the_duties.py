"""Add the duties of recipients, and the certificates that an inbox gave."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

DESTROY_BY = "destroy-by "


def upgrade() -> None:
    """Add both tables, and the duty on each package that was recorded before."""
    _certificates()
    _duties()
    _known_before()


def _certificates() -> None:
    op.create_table(
        "inbox_certificates",
        sa.Column("sender", sa.String(length=64), nullable=False),
        sa.Column("package", sa.String(length=64), nullable=False),
        sa.Column("destroyed", sa.String(length=10), nullable=False),
        sa.Column("unreadable_after", sa.String(length=10), nullable=False),
        sa.Column("by", sa.String(length=60), nullable=False),
        sa.Column("certified", sa.String(length=40), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sender", "package"),
    )


def _duties() -> None:
    op.create_table(
        "duties",
        sa.Column("package", sa.String(length=60), nullable=False),
        sa.Column("release", sa.String(length=60), nullable=False),
        sa.Column("recipient", sa.String(length=60), nullable=False),
        sa.Column("destroy_by", sa.String(length=10), nullable=False),
        sa.Column("destroyed", sa.String(length=10), nullable=False),
        sa.Column("unreadable_after", sa.String(length=10), nullable=False),
        sa.Column("certified", sa.String(length=40), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("certificate_digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["package"],
            ["packages.id"],
        ),
        sa.PrimaryKeyConstraint("package"),
    )
    with op.batch_alter_table("duties", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_duties_destroy_by"), ["destroy_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_duties_release"), ["release"], unique=False)


def _known_before() -> None:
    """A package's day stands in its manifest; one without a core has no day that we know."""
    names = ("id", "release", "recipient", "manifest")
    packages = sa.table("packages", *(sa.column(name) for name in names))
    empty = ("destroyed", "unreadable_after", "certified", "certificate", "certificate_digest")
    filled = ("package", "release", "recipient", "destroy_by")
    duties = sa.table("duties", *(sa.column(name) for name in (*filled, *empty)))
    for row in op.get_bind().execute(sa.select(packages)).all():
        told = {"package": row.id, "release": row.release, "recipient": row.recipient}
        told |= {"destroy_by": _day(json.loads(row.manifest))}
        op.get_bind().execute(duties.insert().values(**told, **dict.fromkeys(empty, "")))


def _day(manifest: dict[str, Any]) -> str:
    owed = manifest.get("core", {}).get("duties", ())
    days = (duty.removeprefix(DESTROY_BY) for duty in owed if duty.startswith(DESTROY_BY))
    return next(days, "")
