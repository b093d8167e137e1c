"""The data team's view of what partners have sent: each party's latest state, and every file.

Source: docs/explanation/service.md; security point 2.
"""

from __future__ import annotations

from flask import Blueprint, Response, render_template

from gateway.adapters import extract_list
from gateway.model.permissions import Action
from gateway.web import extracts_known, findings, states
from gateway.web.callers import Caller, Realm
from gateway.web.desk import desk
from gateway.web.documents import dataset_title, inputs, party_title
from gateway.web.guards import guarded
from gateway.web.pages.sending import A_PAGE, page_number, row_list

pages = Blueprint("extracts", __name__)


@pages.get("/extracts")
@guarded(Action.EXTRACT_READ, realm=Realm.PERSON)
def every(*, caller: Caller) -> str:
    """Show the newest extract of each party and dataset, then all, newest first."""
    number = page_number()
    with desk().database.read() as connection:
        latest = extract_list.latest(connection)
        lines = extract_list.listed(connection, limit=A_PAGE + 1, offset=(number - 1) * A_PAGE)
    bundle = inputs().bundle
    by_party: dict[str, list[tuple[extract_list.ExtractLine, str]]] = {}
    for line in latest:
        name = party_title(bundle, line.party)
        by_party.setdefault(name, []).append((line, dataset_title(bundle, line.dataset)))
    waiting = {(line.party, line.dataset) for line in latest}
    missing = [
        (party_title(bundle, party), dataset_title(bundle, contract.id))
        for contract in bundle.contracts.values()
        for party in contract.parties
        if (party, contract.id) not in waiting
    ]
    return render_template(
        "extracts/every.html",
        parties=sorted(by_party.items()),
        missing=sorted(missing),
        lines=[
            (line, party_title(bundle, line.party), dataset_title(bundle, line.dataset))
            for line in lines[:A_PAGE]
        ],
        states=states.EXTRACTS,
        replaced=states.REPLACED,
        page=number,
        more=len(lines) > A_PAGE,
    )


@pages.get("/extracts/<extract>")
@guarded(Action.EXTRACT_READ, realm=Realm.PERSON)
def one(extract: str, *, caller: Caller) -> str:
    """Show one extract of any party."""
    record = extracts_known.extract(extract, party=None)
    bundle = inputs().bundle
    return render_template(
        "extracts/one.html",
        record=record,
        title=dataset_title(bundle, record.dataset),
        party=party_title(bundle, record.party),
        state=extracts_known.state_of(record),
        read_instead=extracts_known.read_instead(record),
        found=findings.shown(record, bundle.contracts.get(record.dataset)),
        failing=findings.failing(record),
        has_rows=extracts_known.has_rows(record),
    )


@pages.get("/extracts/<extract>/rows.csv")
@guarded(Action.EXTRACT_READ, realm=Realm.PERSON)
def rows(extract: str, *, caller: Caller) -> Response:
    """Give the numbers of failing rows as a file, without any value."""
    return row_list(extract, party=None)
