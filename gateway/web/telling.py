"""Each answer as one line of the log: the rule of its route, its status and its time.

The rule stands for the path, because a path may carry an id; the query, the caller and
every header stay out.

Source: security points 19 and 21; OWASP ASVS 5.0, V16 (logging).
"""

from __future__ import annotations

import time
from typing import Any, Final

from flask import Flask, Response, g, request

from gateway.adapters.logs import facts_of, log

# Asked every few seconds by whoever watches.
QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics", "/static/<path:filename>"})


def install(app: Flask) -> None:
    """Let the application say what it answered."""
    app.before_request(_begun)
    app.after_request(_answered)


def unforeseen(fault: Exception) -> None:
    """Say that a request was stopped by what nobody foresaw: its class and place alone."""
    log().error("unforeseen-fault", route=_rule(), method=known_method(), **facts_of(fault))


def _begun() -> None:
    g.answer_begun = time.monotonic()


def _answered(answer: Response) -> Any:
    took = time.monotonic() - g.pop("answer_begun", time.monotonic())
    facts = {
        "route": _rule(),
        "method": known_method(),
        "status": answer.status_code,
        "ms": round(took * 1000),
    }
    told = log()
    say = told.info
    if answer.status_code >= 500:
        say = told.warning
    elif facts["route"] in QUIET:
        say = told.debug
    say("answered", **facts)
    return answer


def _rule() -> str:
    return request.url_rule.rule if request.url_rule else "none"


def known_method() -> str:
    """The method, if it is one that HTTP knows: anybody may invent another."""
    return request.method if request.method in _METHODS else "OTHER"


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
