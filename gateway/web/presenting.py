"""How pages are drawn: the Design System's macros, our own words, and versioned assets.

Nothing is fetched from elsewhere and nothing stands inline, so that the content
policy can stay strict. Text is escaped by the template engine; no template marks
stored text as safe.

What is stored is shown without characters that nobody sees or that turn the words beside
them round, also where it was kept before anybody refused them; a template that has to
give a text back letter by letter says `as_written`.

Source: GOV.UK Design System; WCAG 2.2; docs/adr/0262.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, g, url_for
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader
from markupsafe import Markup, escape

from gateway.model.unseen import seen
from gateway.policy import pieces
from gateway.web import words
from gateway.web.callers import Caller, Realm
from gateway.web.desk import desk
from gateway.web.guards import Guard, caller_of
from gateway.web.navigation import entries_of, navigation

YEAR = 365 * 24 * 3600
_ANYBODY_SIGNED_IN = Guard(action=None, realms=frozenset({Realm.PERSON}))


def install(app: Flask) -> None:
    """Give the templates their macros, filters and the facts that every page shows."""
    macros = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    app.jinja_loader = ChoiceLoader([PackageLoader("gateway.web"), macros])
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        breakable=words.breakable,
        day=words.day,
        moment=words.moment,
        number=words.number,
        size=words.size,
        plain=words.plain,
        pieces=pieces,
        as_written=escape,
    )
    app.jinja_env.finalize = _as_seen
    app.jinja_env.globals["asset"] = _asset_address(Path(app.static_folder or ""))
    # Every reference carries the file's digest, so that a browser may keep it.
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = YEAR
    app.context_processor(_of_every_page)


def _as_seen(value: object) -> object:
    """What a template shows of a value; markup is what a template made of others."""
    return seen(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _of_every_page() -> dict[str, Any]:
    caller = current_caller()
    return {
        "council": desk().settings.council_name,
        "caller": caller,
        "entries": list(entries_of(caller)),
        "navigation": navigation(caller),
        "now": desk().now(),
    }


def current_caller() -> Caller | None:
    """Who looks at this page, also where the page is open to all."""
    if "caller" not in g:
        g.caller = caller_of(_ANYBODY_SIGNED_IN)
    found: Caller | None = g.caller
    return found


def forget_caller() -> None:
    """Let the next page look anew who is signed in: somebody just signed in or out."""
    g.pop("caller", None)
    g.pop("person", None)


def _asset_address(folder: Path) -> Callable[[str], str]:
    @functools.cache
    def version(name: str) -> str:
        return hashlib.sha256((folder / name).read_bytes()).hexdigest()[:12]

    return lambda name: url_for("static", filename=name, v=version(name))
