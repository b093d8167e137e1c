"""Who may record what lets more leave: a rights officer, by an authority that is written down.

Source: security point 16; UK GDPR Art 5(2).
"""

from __future__ import annotations

from gateway.errors import RefusedError
from gateway.model.permissions import Action, Operator, authorise
from gateway.objections.entries import MAY_LOOSEN, Authority


def require_may_loosen(officer: Operator | None, authority: Authority) -> None:
    """Refuse what lets more leave without a rights officer and a recorded authority.

    Raises:
        RefusedError: nobody is named, they may not, or it is not theirs to lift.
    """
    if officer is None:
        raise RefusedError(
            "objections/needs-officer",
            "What lets more leave is recorded by a rights officer.",
            remedy="Name the rights officer with --as.",
        )
    authorise(officer, Action.OBJECTION_LOOSEN)
    if authority not in MAY_LOOSEN:
        raise RefusedError(
            "objections/authority",
            "A partner's extract may add an objection, never lift one.",
            remedy="Record the authority of the person, their representative or an officer.",
        )
