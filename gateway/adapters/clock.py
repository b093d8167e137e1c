"""Whether the machine's clock can be believed: it is never earlier than what was signed here.

Agreements, retention and days of destruction are judged by the clock. One that has gone
back would let an agreement that has ended be used again, so nothing leaves meanwhile.

Source: security point 22; docs/adr/0319-nothing-leaves-while-the-clock-is-behind.md.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import sqlalchemy as sa

from gateway.adapters import ledger_store
from gateway.errors import Unavailable

SLACK: Final = dt.timedelta(minutes=5)
BEHIND: Final = "clock/behind"
REMEDY: Final = (
    "Set the clock (timedatectl); it goes on by itself. If it is right now and was ahead before, "
    "an auditor's `gateway ledger checkpoint --as NAME` says so."
)


def is_behind(connection: sa.Connection, *, at: dt.datetime) -> bool:
    """Whether the newest checkpoint was signed at a later time than this."""
    last = ledger_store.last_checkpoint(connection)
    return last is not None and last.checkpoint.at > at + SLACK


def require_present(connection: sa.Connection, *, at: dt.datetime) -> None:
    """Let nothing leave while the clock is behind.

    Raises:
        Unavailable: `clock/behind`.
    """
    if is_behind(connection, at=at):
        raise Unavailable(
            "clock/behind",
            "This machine's clock is earlier than the newest checkpoint; nothing leaves.",
            remedy=REMEDY,
        )
