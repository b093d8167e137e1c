"""A release that is held because it was unusual, as pages show it.

Source: docs/explanation/disclosure.md, "The tripwire".
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from gateway.adapters.release_acceptance import acceptors
from gateway.adapters.release_store import ReleaseRecord, ReleaseState
from gateway.model.permissions import Action, permits
from gateway.web.callers import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What was unusual, whether somebody accepted it, and what this caller may do."""

    sentences: tuple[tuple[str, str], ...]
    accepted_by: str
    accepted: str
    because: str
    may_accept: bool
    may_run: bool
    own: bool


def held(connection: sa.Connection, release: ReleaseRecord, caller: Caller) -> Held | None:
    """How a release is held; nothing if it is not, or for another reason.

    Args:
        connection: any.
        release: the release.
        caller: who looks at it; whoever ran it does not accept it.
    """
    record = release.record
    if release.state is not ReleaseState.HELD or "alarms" not in record:
        return None
    own = caller.name == release.officer
    accepted = str(record.get("accepted_by", ""))
    return Held(
        sentences=tuple(
            dict.fromkeys((alarm["code"], alarm["sentence"]) for alarm in record["alarms"])
        ),
        accepted_by=accepted,
        accepted=str(record.get("accepted", "")),
        because=str(record.get("accepted_because", "")),
        may_accept=not (own or accepted)
        and caller.name in acceptors(connection, release.agreement),
        may_run=bool(accepted and permits(Action.RELEASE, caller.roles)),
        own=own,
    )
