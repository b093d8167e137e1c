"""What people do about a delivery: try again, fetch and carry it, bring its receipt.

Source: security points 1, 15 and 16; docs/how-to/deliver-packages.md.
"""

from __future__ import annotations

import datetime as dt
import re
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from gateway.adapters import clock, deliveries, dispatching, operators
from gateway.adapters.approvals import Approvals
from gateway.adapters.backup import require_reconciled
from gateway.adapters.database import Database
from gateway.adapters.deliveries import FOLDER, PORTAL, Delivery, DeliveryState
from gateway.adapters.policy_reading import decision_inputs
from gateway.adapters.release_list import one
from gateway.adapters.release_store import ReleaseState
from gateway.adapters.settings import Settings
from gateway.errors import HeldForPerson, Unavailable, UsageError
from gateway.model import SharingRequest
from gateway.model.permissions import Action, authorise
from gateway.wiring.common import append, now, open_database

RECEIPT_NUMBER = re.compile(r"[A-Za-z0-9._:/-]{1,80}")


def give_up(settings: Settings, package: str, *, code: str) -> None:
    """Write down that nobody tries any more to bring a package."""
    with closing(open_database(settings)) as database, database.begin() as connection:
        delivery = deliveries.find(connection, package)
        if delivery.state is DeliveryState.WAITING:
            dispatching.not_delivered(connection, append, delivery, code=code)


def retry(settings: Settings, package: str, *, acting: str) -> Delivery:
    """Ask the workers to try again now; one that was given up gets its whole time anew.

    Raises:
        RefusedError: the operator may not.
        UsageError: it has arrived, or goes by no channel that can be tried.
    """
    with closing(open_database(settings)) as database, database.begin() as connection:
        authorise(operators.find(connection, acting), Action.PACKAGE_CARRY)
        return begin_again(connection, package, by=acting, days=settings.delivery_days)


def begin_again(connection: sa.Connection, package: str, *, by: str, days: int) -> Delivery:
    """Ask for another try, in the caller's transaction.

    Raises:
        UsageError: it has arrived, or goes by no channel that can be tried.
    """
    delivery, at = deliveries.find(connection, package), now()
    release = one(connection, delivery.release)
    over = delivery.state in deliveries.ARRIVED or delivery.channel in (FOLDER, PORTAL)
    sent = delivery.state is DeliveryState.DISPATCHED
    if over or (release.state is not ReleaseState.RECORDED and not sent):
        raise UsageError(
            "delivery/nothing-to-try",
            "There is nothing to try: it has arrived, waits for a person, or its release stopped.",
            remedy="Its page says how it stands.",
        )
    state = DeliveryState.DISPATCHED if sent else DeliveryState.WAITING
    until = (at + dt.timedelta(days=days)).isoformat()
    deliveries.update(connection, package, state=state, until=until, next_at=at.isoformat())
    deliveries.ask(connection, package, by=by, at=at)
    return deliveries.find(connection, package)


def acknowledged(settings: Settings, package: str, *, jws: str, sender: str) -> Delivery:
    """Verify a receipt that came by another way, and write it down.

    Raises:
        IntegrityError: it does not verify, or is about another package or other bytes.
    """
    with closing(open_database(settings)) as database:
        with database.begin() as connection:
            found = dispatching.acknowledged(
                connection, append, package, jws=jws, sender=sender, at=now()
            )
        _drop(settings, database, found)
        return found


def carried(settings: Settings, package: str, *, number: str, acting: str) -> Delivery:
    """Write down the receipt number that the recipient's portal gave an officer.

    Raises:
        RefusedError: the operator may not.
        UsageError: the number is malformed, or the package was not fetched.
    """
    if not RECEIPT_NUMBER.fullmatch(number):
        raise UsageError(
            "delivery/receipt-number",
            "A receipt number has 1 to 80 letters, digits and . _ : / -",
            remedy="Type the number alone, as the portal shows it.",
        )
    with closing(open_database(settings)) as database:
        with database.begin() as connection:
            authorise(operators.find(connection, acting), Action.PACKAGE_CARRY)
            found = dispatching.carried(
                connection, append, package, number=number, operator=acting, at=now()
            )
        _drop(settings, database, found)
        return found


def fetch(connection: sa.Connection, package: str, *, operator: str, at: dt.datetime) -> Delivery:
    """Let an officer have a sealed package, to carry it to the recipient's own portal.

    It counts as having left from here on: written down before the officer has it.

    Raises:
        RefusedError: the operator may not.
        HeldForPerson: the release may not leave any more.
        Unavailable: the clock is behind.
        UsageError: it has arrived, or goes to a folder.
    """
    authorise(operators.find(connection, operator), Action.PACKAGE_CARRY)
    clock.require_present(connection, at=at)
    delivery = deliveries.find(connection, package)
    if delivery.state in deliveries.ARRIVED or delivery.channel == FOLDER:
        raise UsageError(
            "delivery/not-to-be-carried",
            "That package has its receipt already, or nobody has fetched it to carry it.",
            remedy="Look at its delivery; fetch it first, then bring it to the portal.",
        )
    if delivery.state is DeliveryState.DISPATCHED:
        return delivery
    release = one(connection, delivery.release)
    if release.state is ReleaseState.RECORDED:
        approvals = Approvals(decision_inputs(connection).bundle, at.date())
        request = SharingRequest(purpose=release.purpose, agreement=release.agreement)
        sequence = int(release.record.get("register_sequence", -1))
        approvals.still_valid(connection, request, release.policy_digest, sequence)
        found = dispatching.package_of(connection, delivery)
        dispatching.left(connection, append, found, channel=PORTAL, at=at)
        dispatching.all_left(connection, delivery.release)
        return deliveries.find(connection, package)
    raise HeldForPerson(
        "delivery/release-stopped",
        "The release of that package was stopped; it may not leave any more.",
        remedy="Run the release again.",
    )


def staged(settings: Settings, delivery: Delivery) -> Path:
    """The sealed file of a package that has not arrived; ask within the fetching transaction.

    Raises:
        Unavailable: it is gone; nothing is then written down.
        HeldForPerson: the data directory was restored and not yet reconciled.
    """
    require_reconciled(settings.data)
    place = settings.data.absolute() / "outgoing" / f"{delivery.package}.gwp"
    if not place.exists():
        raise Unavailable(
            "release/package-gone",
            "A recorded package lies neither in the data directory nor in the outbox.",
            remedy="Put outgoing/ of the data directory back from its backup, then run again.",
        )
    return place


def _drop(settings: Settings, database: Database, delivery: Delivery) -> None:
    with database.read() as connection:
        dispatching.drop_arrived(connection, settings.data / "outgoing", delivery.release)
