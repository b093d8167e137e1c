"""Certificates of destruction taken in, by whichever way they came.

Source: R60; security points 8 and 15; docs/how-to/deliver-packages.md.
"""

from __future__ import annotations

import datetime as dt
from contextlib import closing

from gateway.adapters import closing as ends
from gateway.adapters.database import Database
from gateway.adapters.dispatching import drop_arrived
from gateway.adapters.duties import Duty
from gateway.adapters.settings import Settings
from gateway.wiring.common import append, now, open_database


def certified(settings: Settings, package: str, *, jws: str, sender: str) -> Duty:
    """Verify a certificate that came by any way, write it down, and close what is done.

    Raises:
        UsageError: there is no such delivery, or no descriptor to believe it by.
        IntegrityError: `duties/certificate-refused`.
    """
    with closing(open_database(settings)) as database:
        return take(settings, database, package, jws=jws, sender=sender, at=now())


def take(
    settings: Settings, database: Database, package: str, *, jws: str, sender: str, at: dt.datetime
) -> Duty:
    """As `certified`, on a database that is open."""
    with database.begin() as connection:
        duty = ends.certified(connection, append, package, jws=jws, sender=sender, at=at)
        ends.close(connection, append, duty.release, maps=settings.data / "link-maps", at=at)
    with database.read() as connection:
        drop_arrived(connection, settings.data / "outgoing", duty.release)
    return duty
