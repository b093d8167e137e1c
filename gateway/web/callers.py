"""Who is asking: a person with a session or a machine with an access token, read anew each time.

Roles come from the tables at each request, never from a token or a cookie: a
revoked role ends with the next request.

Source: security points 1-4; docs/explanation/service.md, "Callers".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from flask import Request

from gateway.model.permissions import Owing
from gateway.model.words import PartyRole


class Realm(StrEnum):
    """How a caller came in."""

    PERSON = "person"  # session cookie; forms carry a CSRF token
    MACHINE = "machine"  # bearer access token of a registered client


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody who is known now.

    `name` is the operator's name for the council's own staff, the account or client
    id for partners and recipients; `party` is the organisation of `policies/` they
    belong to ("" for the council's own); `roles` are those held at this request, and
    `owes` whether they have the reason of an emergency disclosure to file.
    """

    name: str
    party: str
    roles: frozenset[PartyRole]
    realm: Realm
    owes: Owing = Owing.NOTHING


Identifier = Callable[[Request], Caller | None]
