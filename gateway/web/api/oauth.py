"""Access tokens for machines, and the public keys that verify what this gateway signs.

A machine proves itself by `private_key_jwt`. Whatever is wrong with a request for a
token, the answer is one and the same: who forges learns nothing from how it failed.

Source: RFC 6749 section 4.4; RFC 7523; RFC 7517; RFC 8414; security point 9.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, request

from gateway.adapters import sign_in_limits
from gateway.adapters.access_tokens import LIFE, TOKEN_PATH, TokenDesk
from gateway.adapters.assertions import ALGORITHM, LARGEST, encoded
from gateway.adapters.clients import Client
from gateway.adapters.keyring import open_ring
from gateway.adapters.keyring_signing import raw_public
from gateway.model.keys import KeyKind
from gateway.web.desk import desk
from gateway.web.guards import open_to_all
from gateway.web.signing_in import sign_in_desk

api = Blueprint("oauth", __name__)

GRANT = "client_credentials"
BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_FIELDS = frozenset({"grant_type", "client_assertion_type", "client_assertion"})
_LARGEST_FORM = LARGEST + 1024
_REFUSED = json.dumps({"error": "invalid_client"})


@api.post(TOKEN_PATH)
@open_to_all("machines prove themselves here by a signed assertion")
def token() -> Response:
    """Give an access token to a client that proves itself."""
    now = desk().now()
    client = _proved()
    if client is None:
        return _answer(_REFUSED, 401)
    given = sign_in_desk().tokens.give(client.id, jti=desk().new_id(), at=now)
    life = int(LIFE.total_seconds())
    return _answer(
        json.dumps({"access_token": given, "token_type": "Bearer", "expires_in": life}), 200
    )


@api.get("/.well-known/jwks.json")
@open_to_all("public keys, for whoever verifies what this gateway signs")
def jwks() -> Response:
    """Publish every public key that verifies something of this gateway."""
    at = desk().now()
    keys = [_jwk(key.kid, key.public, "access-token") for key in _tokens().keys.token_keys(at)]
    ring = open_ring(desk().settings)
    for kind in (KeyKind.PACKAGE_SIGNING, KeyKind.LEDGER_SIGNING):
        keys += [
            _jwk(record.id, raw_public(record.public), kind.value)
            for record in ring.verifying_keys(kind)
        ]
    answer = Response(json.dumps({"keys": keys}), mimetype="application/jwk-set+json")
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


@api.get("/.well-known/oauth-authorization-server")
@open_to_all("public description of how machines get access tokens")
def description() -> Response:
    """Describe how machines get access tokens (RFC 8414)."""
    address = desk().settings.public_url
    told = {
        "issuer": address,
        "token_endpoint": address + TOKEN_PATH,
        "jwks_uri": address + "/.well-known/jwks.json",
        "grant_types_supported": [GRANT],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": [ALGORITHM],
    }
    answer = Response(json.dumps(told), mimetype="application/json")
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


def _proved() -> Client | None:
    """The client that this request proves; a failure is counted for its network."""
    assertion = _assertion()
    at = desk().now()
    key = sign_in_desk().keys.subkey("token-tries")
    mark = sign_in_limits.network_mark(key, request.remote_addr or "")
    with desk().database.begin() as connection:
        tried = sign_in_limits.tries(connection, mark, at=at)
        if assertion is not None and tried < sign_in_limits.PER_NETWORK:
            client = _tokens().proved(connection, *assertion, at=at)
            if client is not None:
                return client
        sign_in_limits.count(connection, mark, at=at)
    return None


def _assertion() -> tuple[str, str | None] | None:
    """The assertion of a well-formed request, and the `client_id` if it names one.

    Each field is there exactly once and nothing beside; RFC 7521 section 4.2 lets a client
    name itself as well.
    """
    length = request.content_length
    if request.mimetype != "application/x-www-form-urlencoded" or request.args:
        return None
    if length is None or length > _LARGEST_FORM:
        return None
    form = request.form.to_dict(flat=False)
    if form.keys() - {"client_id"} != _FIELDS or any(len(values) != 1 for values in form.values()):
        return None
    if form["grant_type"] != [GRANT] or form["client_assertion_type"] != [BEARER]:
        return None
    named = form.get("client_id")
    return form["client_assertion"][0], named[0] if named else None


def _jwk(kid: str, public: bytes, meant_for: str) -> dict[str, Any]:
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": encoded(public),
        "kid": kid,
        "use": "sig",
        "alg": ALGORITHM,
        "gateway_use": meant_for,
    }


def _tokens() -> TokenDesk:
    return sign_in_desk().tokens


def _answer(body: str, status: int) -> Response:
    answer = Response(body, status, mimetype="application/json")
    answer.headers["Cache-Control"] = "no-store"
    return answer
