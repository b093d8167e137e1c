"""An error as a page: what happened, what to do, and the code to tell a helper.

Source: GOV.UK Design System, "There is a problem with the service"; docs/reference/errors.md.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, make_response, render_template

HEADINGS: Mapping[int, str] = {
    400: "That request could not be understood",
    401: "Sign in to see this page",
    403: "You may not do this",
    404: "Page not found",
    405: "That request could not be understood",
    409: "This needs a person first",
    413: "That is too large",
    415: "That request could not be understood",
    422: "There is a problem with what you sent",
    429: "Too many tries",
    500: "Sorry, there is a problem with the service",
    503: "Sorry, the service is not available",
}
REMEDIES: Mapping[int, str] = {
    400: "Go back, load the page again and repeat what you did.",
    404: "If you typed the address, check that it is right. If you followed a link, start again "
    "from the start page.",
    405: "Go back, load the page again and repeat what you did.",
    413: "Send a smaller file, or ask the data team how to send this one.",
    429: "Wait a few minutes and try again.",
    500: "Try again later. Nothing that you sent before is lost.",
    503: "Try again later. Nothing that you sent before is lost.",
}
# What a machine is told of actions and roles is no sentence for a person.
PLAIN: Mapping[str, tuple[str, str]] = {
    "access/not-permitted": (
        "Your role may not see this page.",
        "If your work needs it, ask an administrator.",
    ),
}
_OTHER = "Sorry, there is a problem"


def page(status: int, code: str, sentence: str, *, remedy: str = "") -> Response:
    """Draw one problem for a person."""
    sentence, remedy = PLAIN.get(code, (sentence, remedy))
    told = "" if code.startswith("http/") or status == 500 else sentence
    # A remedy that names a command is for those who work on a terminal.
    remedy = "" if "`" in remedy else remedy
    body = render_template(
        "problem.html",
        heading=HEADINGS.get(status, _OTHER),
        sentence=told,
        remedy=remedy or REMEDIES.get(status, ""),
        code=code,
    )
    return make_response(body, status)
