"""Who may do what, who did what, and what waits for whom.

The first page is the permission table beside the operators' roles; the second the
ledger, whose facts hold no personal value; the third what the tables say is open.

Source: security points 1, 3, 4, 20; docs/adr/0295.
"""

from __future__ import annotations

from flask import Blueprint, render_template, request

from gateway.adapters import ledger_search, notice_addresses, notice_records, operators
from gateway.adapters.notice_records import NoticeState
from gateway.adapters.notice_try import FAULTS
from gateway.ledger import EVENTS
from gateway.model.permissions import APART, PERMISSIONS, Action, permits
from gateway.model.words import PartyRole
from gateway.web import states, waiting
from gateway.web.callers import Caller, Realm
from gateway.web.desk import desk
from gateway.web.documents import inputs
from gateway.web.guards import guarded

pages = Blueprint("oversight", __name__)
A_PAGE = 50


@pages.get("/permissions")
@guarded(Action.AGREEMENT_READ, realm=Realm.PERSON)
def permissions(*, caller: Caller) -> str:
    """Show each person with their roles, each act with its roles, and what is kept apart."""
    with desk().database.read() as connection:
        people = operators.listed(connection)
    holders = {
        role: sorted(person.name for person in people if role in person.role_words())
        for role in PartyRole
    }
    return render_template(
        "oversight/permissions.html",
        people=[(person, sorted(person.roles)) for person in people],
        acts=[
            (action, sorted(roles), sorted({n for role in roles for n in holders[role]}))
            for action, roles in PERMISSIONS.items()
        ],
        everybody=len(PartyRole),
        apart=sorted(sorted(pair) for pair in APART),
    )


@pages.get("/audit")
@guarded(Action.AUDIT_READ, realm=Realm.PERSON)
def audit(*, caller: Caller) -> str:
    """Show the ledger's entries, newest first, of one event or one person if asked."""
    event, operator = request.args.get("event", ""), request.args.get("operator", "").strip()
    known = event if event in EVENTS else ""
    with desk().database.read() as connection:
        found = ledger_search.newest(
            connection,
            event=known,
            operator=operator[:80],
            before=request.args.get("before", type=int),
            limit=A_PAGE + 1,
        )
        names = [person.name for person in operators.listed(connection)]
    return render_template(
        "oversight/audit.html",
        entries=found[:A_PAGE],
        older=found[A_PAGE - 1].index if len(found) > A_PAGE else None,
        events=sorted(EVENTS),
        names=names,
        wanted={"event": known, "operator": operator},
    )


@pages.get("/notices")
@guarded(Action.NOTICE_READ, realm=Realm.PERSON)
def notices(*, caller: Caller) -> str:
    """Show who was told what, what keeps the others, and who has no address."""
    state = request.args.get("state", "")
    with desk().database.read() as connection:
        found = notice_records.listed(
            connection, state=NoticeState(state) if state in list(NoticeState) else None
        )
        counts = notice_records.tally(connection)
        names = [person.name for person in operators.listed(connection) if person.roles]
        reached = notice_addresses.having(connection, names)
    settings = desk().settings.notices
    return render_template(
        "oversight/notices.html",
        notices=found,
        counts=[(each, counts.get(each, 0)) for each in NoticeState],
        wanted=state,
        states=states.NOTICES,
        faults_of=FAULTS,
        lost=[name for name in names if name not in reached],
        channels={"mail": settings.smtp_host, "webhook": settings.webhook_url},
    )


@pages.get("/waiting")
@guarded(Action.AGREEMENT_READ, realm=Realm.PERSON)
def waits(*, caller: Caller) -> str:
    """Show what waits for a person, and for whom."""
    with desk().database.read() as connection:
        found = waiting.everything(connection, inputs(), caller)
    if not permits(Action.RELEASE_READ, caller.roles):
        found = waiting.without_links(found, "/releases")
    return render_template(
        "oversight/waiting.html",
        groups=found,
        mine=[(group, item) for group in found for item in group.of(caller)],
    )
