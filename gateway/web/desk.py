"""What a view works with: the database, public keys, time. No secret key among it.

Source: docs/explanation/service.md; security point 2.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

import sqlalchemy as sa
from flask import Flask, current_app

from gateway.adapters.aside import Aside
from gateway.adapters.database import Database
from gateway.adapters.settings import Settings
from gateway.ledger import LeafRef
from gateway.wiring import common

_NAME = "gateway-desk"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebDesk:
    """The parts that views share; opened once for each web process."""

    settings: Settings
    database: Database = field(repr=False)
    now: Callable[[], dt.datetime]
    new_id: Callable[[], str]
    append: Callable[[sa.Connection, str, Mapping[str, str | int]], LeafRef] = field(repr=False)
    aside: Aside = field(default_factory=Aside, repr=False)

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Open the parts of one data directory."""
        return cls(
            settings=settings,
            database=common.open_database(settings),
            now=common.now,
            new_id=common.new_id,
            append=common.append,
        )


def install(app: Flask, desk: WebDesk) -> None:
    """Give the application its desk."""
    app.extensions[_NAME] = desk


def desk_of(app: Flask) -> WebDesk:
    """The desk of an application that is being put together."""
    found: WebDesk = app.extensions[_NAME]
    return found


def desk() -> WebDesk:
    """The desk of the application that answers this request."""
    found: WebDesk = current_app.extensions[_NAME]
    return found
