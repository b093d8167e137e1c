"""Our own access tokens: signed statements of who a machine is, never of what it may do.

They live ten minutes at most and are read by the same strict reader as the
assertions that they are given for. A token names a client; its roles and its
registration are read from the table at each request.

Source: RFC 9068 (JWT profile for access tokens); RFC 6750; security points 4, 9.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from sqlalchemy import Connection

from gateway.adapters import clients
from gateway.adapters.assertions import Expected, read, write
from gateway.adapters.web_keys import WebKeys

LIFE = dt.timedelta(minutes=10)
TYPE = "at+jwt"
TOKEN_PATH = "/oauth/token"
API_PATH = "/api/v1"
ASSERTION_TYPE = "client-authentication+jwt"
ASSERTION_LIFE = dt.timedelta(seconds=300)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenDesk:
    """What gives and verifies access tokens for the service at one public address."""

    keys: WebKeys = field(repr=False)
    address: str

    def give(self, client: str, *, jti: str, at: dt.datetime) -> str:
        """Sign an access token for a client that has proved itself."""
        key = self.keys.token_keys(at)[0]
        begins = int(at.timestamp())
        claims: dict[str, str | int] = {
            "iss": self.address,
            "sub": client,
            "aud": self.address + API_PATH,
            "client_id": client,
            "jti": jti,
            "iat": begins,
            "nbf": begins,
            "exp": begins + int(LIFE.total_seconds()),
        }
        return write(key.secret, claims, typ=TYPE, kid=key.kid)

    def client_of(
        self, connection: Connection, token: str, *, at: dt.datetime
    ) -> clients.Client | None:
        """The client in force that a token was given to; nothing whatever is wrong."""
        known = {key.kid: key.public for key in self.keys.token_keys(at)}
        claims = read(token, self._expected(), key_of=known.get, at=at)
        if claims is None or claims.issuer != self.address:
            return None
        if claims.more["client_id"] != claims.subject:
            return None
        found = clients.find(connection, claims.subject)
        return found if found is not None and not found.revoked else None

    def proved(
        self, connection: Connection, assertion: str, named: str | None = None, *, at: dt.datetime
    ) -> clients.Client | None:
        """The client that an assertion proves, taken once; nothing whatever is wrong.

        Args:
            connection: in a transaction, which remembers that the assertion was used.
            assertion: what was sent; any text.
            named: the `client_id` beside it; it has to be the same client's.
            at: now.
        """
        expected = Expected(
            typ=ASSERTION_TYPE, audience=self.address + TOKEN_PATH, life=ASSERTION_LIFE
        )
        owners: dict[str, clients.Client] = {}

        def key_of(kid: str) -> bytes | None:
            owner = clients.of_key(connection, kid)
            if owner is None:
                return None
            owners[kid] = owner
            return dict(owner.keys)[kid]

        claims = read(assertion, expected, key_of=key_of, at=at)
        if claims is None:
            return None
        owner = owners[claims.kid]
        if not claims.issuer == claims.subject == owner.id or named not in (None, owner.id):
            return None
        clients.forget_spent(connection, at=at - ASSERTION_LIFE)
        taken = clients.spend(connection, owner.id, claims.jti, until=claims.expires)
        return owner if taken else None

    def _expected(self) -> Expected:
        return Expected(
            typ=TYPE,
            audience=self.address + API_PATH,
            life=LIFE,
            members=frozenset({"client_id"}),
        )


def assertion(
    secret: bytes, *, client: str, kid: str, address: str, jti: str, at: dt.datetime
) -> str:
    """Write what a client's machine sends to prove itself; it is taken once, within two minutes."""
    begins = int(at.timestamp())
    claims: dict[str, str | int] = {
        "iss": client,
        "sub": client,
        "aud": address + TOKEN_PATH,
        "jti": jti,
        "iat": begins,
        "nbf": begins,
        "exp": begins + 120,
    }
    return write(secret, claims, typ=ASSERTION_TYPE, kid=kid)
