"""The table of doubtful matches; what is done with it stands in `register_queue`.

Source: security point 16.
"""

from __future__ import annotations

import sqlalchemy as sa

from gateway.adapters.database import METADATA

OPEN = "open"

MATCHES = sa.Table(
    "register_matches",
    METADATA,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("entry", sa.BigInteger, nullable=False),
    sa.Column("receipt", sa.String(40), nullable=False),
    sa.Column("controller", sa.String(40), nullable=False),
    sa.Column("purpose", sa.String(60), nullable=False),
    sa.Column("dataset", sa.String(60), nullable=False),
    sa.Column("extracts", sa.Text, nullable=False),
    sa.Column("release", sa.String(60), nullable=False),
    sa.Column("because", sa.Text, nullable=False),
    sa.Column("day", sa.String(10), nullable=False),
    sa.Column("reference", sa.String(32), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("settled", sa.String(10), nullable=False),
    sa.Column("settled_by", sa.String(40), nullable=False),
)
