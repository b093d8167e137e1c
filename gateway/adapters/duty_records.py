"""The table of duties: by when each package is to be destroyed, and who has certified it.

Source: R60; security points 8 and 15; docs/how-to/deliver-packages.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from gateway.adapters.database import METADATA

DESTROY_BY = "destroy-by "

DUTIES = sa.Table(
    "duties",
    METADATA,
    sa.Column("package", sa.String(60), sa.ForeignKey("packages.id"), primary_key=True),
    sa.Column("release", sa.String(60), nullable=False, index=True),
    sa.Column("recipient", sa.String(60), nullable=False),
    sa.Column("destroy_by", sa.String(10), nullable=False, index=True),
    sa.Column("destroyed", sa.String(10), nullable=False),
    sa.Column("unreadable_after", sa.String(10), nullable=False),
    sa.Column("certified", sa.String(40), nullable=False),
    sa.Column("certificate", sa.Text, nullable=False),
    sa.Column("certificate_digest", sa.String(64), nullable=False),
)


def owe(
    connection: sa.Connection,
    package: str,
    *,
    release: str,
    recipient: str,
    manifest: Mapping[str, Any],
) -> None:
    """Write down what a package's recipient will owe, in the transaction that records it."""
    row = dict.fromkeys((column.name for column in DUTIES.columns), "")
    row |= {"package": package, "release": release, "recipient": recipient}
    row |= {"destroy_by": destroy_by(manifest)}
    connection.execute(DUTIES.insert().values(**row))


def destroy_by(manifest: Mapping[str, Any]) -> str:
    """The last day that a kept manifest gives for destroying; empty where it gives none."""
    duties = manifest.get("core", {}).get("duties", ())
    days = (duty.removeprefix(DESTROY_BY) for duty in duties if duty.startswith(DESTROY_BY))
    return next(days, "")
