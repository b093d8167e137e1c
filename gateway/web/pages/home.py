"""The start page: what a caller may do here, or where to sign in.

Source: docs/explanation/service.md, "Callers"; GOV.UK Design System, "Start using a service".
"""

from __future__ import annotations

from flask import Blueprint, render_template

from gateway.web.guards import open_to_all

pages = Blueprint("home", __name__)


@pages.get("/")
@open_to_all("strangers learn here what this is and where to sign in")
def start() -> str:
    """Show the start page."""
    return render_template("start.html")
