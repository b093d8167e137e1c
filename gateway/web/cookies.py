"""The cookies of the service: one for the visitor's session, one for a sign-in elsewhere.

Over https they have the `__Host-` prefix, so that no other host of the domain can
set them; scripts cannot read them; other sites' requests do not carry them.

Source: RFC 6265bis; OWASP ASVS 5.0, V3.3.
"""

from __future__ import annotations

import secrets

from flask import Request
from werkzeug.wrappers import Response

from gateway.web.desk import desk

SESSION = "gateway-session"
ELSEWHERE = "gateway-elsewhere"


def fresh() -> str:
    """A random value for a cookie."""
    return secrets.token_urlsafe(32)


def read(request: Request, name: str) -> str | None:
    """The value that a browser sent, if it can be one of ours."""
    value = request.cookies.get(_named(name), "")
    return value if 20 <= len(value) <= 100 else None


def put(answer: Response, name: str, value: str, *, lax: bool = False) -> None:
    """Let the browser keep a cookie until it is closed."""
    answer.set_cookie(
        _named(name),
        value,
        path="/",
        secure=_secure(),
        httponly=True,
        samesite="Lax" if lax else "Strict",
    )


def drop(answer: Response, name: str) -> None:
    """Let the browser forget a cookie."""
    answer.delete_cookie(_named(name), path="/", secure=_secure(), httponly=True, samesite="Strict")


def set_by(answer: Response, name: str) -> bool:
    """Whether an answer sets or drops this cookie already."""
    return any(line.startswith(f"{_named(name)}=") for line in answer.headers.getlist("Set-Cookie"))


def _secure() -> bool:
    return desk().settings.public_url.startswith("https://")


def _named(name: str) -> str:
    return f"__Host-{name}" if _secure() else name
