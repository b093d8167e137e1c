"""Headers of every answer: a strict content policy, nothing cached, nothing from elsewhere.

Source: OWASP Secure Headers; MDN, Content-Security-Policy.
"""

from __future__ import annotations

from flask import Flask, Response

from gateway.web.desk import desk

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def install(app: Flask) -> None:
    """Put the headers on every answer."""
    app.after_request(_protected)


def _protected(answer: Response) -> Response:
    answer.headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    answer.headers["X-Frame-Options"] = "DENY"
    answer.headers.setdefault("Cache-Control", "no-store")
    if desk().settings.public_url.startswith("https://"):
        answer.headers["Strict-Transport-Security"] = "max-age=31536000"
    return answer
