"""Every store is tested on both back ends: ask for `database`."""

from tests.databases import database, database_url, postgresql_server, postgresql_url

__all__ = ["database", "database_url", "postgresql_server", "postgresql_url"]
