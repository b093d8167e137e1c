"""Looking after what recipients owe: certificates asked for, releases closed.

Source: R60; security points 8 and 15; docs/how-to/deliver-packages.md.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from gateway.adapters import closing as ends
from gateway.adapters import deliveries, duties
from gateway.adapters.approvals import Approvals
from gateway.adapters.channels import Parcel, https, sftp
from gateway.adapters.database import Database
from gateway.adapters.deliveries import Delivery
from gateway.adapters.dispatching import package_of
from gateway.adapters.keyring import KeyRing
from gateway.adapters.ledger_mark import require_not_put_back
from gateway.adapters.locks import one_at_a_time
from gateway.adapters.logs import log
from gateway.adapters.release_sweep import sweep
from gateway.adapters.settings import Settings
from gateway.errors import GatewayError, Unavailable
from gateway.wiring.certificates import take
from gateway.wiring.common import append, now, open_bundle, open_database
from gateway.wiring.sharing import open_world
from gateway.workflows.ports import Progress

ASKED: Mapping[str, Callable[[Parcel], str]] = MappingProxyType(
    {"https": https.certificate, "sftp": sftp.certificate}
)
MOST = 2_000
CAME = "came"


def look_after(
    settings: Settings, ring: KeyRing, *, progress: Progress, turn_within: float = math.inf
) -> Mapping[str, Any]:
    """Ask for certificates, let link maps end whose day is over, close what is done.

    Args:
        settings: where everything lives.
        ring: opened.
        progress: told each step.
        turn_within: seconds to wait for a release that is being made.

    Returns:
        How many certificates came, how many releases were closed, how many duties are
        open and overdue; by code, how many packages could not be asked after.

    Raises:
        HeldForPerson: the data directory was restored and not yet reconciled.
        Unavailable: it was not our turn in that time (`job/not-its-turn`).
    """
    with closing(open_database(settings)) as database:
        require_not_put_back(settings, database)
        progress("asking for certificates")
        asked = Counter(_asked(settings, database, ring.sender, each) for each in _to_ask(database))
        with one_at_a_time(settings.data, database, within=turn_within):
            progress("ending link maps")
            _sweep(settings, database, ring, progress)
        progress("closing")
        closed = sum(_closed(settings, database, name) for name in _open_releases(database))
        with database.read() as connection:
            still = duties.listed(connection, still_open=True, limit=MOST)
            late = duties.overdue(connection, on=now().date(), limit=MOST)
    came = asked.pop(CAME, 0)
    told = {"came": came, "closed": closed, "open": len(still), "overdue": len(late)}
    return {**told, "unanswered": {code: count for code, count in asked.items() if code}}


def _to_ask(database: Database) -> Iterator[Delivery]:
    """Deliveries that have arrived by a channel we can ask on, and are not certified."""
    with database.read() as connection:
        still = duties.listed(connection, still_open=True, limit=MOST)
        found = [_delivery(connection, each.package) for each in still]
    for each in found:
        if each and each.channel in ASKED and each.state in deliveries.LEFT:
            yield each


def _delivery(connection: sa.Connection, package: str) -> Delivery | None:
    known = deliveries.listed(connection, package=package)
    return known[0] if known else None


def _asked(settings: Settings, database: Database, sender: str, delivery: Delivery) -> str:
    """`CAME`, or why it did not, or nothing; a certificate that does not hold is not recorded."""
    with database.read() as connection:
        digest = package_of(connection, delivery).digest
    parcel = Parcel(
        path=settings.data / "outgoing" / f"{delivery.package}.gwp",
        package=delivery.package,
        digest=digest,
        recipient=delivery.recipient,
        target=delivery.target,
        keys=settings.delivery_keys,
    )
    try:
        jws = ASKED[delivery.channel](parcel)
        if jws:
            take(settings, database, delivery.package, jws=jws, sender=sender, at=now())
    except GatewayError as no:
        # One that is not the recipient's word is somebody's; a recipient that is away is not.
        say = log().info if isinstance(no, Unavailable) else log().error
        say("certificate-not-taken", code=no.code)
        return no.code
    return CAME if jws else ""


def _sweep(settings: Settings, database: Database, ring: KeyRing, progress: Progress) -> None:
    approvals = Approvals(open_bundle(database), now().date())
    world = open_world(
        settings, database, ring, progress=progress, still_valid=approvals.still_valid
    )
    world.make_folders()
    sweep(world, ring)


def _open_releases(database: Database) -> list[str]:
    with database.read() as connection:
        return ends.open_ones(connection)


def _closed(settings: Settings, database: Database, release: str) -> bool:
    with database.begin() as connection:
        maps = settings.data / "link-maps"
        return ends.close(connection, append, release, maps=maps, at=now())
