"""Deliveries: what is on its way to whom, what keeps it, and carrying it by hand.

Source: docs/how-to/deliver-packages.md; security point 15.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, send_file, url_for

from gateway.adapters import deliveries as store
from gateway.adapters.deliveries import ARRIVED, FOLDER, PORTAL, Delivery, DeliveryState
from gateway.adapters.delivery_words import because
from gateway.adapters.release_list import one as release_of
from gateway.adapters.release_store import ReleaseState
from gateway.errors import UsageError
from gateway.model.permissions import Action, permits
from gateway.web import states
from gateway.web.callers import Caller, Realm
from gateway.web.desk import desk
from gateway.web.documents import inputs
from gateway.web.guards import guarded
from gateway.web.pages.sending import A_PAGE, page_number
from gateway.web.release_columns import recipient_title
from gateway.wiring import delivery_desk

pages = Blueprint("deliveries", __name__)
_BAD_NUMBER = "Enter the receipt number as the portal shows it, without spaces"


@pages.get("/deliveries")
@guarded(Action.RELEASE_READ, realm=Realm.PERSON)
def every(*, caller: Caller) -> str:
    """Show every delivery, newest first."""
    number = page_number()
    with desk().database.read() as connection:
        found = store.listed(connection, limit=A_PAGE + 1, offset=(number - 1) * A_PAGE)
    bundle = inputs().bundle
    return render_template(
        "deliveries/every.html",
        lines=[(each, recipient_title(bundle, each.recipient)) for each in found[:A_PAGE]],
        states=states.DELIVERIES,
        channels=states.CHANNELS,
        because=because,
        page=number,
        more=len(found) > A_PAGE,
    )


@pages.get("/deliveries/<package>")
@guarded(Action.RELEASE_READ, realm=Realm.PERSON)
def one(package: str, *, caller: Caller) -> str:
    """Show one delivery, and what can be done about it."""
    return _shown(package, caller)


@pages.post("/deliveries/<package>/retry")
@guarded(Action.PACKAGE_CARRY, realm=Realm.PERSON)
def retry(package: str, *, caller: Caller) -> Any:
    """Ask for another try now."""
    here = desk()
    with here.database.begin() as connection:
        days = here.settings.delivery_days
        delivery_desk.begin_again(connection, package, by=caller.name, days=days)
    return redirect(url_for("deliveries.one", package=package), 303)


@pages.post("/deliveries/<package>/package")
@guarded(Action.PACKAGE_CARRY, realm=Realm.PERSON)
def fetch(package: str, *, caller: Caller) -> Response:
    """Hand out the sealed package, to be carried to the recipient's portal."""
    here = desk()
    with here.database.begin() as connection:
        delivery = delivery_desk.fetch(connection, package, operator=caller.name, at=here.now())
        sealed = delivery_desk.staged(here.settings, delivery)
    return send_file(
        sealed,
        mimetype="application/vnd.gateway.package",
        as_attachment=True,
        download_name=f"{delivery.package}.gwp",
        max_age=0,
    )


@pages.post("/deliveries/<package>/receipt")
@guarded(Action.PACKAGE_CARRY, realm=Realm.PERSON)
def carried(package: str, *, caller: Caller) -> Any:
    """Write down the receipt number that the portal gave."""
    number = request.form.get("number", "").strip()
    try:
        delivery_desk.carried(desk().settings, package, number=number, acting=caller.name)
    except UsageError as fault:
        if fault.code != "delivery/receipt-number":
            raise
        return _shown(package, caller, fault=_BAD_NUMBER, typed=number[:200]), 422
    return redirect(url_for("deliveries.one", package=package), 303)


def _shown(package: str, caller: Caller, *, fault: str = "", typed: str = "") -> str:
    with desk().database.read() as connection:
        found = store.find(connection, package)
        release = release_of(connection, found.release)
    may = bool(permits(Action.PACKAGE_CARRY, caller.roles))
    leaving = release.state is ReleaseState.RECORDED
    return render_template(
        "deliveries/one.html",
        delivery=found,
        recipient=recipient_title(inputs().bundle, found.recipient),
        state=states.DELIVERIES[found.state],
        channel=states.CHANNELS[found.channel],
        because=because(found.last_code),
        may_retry=may and _can_be_tried(found, leaving),
        may_fetch=may and _can_be_fetched(found, leaving),
        may_say=may and found.state is DeliveryState.DISPATCHED and found.channel != FOLDER,
        fault=fault,
        typed=typed,
    )


def _can_be_tried(found: Delivery, leaving: bool) -> bool:
    by_machine = found.channel not in (FOLDER, PORTAL)
    sent = found.state is DeliveryState.DISPATCHED
    return by_machine and found.state not in ARRIVED and (leaving or sent)


def _can_be_fetched(found: Delivery, leaving: bool) -> bool:
    """A portal's package, or one that its channel did not bring."""
    if found.channel == FOLDER or found.state in ARRIVED:
        return False
    sent = found.state is DeliveryState.DISPATCHED
    late = found.state is DeliveryState.NOT_DELIVERED
    return (leaving and (late or found.channel == PORTAL)) or (sent and found.channel == PORTAL)
