"""The application factory: settings in, a Flask application out.

Every route must state its guard (`guards.guarded`), or the application does not
start. Errors become problem documents for machines and pages for people.

Source: docs/explanation/service.md; OWASP ASVS 5.0, V8 (authorisation), V16 (errors).
"""

from __future__ import annotations

from flask import Flask

from gateway.adapters.passwords import Passwords
from gateway.adapters.settings import Settings
from gateway.web import guards, headers, presenting, problems, signing_in, telling
from gateway.web.desk import WebDesk, install
from gateway.web.routes import blueprints

MAX_FORM_BYTES = 2 << 20


def create_app(settings: Settings, *, passwords: Passwords | None = None) -> Flask:
    """Build the web application of one data directory.

    Args:
        settings: where everything lives.
        passwords: the hasher of passwords; the usual one when absent.

    Raises:
        RuntimeError: a route states no guard.
        Unavailable: the data directory, its database or its public keys are not there.
    """
    app = Flask("gateway.web", template_folder="templates", static_folder="static")
    app.config.update(
        MAX_FORM_MEMORY_SIZE=MAX_FORM_BYTES,
        MAX_CONTENT_LENGTH=None,  # uploads are streamed; forms have their own limit
        PROPAGATE_EXCEPTIONS=False,
        TEMPLATES_AUTO_RELOAD=False,
    )
    # No redirect of ours is made of what a stranger says the host is.
    app.url_map.merge_slashes = False
    install(app, WebDesk.open(settings))
    telling.install(app)
    problems.install(app)
    headers.install(app)
    presenting.install(app)
    signing_in.install(app, settings, passwords=passwords)
    for blueprint in blueprints():
        app.register_blueprint(blueprint)
    guards.install(app)
    return app
