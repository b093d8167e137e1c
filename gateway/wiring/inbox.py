"""The inbox of a data directory.

Source: docs/how-to/deliver-packages.md.
"""

from __future__ import annotations

from gateway.adapters.database import Database
from gateway.adapters.inbox import Inbox
from gateway.adapters.settings import Settings
from gateway.wiring.common import append, now


def inbox_of(settings: Settings, database: Database) -> Inbox:
    """Where other gateways' packages arrive."""
    return Inbox(
        folder=settings.data / "inbox",
        database=database,
        append=append,
        now=now,
        longest=settings.upload_max_mib << 20,
    )
