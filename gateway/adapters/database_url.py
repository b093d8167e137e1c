"""Which database a setting names, and that nothing is sent to it in clear.

SQLite in a file, or PostgreSQL by psycopg: `postgresql://user@/gateway?host=/socket`.
Over the network the server has to prove who it is: where the address does not say
how, `sslmode=verify-full` is taken, and one that allows clear text is refused.

Source: UK GDPR Art 32; PostgreSQL documentation, "SSL Support".
"""

from __future__ import annotations

import importlib.util
import ipaddress

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from gateway.errors import Unavailable, UsageError

POSTGRESQL = ("postgres", "postgresql", "postgresql+psycopg")
PROTECTED = frozenset({"verify-full", "verify-ca", "require"})


def read_url(text: str) -> URL:
    """Read the address of a database.

    Raises:
        UsageError: it is malformed, of another kind, or would send data in clear.
        Unavailable: it needs a driver that is not installed.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise _malformed() from None
    if url.drivername == "sqlite":
        return url
    if url.drivername not in POSTGRESQL or not url.database:
        raise _malformed()
    if importlib.util.find_spec("psycopg") is None:
        raise Unavailable(
            "store/no-driver",
            "The driver for PostgreSQL is not installed.",
            remedy="Install the gateway with its extra: pip install 'gateway[postgresql]'.",
        )
    return _protected(url.set(drivername="postgresql+psycopg"))


def _malformed() -> UsageError:
    return UsageError(
        "settings/database-url",
        "GATEWAY_DATABASE_URL names no SQLite file and no PostgreSQL database.",
        remedy="Write it as postgresql://USER@HOST/DATABASE or sqlite:////absolute/path.",
    )


def _protected(url: URL) -> URL:
    if all(_on_this_machine(host) for host in _hosts(url)):
        return url
    mode = url.query.get("sslmode", "")
    if not mode:
        return url.update_query_dict({"sslmode": "verify-full"})
    if mode not in PROTECTED:
        raise UsageError(
            "settings/database-in-clear",
            "GATEWAY_DATABASE_URL would let records cross the network in clear.",
            remedy="Say sslmode=verify-full in it, and give the server a certificate.",
        )
    return url


def _hosts(url: URL) -> list[str]:
    asked = url.query.get("host") or url.query.get("hostaddr") or url.host or ""
    named = asked if isinstance(asked, tuple) else asked.split(",")
    return [each for name in named for each in name.split(",")]


def _on_this_machine(host: str) -> bool:
    """A socket of this machine, or its loop."""
    if host in ("", "localhost") or host.startswith(("/", "@")):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
