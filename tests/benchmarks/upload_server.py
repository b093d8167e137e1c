"""The service's own application, with two plain handlers beside it for comparison.

`/bare` writes the body to a file as it comes. `/form` is what a developer would write:
the framework parses the form, keeps the file in clear, and the handler saves it.
"""

from __future__ import annotations

import os
from typing import Any

from flask import request

from gateway.adapters.settings import read_settings
from gateway.web import create_app
from gateway.web.guards import open_to_all

BLOCK = 1 << 20


def application() -> Any:
    """The application that gunicorn serves."""
    settings = read_settings()
    app = create_app(settings)
    folder = settings.data / "plain"
    folder.mkdir(exist_ok=True)
    app.config["MAX_CONTENT_LENGTH"] = None

    @app.post("/oauth/bare")
    @open_to_all("a handler to compare with")
    def bare() -> str:
        body, left = request.environ["wsgi.input"], int(request.environ["CONTENT_LENGTH"])
        with open(folder / str(os.getpid()), "wb", buffering=0) as file:
            while left and (block := body.read(min(left, BLOCK))):
                file.write(block)
                left -= len(block)
            if "sync" in request.args:
                os.fsync(file.fileno())
        return ""

    @app.post("/oauth/form")
    @open_to_all("a handler to compare with")
    def form() -> str:
        request.max_content_length = None  # forms of strangers are short otherwise
        request.files["file"].save(folder / str(os.getpid()))
        return ""

    return app
