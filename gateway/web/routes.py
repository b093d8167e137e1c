"""Every blueprint of the application, in one list.

Source: docs/explanation/service.md, "Routes".
"""

from __future__ import annotations

from flask import Blueprint

from gateway.web.pages import home


def blueprints() -> tuple[Blueprint, ...]:
    """The API, then the pages."""
    return (home.pages,)
