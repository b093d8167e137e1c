"""Deliveries, for the recipients' machines: what is on its way to you, what you owe for it.

A recipient sees its own packages only: those whose recipient belongs to its party.

Source: docs/how-to/deliver-packages.md; security point 15.
"""

from __future__ import annotations

from flask import Blueprint, Response

from gateway.adapters import deliveries as store
from gateway.adapters import dispatching, duties
from gateway.adapters.deliveries import Delivery
from gateway.adapters.duties import Duty
from gateway.adapters.keyring import open_ring
from gateway.model.permissions import Action
from gateway.web.api.operations import answer, asked, operation, sent
from gateway.web.api.shapes import (
    CertificateSent,
    DeliveryList,
    DeliveryTold,
    DutyTold,
    Page,
    ReceiptSent,
)
from gateway.web.callers import Caller, Realm
from gateway.web.desk import desk
from gateway.web.documents import inputs
from gateway.web.guards import guarded
from gateway.wiring.certificates import take

api = Blueprint("deliveries-api", __name__, url_prefix="/api/v1/deliveries")


@api.get("")
@operation(answers={200: DeliveryList}, problems=(400,), query=Page)
@guarded(Action.DELIVERY_ACKNOWLEDGE, realm=Realm.MACHINE)
def every(*, caller: Caller) -> Response:
    """List the packages that are or were on their way to you, newest first."""
    page = asked(Page)
    with desk().database.read() as connection:
        found = store.listed(connection, recipients=_ours(caller), limit=page.limit)
    return answer(DeliveryList(deliveries=[_told(each) for each in found]))


@api.get("/<package>")
@operation(answers={200: DeliveryTold}, problems=(404,))
@guarded(Action.DELIVERY_ACKNOWLEDGE, realm=Realm.MACHINE)
def one(package: str, *, caller: Caller) -> Response:
    """Say how the delivery of one package to you stands."""
    with desk().database.read() as connection:
        return answer(_told(_own(store.find(connection, package), caller)))


@api.post("/<package>/receipt")
@operation(answers={200: DeliveryTold}, problems=(400, 404, 409, 413, 415, 422), body=ReceiptSent)
@guarded(Action.DELIVERY_ACKNOWLEDGE, realm=Realm.MACHINE)
def acknowledge(package: str, *, caller: Caller) -> Response:
    """Give your signed receipt for one package; the first one is kept."""
    given, _ = sent(ReceiptSent)
    here = desk()
    sender = open_ring(here.settings).sender
    with here.database.begin() as connection:
        before = _own(store.find(connection, package), caller)
        delivery = dispatching.acknowledged(
            *(connection, here.append, package),
            jws=given.receipt,
            sender=sender,
            at=here.now(),
        )
    with here.database.read() as connection:
        outgoing = here.settings.data / "outgoing"
        dispatching.drop_arrived(connection, outgoing, before.release)
    return answer(_told(delivery))


@api.get("/<package>/duty")
@operation(answers={200: DutyTold}, problems=(404,))
@guarded(Action.DELIVERY_ACKNOWLEDGE, realm=Realm.MACHINE)
def duty(package: str, *, caller: Caller) -> Response:
    """Say by when one package is to be destroyed, and whether you have certified that."""
    with desk().database.read() as connection:
        _own(store.find(connection, package), caller)
        return answer(_owed(duties.of_package(connection, package)))


@api.post("/<package>/certificate")
@operation(answers={200: DutyTold}, problems=(400, 404, 409, 413, 415, 422), body=CertificateSent)
@guarded(Action.DELIVERY_ACKNOWLEDGE, realm=Realm.MACHINE)
def certify(package: str, *, caller: Caller) -> Response:
    """Give your signed certificate that every copy is destroyed; the first one is kept."""
    given, _ = sent(CertificateSent)
    here = desk()
    with here.database.read() as connection:
        _own(store.find(connection, package), caller)
    sender = open_ring(here.settings).sender
    words = {"jws": given.certificate, "sender": sender}
    return answer(_owed(take(here.settings, here.database, package, **words, at=here.now())))


def _ours(caller: Caller) -> list[str]:
    """The recipients that belong to the caller's party."""
    every = inputs().bundle.recipients.values()
    return [each.id for each in every if each.organisation == caller.party]


def _own(delivery: Delivery, caller: Caller) -> Delivery:
    """The delivery, if it is the caller's; another's is none."""
    if delivery.recipient not in _ours(caller):
        raise store.unknown()
    return delivery


def _told(delivery: Delivery) -> DeliveryTold:
    return DeliveryTold(
        package=delivery.package,
        recipient=delivery.recipient,
        channel=delivery.channel,
        state=delivery.state,
        dispatched=delivery.dispatched_at,
        acknowledged=delivery.acknowledged_at,
        receipt_digest=delivery.receipt_digest,
    )


def _owed(found: Duty) -> DutyTold:
    return DutyTold(
        package=found.package,
        recipient=found.recipient,
        destroy_by=found.destroy_by,
        state=found.state(desk().now().date()),
        unreadable_after=found.unreadable_after,
        certificate_digest=found.certificate_digest,
    )
