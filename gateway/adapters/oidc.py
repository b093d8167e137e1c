"""Signing staff in at an OpenID Connect provider: whose `sub` it is, and nothing more.

Authorization code flow with PKCE, state and nonce. The provider's answer is taken
only if everything about it holds; what comes of it is one text, which an
administrator has bound to an account. No account is ever made from it, and no
name or address of a person is asked for.

Source: OpenID Connect Core 1.0, section 3.1; OpenID Connect Discovery 1.0; RFC 7636; RFC 9700.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from gateway.adapters import keyring_files as files
from gateway.adapters.settings import Settings
from gateway.adapters.sign_ins_elsewhere import UnderWay
from gateway.errors import Unavailable, UsageError

BACK = "/sign-in/elsewhere/back"
SIGNED_BY = ("RS256", "PS256", "ES256", "EdDSA")
PATIENCE_SECONDS = 10
_DISCOVERY = "/.well-known/openid-configuration"
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """An OpenID Connect provider of the settings."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    back: str

    def begun(self, goal: str) -> tuple[str, UnderWay]:
        """Where to send the browser, and what has to come back with it.

        Raises:
            Unavailable: the provider does not answer as one.
        """
        asked = UnderWay(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            goal=goal,
        )
        with self._session() as session:
            described = self._described(session)
            url, _ = session.create_authorization_url(
                described["authorization_endpoint"],
                state=asked.state,
                nonce=asked.nonce,
                code_verifier=asked.verifier,
            )
        return str(url), asked

    def subject(self, answer: Mapping[str, str], asked: UnderWay, *, at: dt.datetime) -> str | None:
        """Who the provider says has signed in; nothing if anything is wrong.

        Args:
            answer: the parameters with which the browser came back.
            asked: what this browser had asked.
            at: the time now.

        Raises:
            Unavailable: the provider does not answer as one.
        """
        code, state = answer.get("code", ""), answer.get("state", "")
        if not code or not secrets.compare_digest(state.encode(), asked.state.encode()):
            return None
        if answer.get("iss", self.issuer) != self.issuer:  # RFC 9207: another provider's answer
            return None
        with self._session() as session:
            described = self._described(session)
            token = self._id_token(session, described["token_endpoint"], code, asked)
            keys = _json(session, described["jwks_uri"])
        return self._subject(token, keys, asked, at) if token else None

    def _session(self) -> Any:
        from authlib.integrations.requests_client import OAuth2Session

        session = OAuth2Session(
            self.client_id,
            self.client_secret,
            scope="openid",
            redirect_uri=self.back,
            code_challenge_method="S256",
            default_timeout=PATIENCE_SECONDS,
        )
        session.max_redirects = 0
        return session

    def _described(self, session: Any) -> Mapping[str, Any]:
        described = _json(session, self.issuer.rstrip("/") + _DISCOVERY)
        wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if described.get("issuer") != self.issuer or not all(
            _is_safe(described.get(name)) for name in wanted
        ):
            raise _not_a_provider("its description is another's or is not whole")
        return described

    def _id_token(self, session: Any, endpoint: str, code: str, asked: UnderWay) -> str | None:
        import requests
        from authlib.common.errors import AuthlibBaseError

        try:
            told = session.fetch_token(
                endpoint,
                grant_type="authorization_code",
                code=code,
                code_verifier=asked.verifier,
                redirect_uri=self.back,
            )
        except AuthlibBaseError:
            return None  # the provider knows no such code
        except (requests.RequestException, ValueError) as fault:
            raise _not_a_provider(type(fault).__name__) from None
        token = told.get("id_token")
        return token if isinstance(token, str) else None

    def _subject(
        self, token: str, keys: Mapping[str, Any], asked: UnderWay, at: dt.datetime
    ) -> str | None:
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        options = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self.client_id},
        }
        try:
            read = jwt.decode(token, KeySet.import_key_set(keys), algorithms=list(SIGNED_BY))  # type: ignore[arg-type]
            claims = CodeIDToken(
                read.claims,
                read.header,
                options,
                {"nonce": asked.nonce, "client_id": self.client_id},
            )
            claims.validate(now=int(at.timestamp()), leeway=30)
        except (JoseError, ValueError, TypeError, KeyError):
            return None
        subject = claims["sub"]
        return subject if isinstance(subject, str) and 0 < len(subject) <= 200 else None


def provider_of(settings: Settings) -> Provider | None:
    """The provider of the settings, if there is one.

    Raises:
        UsageError: it is named in part, or not reached by https.
        Unavailable: its client secret cannot be read safely.
    """
    if not settings.oidc_issuer:
        return None
    if not settings.oidc_client_id or settings.oidc_client_secret_file is None:
        raise UsageError(
            "settings/provider-in-part",
            "GATEWAY_OIDC_ISSUER is set without GATEWAY_OIDC_CLIENT_ID and "
            "GATEWAY_OIDC_CLIENT_SECRET_FILE.",
            remedy="Set all three, or none.",
        )
    if importlib.util.find_spec("authlib") is None:
        raise UsageError(
            "settings/provider-extra",
            "An OpenID Connect provider is set, and the part that speaks with it is not installed.",
            remedy="Install the gateway with its extra: pip install 'gateway[oidc]'.",
        )
    if not _is_safe(settings.oidc_issuer):
        raise UsageError(
            "settings/provider-not-https",
            "GATEWAY_OIDC_ISSUER is not an https address.",
            remedy="Set the issuer exactly as the provider states it.",
        )
    secret = files.read_safely(settings.oidc_client_secret_file)
    return Provider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=secret.decode("ascii", "replace").strip(),
        back=settings.public_url + BACK,
    )


def _json(session: Any, url: str) -> Mapping[str, Any]:
    import requests

    try:
        answer = session.get(url, withhold_token=True)
        answer.raise_for_status()
        told = answer.json()
    except (requests.RequestException, ValueError) as fault:
        raise _not_a_provider(type(fault).__name__) from None
    if not isinstance(told, dict):
        raise _not_a_provider("its answer is no document")
    return told


def _is_safe(url: object) -> bool:
    """Whether an address is https, or this machine itself."""
    if not isinstance(url, str):
        return False
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)


def _not_a_provider(why: str) -> Unavailable:
    return Unavailable(
        "accounts/provider",
        f"The OpenID Connect provider does not answer as one ({why}).",
        remedy="Sign in with login and password, or try again later.",
    )
