"""One try to bring a package to its recipient, and what follows from it.

    written down: a try begins     in one transaction with the register and the approvals
    the channel brings it          nothing is held meanwhile
    written down: it left, or why not; the receipt, once it is there

A worker that dies in between leaves a try whose end nobody knows: the next one brings
the same package again, and the recipient takes it once.

Source: security points 15, 16 and 20; docs/how-to/deliver-packages.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from gateway.adapters import clock, deliveries, dispatching
from gateway.adapters.approvals import Approvals
from gateway.adapters.channels import Parcel, Told, https, sftp
from gateway.adapters.database import Database
from gateway.adapters.deliveries import FOLDER, PORTAL, Delivery, DeliveryState
from gateway.adapters.keyring import KeyRing
from gateway.adapters.ledger_mark import require_not_put_back
from gateway.adapters.policy_reading import decision_inputs
from gateway.adapters.release_list import one
from gateway.adapters.release_store import ReleaseState
from gateway.adapters.settings import Settings
from gateway.errors import GatewayError, HeldForPerson
from gateway.wiring.common import append, now, open_database

FIRST_PAUSE, LONGEST_PAUSE = dt.timedelta(seconds=5), dt.timedelta(hours=1)
HOLD_PAUSE = dt.timedelta(minutes=5)
BRING: Mapping[str, Callable[[Parcel], Told]] = MappingProxyType(
    {"https": https.bring, "sftp": sftp.bring}
)
RECEIPT: Mapping[str, Callable[[Parcel], Told]] = MappingProxyType(
    {"https": https.receipt, "sftp": sftp.receipt}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """It has not arrived, or its receipt has not; try again then."""

    not_before: dt.datetime
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Try:
    """One try at one delivery; `before` is how it stood."""

    settings: Settings
    database: Database
    ring: KeyRing
    before: Delivery


def attempt(settings: Settings, ring: KeyRing, package: str) -> Mapping[str, Any] | Wait:
    """Try once to bring a package, or to get its receipt.

    Args:
        settings: where everything lives.
        ring: opened.
        package: its id.

    Returns:
        How the delivery stands, if nothing is left to try; otherwise when to try again.
    """
    with closing(open_database(settings)) as database:
        try:
            require_not_put_back(settings, database)
        except HeldForPerson as held:
            return Wait(not_before=now() + HOLD_PAUSE, code=held.code)
        with database.begin() as connection:
            if clock.is_behind(connection, at=now()):
                return Wait(not_before=now() + HOLD_PAUSE, code=clock.BEHIND)
            trying = _Try(
                settings=settings,
                database=database,
                ring=ring,
                before=deliveries.find(connection, package),
            )
            begun = _begin(connection, trying)
        if not begun:
            return _ended(trying)
        told = _by_channel(trying)
        return _wrote_down(trying, told)


def _begin(connection: sa.Connection, trying: _Try) -> bool:
    """Write down that a try begins; false if there is nothing to try."""
    before = trying.before
    if before.channel in (FOLDER, PORTAL):
        return False
    over = now() > dt.datetime.fromisoformat(before.until)
    if before.state is DeliveryState.DISPATCHED:
        if over:
            told = {"last_code": "delivery/no-receipt", "next_at": ""}
            deliveries.update(connection, before.package, **told)
        return not over
    if before.state is not DeliveryState.WAITING:
        return False
    if over or not before.target.get("address"):
        code = before.last_code or "delivery/time-over"
        code = code if before.target.get("address") else "delivery/no-address"
        dispatching.not_delivered(connection, append, before, code=code)
        return False
    if not _may_leave(connection, trying):
        return False
    deliveries.update(connection, before.package, touched=1, attempts=before.attempts + 1)
    return True


def _may_leave(connection: sa.Connection, trying: _Try) -> bool:
    """Whether register and approvals still are what the release was made under."""
    release = one(connection, trying.before.release)
    if release.state is not ReleaseState.RECORDED:
        dispatching.not_delivered(
            connection, append, trying.before, code="delivery/release-stopped"
        )
        return False
    approvals = Approvals(decision_inputs(connection).bundle, now().date())
    state = dispatching.may_still_leave(
        connection, release, append=append, still_valid=approvals.still_valid
    )
    return state is ReleaseState.RECORDED


def _by_channel(trying: _Try) -> Told:
    before = trying.before
    parcel = _parcel(trying)
    ways = RECEIPT if before.state is DeliveryState.DISPATCHED else BRING
    try:
        if ways is BRING and not parcel.path.exists():
            return Told(arrived=False, code="release/package-gone")
        return ways[before.channel](parcel)
    except GatewayError as fault:
        # Raised before anything was sent: a key file, a certificate, an address.
        return Told(arrived=False, code=fault.code)


def _parcel(trying: _Try) -> Parcel:
    before = trying.before
    with trying.database.read() as connection:
        digest = dispatching.package_of(connection, before).digest
    return Parcel(
        path=trying.settings.data / "outgoing" / f"{before.package}.gwp",
        package=before.package,
        digest=digest,
        recipient=before.recipient,
        target=before.target,
        keys=trying.settings.delivery_keys,
    )


def _wrote_down(trying: _Try, told: Told) -> Mapping[str, Any] | Wait:
    """Write down what a try has shown."""
    before, at = trying.before, now()
    code = told.code
    with trying.database.begin() as connection:
        delivery = deliveries.find(connection, before.package)
        if told.arrived:
            dispatching.arrived(connection, append, delivery, at=at)
        elif told.final and delivery.state is DeliveryState.WAITING:
            dispatching.not_delivered(connection, append, delivery, code=told.code)
        elif told.arrived is False and not before.touched:
            deliveries.update(connection, before.package, touched=0)
    if told.receipt:
        code = _receipt(trying, told.receipt)
    with trying.database.begin() as connection:
        delivery = deliveries.find(connection, before.package)
        if delivery.state not in (DeliveryState.WAITING, DeliveryState.DISPATCHED):
            return _said(delivery)
        pause = _pause(trying, delivery)
        known = {"last_code": code, "next_at": (at + pause).isoformat()}
        deliveries.update(connection, before.package, attempts=before.attempts + 1, **known)
    return Wait(not_before=at + pause, code=code)


def _receipt(trying: _Try, jws: str) -> str:
    """Write down a receipt; the code of what is wrong with it, if anything."""
    try:
        with trying.database.begin() as connection:
            dispatching.acknowledged(
                connection,
                append,
                trying.before.package,
                jws=jws,
                sender=trying.ring.sender,
                at=now(),
            )
    except GatewayError as fault:
        return fault.code
    with trying.database.read() as connection:
        outgoing = trying.settings.data / "outgoing"
        dispatching.drop_arrived(connection, outgoing, trying.before.release)
    return ""


def _pause(trying: _Try, delivery: Delivery) -> dt.timedelta:
    """Growing pauses; the first question for a receipt comes soon after the package."""
    just_left = delivery.state is not trying.before.state
    tries = 0 if just_left else delivery.attempts
    return min(FIRST_PAUSE * (1 << min(tries, 12)), LONGEST_PAUSE)


def _ended(trying: _Try) -> Mapping[str, Any]:
    with trying.database.read() as connection:
        return _said(deliveries.find(connection, trying.before.package))


def _said(delivery: Delivery) -> Mapping[str, Any]:
    return {
        "package": delivery.package,
        "release": delivery.release,
        "state": delivery.state.value,
        "code": delivery.last_code,
    }
