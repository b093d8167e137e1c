"""Forms that only our own pages can send: a token made of the visitor's cookie.

Each visitor has a random cookie; the token of a form is a keyed digest of it. A
signed-in visitor's cookie is the session's, so a token of one session serves no
other. Browsers also say whether a request came from our own pages, and where
they do, anything else is refused.

A form that sends a file is posted to an address that carries a token of its own
for that one path, because reading the body for it would put the file on the disk
in the clear.

Source: OWASP, "Cross-Site Request Forgery Prevention"; OWASP ASVS 5.0, V3.5; W3C Fetch Metadata.
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import unquote_to_bytes

from flask import Flask, Response, current_app, g, request

from gateway.errors import InputRejected, RefusedError
from gateway.web import cookies
from gateway.web.callers import Realm
from gateway.web.guards import caller_of, guard_of

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FIELD = "csrf_token"
HEADER = "X-CSRF-Token"
IN_ADDRESS = "form"
OPEN_FORM_BYTES = 64 << 10
# A document of 1,000,000 bytes, each of which a browser may write as three.
FORM_BYTES = 3 * 1_000_000 + OPEN_FORM_BYTES
FORM = "application/x-www-form-urlencoded"
_KEY = "gateway-csrf-key"
_OWN_SITES = frozenset({"same-origin", "none"})


def install(app: Flask, key: bytes) -> None:
    """Ask every changing request of a person for its token; give forms theirs."""
    app.extensions[_KEY] = key
    app.before_request(_demanded)
    app.after_request(_visiting)
    app.jinja_env.globals.update(csrf_token=token, csrf_address=address)


def token() -> str:
    """The token of this visitor's forms."""
    return _made(_visitor(), "")


def address(path: str) -> str:
    """An address of ours for a form that sends a file: it carries the token of its path."""
    return f"{path}?{IN_ADDRESS}={_made(_visitor(), path)}"


def demand() -> None:
    """Refuse a request that our own page did not send.

    Raises:
        RefusedError: no token of this visitor came with it.
    """
    visitor = cookies.read(request, cookies.SESSION)
    site = request.headers.get("Sec-Fetch-Site", "none")
    if visitor is None or site not in _OWN_SITES or not _right(visitor):
        raise RefusedError(
            "access/form-expired",
            "This form was not sent from a page of this service, or the page is too old.",
            remedy="Load the page again and repeat what you did.",
        )


def _right(visitor: str) -> bool:
    if request.mimetype == "multipart/form-data" and IN_ADDRESS in request.args:
        return _same(request.args[IN_ADDRESS], _made(visitor, request.path))
    sent = request.headers.get(HEADER)
    if sent is None and request.mimetype == FORM:
        sent = request.form.get(FIELD)
    return sent is not None and _same(sent, _made(visitor, ""))


def _demanded() -> None:
    if request.method in SAFE or request.endpoint is None:
        return
    guard = guard_of(current_app, request.endpoint)
    if guard is None:
        return
    if request.mimetype == FORM:
        # Refused by the length that it states, before anything reads it.
        request.max_content_length = FORM_BYTES
    if guard.action is None:
        # A stranger's form is short; what is longer would be spooled to the disk for nothing.
        request.max_content_length = OPEN_FORM_BYTES
        asks = not request.path.startswith(("/oauth/", "/api/"))
    else:
        caller = caller_of(guard)
        asks = caller is not None and caller.realm is Realm.PERSON
    if asks:
        if request.mimetype == FORM:
            _require_text(request.get_data())
        demand()


def _require_text(body: bytes) -> None:
    """Refuse a form that is not UTF-8; a library would put other letters in its place.

    Raises:
        InputRejected: `access/form-not-text`.
    """
    try:
        unquote_to_bytes(body).decode("utf-8")
    except UnicodeDecodeError:
        raise InputRejected(
            "access/form-not-text",
            "What was sent is not UTF-8 text, so that nothing of it was kept.",
            remedy="Save the text as UTF-8, copy it again, and send the form once more.",
        ) from None


def _visitor() -> str:
    """The visitor's cookie; one that has none yet gets it with this answer."""
    if "visitor" not in g:
        g.visitor = cookies.read(request, cookies.SESSION) or cookies.fresh()
        g.new_visitor = cookies.read(request, cookies.SESSION) is None
    found: str = g.visitor
    return found


def _visiting(answer: Response) -> Response:
    if g.get("new_visitor") and not cookies.set_by(answer, cookies.SESSION):
        cookies.put(answer, cookies.SESSION, g.visitor)
    return answer


def _made(visitor: str, path: str) -> str:
    message = hashlib.sha256(visitor.encode("utf-8", "replace")).digest() + path.encode("utf-8")
    return hmac.new(current_app.extensions[_KEY], message, hashlib.sha256).hexdigest()


def _same(sent: str, right: str) -> bool:
    return hmac.compare_digest(sent.encode("utf-8", "replace"), right.encode("ascii"))
