"""What other gateways brought to ours: from whom, how far it is, and what to do next.

Nothing is opened here: this process has no key, and the recipient's own key belongs on
the analyst's machine.

Source: docs/how-to/deliver-packages.md; security points 7, 8 and 15.
"""

from __future__ import annotations

from flask import Blueprint, render_template

from gateway.adapters import inbox as store
from gateway.adapters import inbox_certificates
from gateway.model.permissions import Action, permits
from gateway.web import states
from gateway.web.callers import Caller, Realm
from gateway.web.desk import desk
from gateway.web.documents import inputs, party_title
from gateway.web.guards import guarded
from gateway.web.pages.sending import A_PAGE, page_number

pages = Blueprint("inbox", __name__)


@pages.get("/inbox")
@guarded(Action.INBOX_READ, realm=Realm.PERSON)
def every(*, caller: Caller) -> str:
    """Show what arrived, newest first, and what each package waits for."""
    number = page_number()
    with desk().database.read() as connection:
        found = store.listed(connection, limit=A_PAGE + 1, offset=(number - 1) * A_PAGE)
    bundle = inputs().bundle
    return render_template(
        "inbox/every.html",
        lines=[(each, party_title(bundle, each.party)) for each in found[:A_PAGE]],
        states=states.INBOX,
        page=number,
        more=len(found) > A_PAGE,
    )


@pages.get("/inbox/<sender>/<package>")
@guarded(Action.INBOX_READ, realm=Realm.PERSON)
def one(sender: str, package: str, *, caller: Caller) -> str:
    """Show one package: what was verified, what was signed for it, what to do next."""
    with desk().database.read() as connection:
        found = store.find(connection, sender, package)
        destroyed = inbox_certificates.found_or_none(connection, sender, package)
    return render_template(
        "inbox/one.html",
        found=found,
        destroyed=destroyed,
        party=party_title(inputs().bundle, found.party),
        state=states.INBOX[found.state],
        may_certify=bool(permits(Action.DESTRUCTION_CERTIFY, caller.roles)),
    )
