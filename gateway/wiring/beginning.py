"""Versions of agreements take their place on their first day, whoever looks first.

Source: docs/reference/policy.md, "Life of a version"; docs/adr/0344.
"""

from __future__ import annotations

import datetime as dt

from gateway.adapters import policy_waiting
from gateway.adapters.database import Database
from gateway.adapters.keyring import KeyRing
from gateway.adapters.policy_shelf import policy_desk
from gateway.workflows import begin
from gateway.workflows.ports_policy import Proposal


def begin_due(database: Database, ring: KeyRing, *, at: dt.datetime) -> tuple[Proposal, ...]:
    """Let the versions begin whose first day has come; those that began now."""
    with database.read() as connection:
        if not policy_waiting.waiting(connection):
            return ()
    return begin.begin_due(policy_desk(ring, database, acting="", at=at))
