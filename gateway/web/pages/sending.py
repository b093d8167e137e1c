"""Partners' pages: what they may send and why, and what became of what they sent.

Each page shows the caller's own party alone.

Source: docs/explanation/service.md, "Callers"; security points 2 and 11; UK GDPR Art 14.
"""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request

from gateway.adapters import extract_list, receipts, upload_records
from gateway.errors import UsageError
from gateway.model import Contract
from gateway.model.permissions import Action
from gateway.policy import Bundle
from gateway.web import extracts_known, findings, states
from gateway.web.asking import asked_of, sent_by
from gateway.web.callers import Caller, Realm
from gateway.web.desk import desk
from gateway.web.documents import dataset_title, in_force, inputs, party_title
from gateway.web.guards import guarded

pages = Blueprint("sending", __name__)
A_PAGE = 25


@pages.get("/send")
@guarded(Action.EXTRACT_UPLOAD, realm=Realm.PERSON)
def what_to_send(*, caller: Caller) -> str:
    """Show each dataset that the caller's party sends."""
    bundle = inputs().bundle
    with desk().database.read() as connection:
        last = {
            line.dataset: line
            for line in extract_list.latest(connection)
            if line.party == caller.party
        }
        open_ones = upload_records.unfinished(connection, party=caller.party, at=desk().now())
    return render_template(
        "sending/datasets.html",
        party=party_title(bundle, caller.party),
        contracts=[
            (contract, dataset_title(bundle, contract.id), last.get(contract.id))
            for contract in sent_by(bundle, caller.party)
        ],
        states=states.EXTRACTS,
        unfinished=[(each, dataset_title(bundle, each.dataset)) for each in open_ones],
    )


@pages.get("/send/<dataset>")
@guarded(Action.EXTRACT_UPLOAD, realm=Realm.PERSON)
def why(dataset: str, *, caller: Caller) -> str:
    """Show what one dataset asks for, column by column, and why."""
    read = inputs()
    contract = contract_of(read.bundle, dataset, party=caller.party)
    return render_template(
        "sending/why.html",
        party=party_title(read.bundle, caller.party),
        title=dataset_title(read.bundle, dataset),
        asked=asked_of(read.bundle, contract, caller.party, in_force=in_force(read)),
    )


@pages.get("/sent")
@guarded(Action.RECEIPT_READ, realm=Realm.PERSON)
def history(*, caller: Caller) -> str:
    """Show what the caller's party sent, newest first."""
    number = page_number()
    with desk().database.read() as connection:
        lines = extract_list.listed(
            connection, party=caller.party, limit=A_PAGE + 1, offset=(number - 1) * A_PAGE
        )
    bundle = inputs().bundle
    return render_template(
        "sending/history.html",
        lines=[(line, dataset_title(bundle, line.dataset)) for line in lines[:A_PAGE]],
        states=states.EXTRACTS,
        replaced=states.REPLACED,
        page=number,
        more=len(lines) > A_PAGE,
    )


@pages.get("/sent/<extract>")
@guarded(Action.RECEIPT_READ, realm=Realm.PERSON)
def one(extract: str, *, caller: Caller) -> str:
    """Show what was found in one file, and its receipt."""
    record = extracts_known.extract(extract, party=caller.party)
    bundle = inputs().bundle
    return render_template(
        "sending/extract.html",
        record=record,
        title=dataset_title(bundle, record.dataset),
        state=extracts_known.state_of(record),
        read_instead=extracts_known.read_instead(record),
        found=findings.shown(record, bundle.contracts.get(record.dataset)),
        failing=findings.failing(record),
        has_rows=extracts_known.has_rows(record),
        has_receipt=extracts_known.has_receipt(record),
    )


@pages.get("/sent/<extract>/rows.csv")
@guarded(Action.RECEIPT_READ, realm=Realm.PERSON)
def rows(extract: str, *, caller: Caller) -> Response:
    """Give the numbers of failing rows as a file, without any value."""
    return row_list(extract, party=caller.party)


@pages.get("/sent/<extract>/receipt.jws")
@guarded(Action.RECEIPT_READ, realm=Realm.PERSON)
def receipt(extract: str, *, caller: Caller) -> Response:
    """Give the signed receipt as a file, to keep and to verify."""
    record = extracts_known.extract(extract, party=caller.party)
    with desk().database.read() as connection:
        signed = receipts.read(connection, record.id)
    answer = Response(signed, mimetype="application/jose")
    answer.headers["Content-Disposition"] = f'attachment; filename="{record.id}.jws"'
    return answer


def row_list(extract: str, *, party: str | None) -> Response:
    """The answer that downloads an extract's row list."""
    record = extracts_known.extract(extract, party=party)
    answer = Response(extracts_known.rows_text(record), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{record.id}-rows.csv"'
    return answer


def contract_of(bundle: Bundle, dataset: str, *, party: str) -> Contract:
    """The contract of a dataset that a party sends.

    Raises:
        UsageError: the party sends no such dataset; an unknown one is answered alike.
    """
    contract = bundle.contracts.get(dataset)
    if contract is None or party not in contract.parties:
        raise UsageError(
            "sending/unknown",
            "Your organisation sends no dataset of that name.",
            remedy="Start again from the list of what you may send.",
        )
    return contract


def page_number() -> int:
    """The page of a list that is asked for; nonsense is the first."""
    return max(1, min(10_000, request.args.get("page", default=1, type=int)))
