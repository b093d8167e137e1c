"""A release that is held because it was unusual, as pages show it.

Source: docs/explanation/disclosure.md, "The tripwire".
"""

from __future__ import annotations

from dataclasses import dataclass

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


def held(release: ReleaseRecord, caller: Caller) -> Held | None:
    """How a release is held; nothing if it is not, or for another reason.

    Args:
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
        may_accept=not (own or accepted) and bool(permits(Action.RELEASE_ACCEPT, caller.roles)),
        may_run=bool(accepted and permits(Action.RELEASE, caller.roles)),
        own=own,
    )
