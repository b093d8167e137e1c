"""Who wrote or signed an agreement lets nothing out under it.

Source: security point 3.
"""

from __future__ import annotations

import sqlalchemy as sa

from gateway.adapters import policy_store
from gateway.errors import RefusedError
from gateway.model.permissions import Operator


def require_apart_from_policy(connection: sa.Connection, officer: Operator, digest: str) -> None:
    """Nobody releases under an agreement that they edited or approved.

    Raises:
        RefusedError: `operators/not-apart`.
    """
    if officer.name in policy_store.actors(connection, digest):
        raise RefusedError(
            "operators/not-apart",
            "A release is run by someone who neither edited nor approved its agreement.",
            remedy="Ask another release officer.",
        )
