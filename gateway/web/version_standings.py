"""What became of each version of an agreement that was proposed, and of the draft behind it.

Source: docs/reference/policy.md, "Life of a version"; UK GDPR Art 5(2).
"""

from __future__ import annotations

import sqlalchemy as sa

from gateway.adapters import policy_versions, policy_waiting
from gateway.adapters.policy_drafts import Draft, DraftState
from gateway.adapters.policy_versions import Version

Standing = tuple[Version, str]


def of(connection: sa.Connection, agreement: str) -> tuple[Standing, ...]:
    """Every version, newest first, with what it is now.

    That is "approved", "later" (it waits for its first day), "waiting" (for approvers),
    "replaced" or "withdrawn".
    """
    found = policy_versions.versions(connection, agreement)
    later = policy_waiting.of(connection, agreement)
    standing = [each for each in found if not each.withdrawn]
    newest = next((each.number for each in standing if each.complete and not each.begins), 0)
    waits = later.proposal.number if later else 0
    last = standing[0].number if standing else 0
    return tuple((each, _standing(each, newest=newest, last=last, waits=waits)) for each in found)


def of_draft(connection: sa.Connection, draft: Draft) -> Standing | None:
    """The version that was proposed from a draft; none while it is written, or once dropped."""
    if draft.state is not DraftState.PROPOSED:
        return None
    made = policy_versions.made_from(connection, draft)
    every = of(connection, draft.agreement)
    return next((each for each in every if made and each[0].number == made.number), None)


def _standing(version: Version, *, newest: int, last: int, waits: int) -> str:
    """What a version is now: only the last that was proposed can still be signed."""
    if version.withdrawn:
        return "withdrawn"
    if not version.complete:
        return "waiting" if version.number == last else "replaced"
    if version.number == waits:
        return "later"
    return "approved" if version.number == newest else "replaced"
