"""A small OpenID Connect provider: the outside world that staff sign in at.

It really signs, really keeps codes and really checks PKCE; `faults` lets it lie in one way.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from werkzeug.serving import make_server

CLIENT_ID, CLIENT_SECRET = "gateway", "a-secret-of-the-client"


@dataclass
class TestProvider:
    """One provider: who signs in there next, and in which way it lies."""

    __test__ = False
    subject: str = "4f1c9e"
    issuer: str = ""
    fault: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1"}))
    other: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1"}))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def application(self) -> Flask:
        app = Flask("provider")
        app.add_url_rule("/.well-known/openid-configuration", view_func=self.described)
        app.add_url_rule("/authorize", view_func=self.authorize)
        app.add_url_rule("/token", view_func=self.token, methods=["POST"])
        app.add_url_rule("/keys", view_func=self.keys)
        return app

    def described(self) -> Any:
        issuer = "https://elsewhere.example" if self.fault == "issuer" else self.issuer
        return jsonify(
            issuer=issuer,
            authorization_endpoint=f"{self.issuer}/authorize",
            token_endpoint=f"{self.issuer}/token",
            jwks_uri=f"{self.issuer}/keys",
        )

    def authorize(self) -> Any:
        """The person signs in at once, and the browser goes back with a code."""
        asked = request.args.to_dict()
        assert asked["response_type"] == "code"
        assert asked["scope"] == "openid"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        state = "another" if self.fault == "state" else asked["state"]
        return redirect(f"{asked['redirect_uri']}?code={code}&state={state}")

    def token(self) -> Any:
        asked = self.codes.pop(request.form.get("code", ""), None)
        digest = hashlib.sha256(request.form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        basic = request.authorization
        known = basic is not None and (basic.username, basic.password) == (CLIENT_ID, CLIENT_SECRET)
        if asked is None or challenge != asked["code_challenge"] or not known:
            return jsonify(error="invalid_grant"), 400
        return jsonify(access_token="x", token_type="Bearer", id_token=self.id_token(asked))

    def id_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": CLIENT_ID,
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 60,
        }
        lies: dict[str, dict[str, Any]] = {
            "audience": {"aud": "another-client"},
            "nonce": {"nonce": "another"},
            "expired": {"iat": now - 900, "exp": now - 600},
            "token issuer": {"iss": "https://elsewhere.example"},
            "subject": {"sub": ""},
            "parties": {"aud": [CLIENT_ID, "x"], "azp": "x"},
        }
        key = self.other if self.fault == "key" else self.key
        signed = jwt.encode(
            {"alg": "RS256", "kid": "k1"}, {**claims, **lies.get(self.fault, {})}, key
        )
        if self.fault == "unsigned":
            head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
            return f"{head}.{signed.split('.')[1]}."
        return signed

    def keys(self) -> Any:
        return jsonify(KeySet([self.key]).as_dict(private=False))


@contextlib.contextmanager
def running() -> Iterator[TestProvider]:
    """A provider on a free port of this machine."""
    provider = TestProvider()
    server = make_server("127.0.0.1", 0, provider.application(), threaded=True)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
