"""Versions of agreements take their place on their first day, whoever looks first.

Source: docs/reference/policy.md, "Life of a version"; docs/adr/0344.
"""

from __future__ import annotations

import datetime as dt

from gateway.adapters import backup, clock, policy_waiting
from gateway.adapters.database import Database
from gateway.adapters.keyring import KeyRing
from gateway.adapters.policy_shelf import policy_desk
from gateway.adapters.settings import Settings
from gateway.workflows import begin
from gateway.workflows.ports_policy import Proposal


def begin_due(
    settings: Settings, database: Database, ring: KeyRing, *, at: dt.datetime
) -> tuple[Proposal, ...]:
    """Let the versions begin whose first day has come; those that began now.

    None does while a restored directory is in hold, since a withdrawal may have come
    after the backup, nor while the clock cannot be believed.
    """
    if backup.held_since_restore(settings.data) is not None:
        return ()
    with database.read() as connection:
        found = policy_waiting.waiting(connection)
        due = any(each.holds and each.starts <= at.date() for each in found)
        if not due or clock.is_behind(connection, at=at):
            return ()
    return begin.begin_due(policy_desk(ring, database, acting="", at=at))
