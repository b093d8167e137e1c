"""Every store is tested on both back ends: ask for `database`, or for `offices`."""

from __future__ import annotations

import pytest

from tests.adapters.keys_process import Offices
from tests.databases import (
    BACKENDS,
    database,
    database_url,
    postgresql_server,
    postgresql_url,
)

__all__ = ["database", "database_url", "offices", "postgresql_server", "postgresql_url"]


@pytest.fixture(scope="module", params=BACKENDS)
def offices(request: pytest.FixtureRequest) -> Offices:
    """Whole offices, on each back end: every command on a database of the office's own."""
    there = request.param == "postgresql"
    return Offices(server=request.getfixturevalue("postgresql_server") if there else None)
