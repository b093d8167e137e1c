"""Agreements and releases for other programs: registers, ODRL, the sharing policy, lineage.

Source: docs/reference/publishing.md; W3C ODRL 2.2; UK GDPR Art 30; requirement R10.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, render_template, request

from gateway.adapters import release_lineage, released_columns
from gateway.errors import UsageError
from gateway.model.permissions import Action
from gateway.publishing import odrl_agreement, record_of_processing, sharing_policy
from gateway.web.callers import Caller, Realm
from gateway.web.desk import desk
from gateway.web.documents import inputs, standings
from gateway.web.guards import guarded
from gateway.web.spreadsheets import as_csv

pages = Blueprint("exports", __name__)

ASKED = ("agreement", "clause", "column")
COLUMNS = tuple(released_columns.Released.__dataclass_fields__)
NEWEST = 200
MOST_SHOWN = 500
FORMS: Mapping[str, tuple[Callable[..., Mapping[str, Any]], str]] = {
    "odrl": (odrl_agreement, "application/ld+json"),
    "sharing-policy": (sharing_policy, "application/json"),
}


@pages.get("/agreements/<agreement>/as/<form>.json")
@guarded(Action.AGREEMENT_READ, realm=Realm.PERSON)
def agreement_as(agreement: str, form: str, *, caller: Caller) -> Response:
    """Give an agreement as ODRL 2.2 JSON-LD with DPV terms, or as a sharing policy."""
    bundle = inputs().bundle
    found = bundle.agreements.get(agreement)
    if found is None or form not in FORMS:
        raise UsageError(
            "policy/unknown-agreement",
            "There is no agreement of that id, or not in that form.",
            remedy="The list shows those that load.",
        )
    written, kind = FORMS[form]
    document = written(found, bundle, standing=standings(bundle)[agreement])
    return _download(f"{agreement}-{form}.json", document, kind)


@pages.get("/processing.json")
@guarded(Action.AGREEMENT_READ, realm=Realm.PERSON)
def processing(*, caller: Caller) -> Response:
    """Give the record of processing activities."""
    bundle = inputs().bundle
    return _download(
        "record-of-processing.json", record_of_processing(bundle, standings=standings(bundle))
    )


@pages.get("/releases/<release>/lineage.json")
@guarded(Action.RELEASE_READ, realm=Realm.PERSON)
def lineage(release: str, *, caller: Caller) -> Response:
    """Give a release as OpenLineage events, with the lineage of each column."""
    with desk().database.read() as connection:
        found = release_lineage.events_of(connection, release)
    return _download(f"lineage-{release}.json", found)


@pages.get("/traces/releases")
@guarded(Action.RELEASE_READ, realm=Realm.PERSON)
def released(*, caller: Caller) -> Any:
    """Show every column that left under a clause, and every clause that let a column leave."""
    wanted = {name: request.args.get(name, "").strip()[:100] for name in ASKED}
    whole = request.args.get("as") == "csv"
    with desk().database.read() as connection:
        packages = None if whole else NEWEST
        found = list(released_columns.released(connection, **wanted, packages=packages))
    if whole:
        rows = [[str(getattr(each, name)) for name in COLUMNS] for each in found]
        answer = Response(as_csv(COLUMNS, rows), mimetype="text/csv")
        answer.headers["Content-Disposition"] = 'attachment; filename="released-columns.csv"'
        return answer
    return render_template(
        "policies/released.html",
        found=found[:MOST_SHOWN],
        more=len(found) > MOST_SHOWN,
        wanted=wanted,
        newest=NEWEST,
        agreements=sorted(inputs().bundle.agreements),
    )


def _download(
    name: str,
    document: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    kind: str = "application/json",
) -> Response:
    text = bytearray()
    for piece in json.JSONEncoder(ensure_ascii=False, indent=2, default=str).iterencode(document):
        text += piece.encode()  # a list of all pieces would take many times the document
    answer = Response(bytes(text) + b"\n", mimetype=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
