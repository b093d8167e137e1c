"""Our inbox, for other gateways: bring a package, ask for the receipt it was given.

Source: docs/how-to/deliver-packages.md; security point 15.
"""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Response, request

from gateway.adapters import inbox as store
from gateway.adapters import inbox_certificates
from gateway.adapters.inbox import Arrived
from gateway.errors import UsageError
from gateway.model.permissions import Action
from gateway.web.api.body import Body
from gateway.web.api.operations import answer, operation
from gateway.web.api.shapes import ArrivedTold
from gateway.web.callers import Caller, Realm
from gateway.web.desk import desk
from gateway.web.guards import guarded
from gateway.wiring.inbox import inbox_of

api = Blueprint("inbox-api", __name__, url_prefix="/api/v1/inbox")
TYPE = "application/vnd.gateway.package"


@api.post("/packages")
@operation(
    answers={200: ArrivedTold, 201: ArrivedTold},
    problems=(400, 409, 413, 415, 503),
    body=TYPE,
)
@guarded(Action.PACKAGE_DELIVER, realm=Realm.MACHINE)
def take(*, caller: Caller) -> Response:
    """Take in a sealed package: verified outside, kept once, receipted by a worker."""
    if request.mimetype != TYPE:
        raise UsageError(
            "request/media-type",
            "The body is not of the kind that this address takes.",
            remedy="/api/openapi.json says which kinds it takes.",
        )
    try:
        shelf = inbox_of(desk().settings, desk().database)
        found, new = shelf.take(Body(request.environ), party=caller.party, by=caller.name)
    except ConnectionError:
        raise UsageError(
            "upload/broken",
            "The body ended before its end.",
            remedy="Send the file again, or use the resumable protocol at /api/v1/uploads.",
        ) from None
    with desk().database.read() as connection:
        given = inbox_certificates.of_package(connection, found.sender, found.package)
    return answer(_told(found, given), 201 if new else 200)


@api.get("/packages/<package>")
@operation(answers={200: ArrivedTold}, problems=(404,))
@guarded(Action.PACKAGE_DELIVER, realm=Realm.MACHINE)
def one(package: str, *, caller: Caller) -> Response:
    """Say how a package stands that your party brought, with what was signed for it."""
    with desk().database.read() as connection:
        found = store.listed(connection, party=caller.party, package=package)
        if not found:
            raise store.unknown()
        given = inbox_certificates.of_package(connection, found[0].sender, package)
    return answer(_told(found[0], given))


def _told(found: Arrived, certificate: str) -> ArrivedTold:
    return ArrivedTold(
        package=found.package,
        sender=found.sender,
        digest=found.digest,
        state=found.state,
        arrived=dt.datetime.fromisoformat(found.arrived),
        receipt=found.receipt,
        certificate=certificate,
    )
