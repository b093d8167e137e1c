"""Sending a file from the browser: by a plain form, or with scripts piece by piece (tus).

Without scripts the form's file is sealed as it arrives; one that breaks off is ended
and nothing of it is checked. With scripts the same page sends to `/api/v1/uploads`
and goes on where it stopped.

Source: docs/explanation/service.md, "An upload, exactly once"; security points 2, 8, 11.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for

from gateway.adapters import jobs
from gateway.adapters.keyring import open_ring
from gateway.adapters.uploads import Upload, Uploads, UploadState, of_settings
from gateway.errors import GatewayError, UsageError
from gateway.model.permissions import Action
from gateway.web import states
from gateway.web.callers import Caller, Realm
from gateway.web.desk import desk
from gateway.web.documents import dataset_title, inputs, party_title
from gateway.web.form_file import FormFile
from gateway.web.guards import guarded
from gateway.web.page_rules import page_rules
from gateway.web.pages.sending import contract_of
from gateway.web.precheck_words import DECLINED

pages = Blueprint("uploading", __name__)
FIELD = "file"
NOT_CHOSEN = "Choose the file that you want to send"
EMPTY = "The file is empty. Choose another one"
BROKEN_OFF = "The file did not arrive whole. Choose it again"


@pages.get("/send/<dataset>/file")
@guarded(Action.EXTRACT_UPLOAD, realm=Realm.PERSON)
def form(dataset: str, *, caller: Caller) -> str:
    """Show the page to send a file from."""
    return _form(dataset, caller)


@pages.get("/send/<dataset>/rules.json")
@guarded(Action.EXTRACT_UPLOAD, realm=Realm.PERSON)
def rules(dataset: str, *, caller: Caller) -> Response:
    """Give the rules by which the page checks a file before any of it is sent."""
    read = inputs()
    contract = contract_of(read.bundle, dataset, party=caller.party)
    return Response(page_rules(read, contract), mimetype="application/json")


@pages.post("/send/<dataset>/file")
@guarded(Action.EXTRACT_UPLOAD, realm=Realm.PERSON)
def send(dataset: str, *, caller: Caller) -> Any:
    """Take in the form's file, sealed as it comes; then show how its check goes on."""
    contract_of(inputs().bundle, dataset, party=caller.party)
    try:
        file = FormFile(request, FIELD)
    except UsageError:
        return _form(dataset, caller, fault=NOT_CHOSEN), 422
    if not file.chosen:
        return _form(dataset, caller, fault=NOT_CHOSEN), 422
    upload = _taken(file, dataset, caller)
    if upload is None:
        fault = EMPTY if file.whole() else BROKEN_OFF
        return _form(dataset, caller, fault=fault), 422
    return redirect(url_for("uploading.progress", upload=upload.id), 303)


@pages.get("/uploads/<upload>")
@guarded(Action.RECEIPT_READ, realm=Realm.PERSON)
def progress(upload: str, *, caller: Caller) -> Any:
    """Show how far an upload and its check are; then its receipt."""
    found = uploads().head(upload, party=caller.party)
    if found.state is UploadState.DONE:
        return redirect(url_for("sending.one", extract=found.extract), 303)
    job = None
    if found.job:
        with desk().database.read() as connection:
            job = jobs.find(connection, found.job)
    return render_template(
        "sending/progress.html",
        upload=found,
        job=job,
        title=dataset_title(inputs().bundle, found.dataset),
        state=states.UPLOADS[found.state],
        live=found.state in {UploadState.COMPLETE, UploadState.CHECKING},
    )


@pages.post("/uploads/<upload>/end")
@guarded(Action.EXTRACT_UPLOAD, realm=Realm.PERSON)
def end(upload: str, *, caller: Caller) -> Any:
    """End an upload that is not whole; also one that a colleague or a program began."""
    uploads().terminate(upload, party=caller.party)
    return redirect(url_for("sending.what_to_send", _anchor="unfinished"), 303)


def uploads() -> Uploads:
    """The uploads of this data directory, sealed to this month's public key."""
    here = desk()
    ring = open_ring(here.settings)
    return of_settings(here.settings, here.database, recipient=ring.upload_recipient, now=here.now)


def _form(dataset: str, caller: Caller, *, fault: str = "") -> str:
    bundle = inputs().bundle
    contract = contract_of(bundle, dataset, party=caller.party)
    return render_template(
        "sending/file.html",
        contract=contract,
        party=party_title(bundle, caller.party),
        title=dataset_title(bundle, dataset),
        faults=[{"text": fault, "href": f"#{FIELD}"}] if fault else [],
        fault=fault,
        limit=uploads().limits.longest >> 20,
        declined=DECLINED,
    )


def _taken(file: FormFile, dataset: str, caller: Caller) -> Upload | None:
    """Seal the file's bytes; none of it stays where it does not arrive whole, or is empty."""
    into = uploads()
    upload = into.create(dataset=dataset, party=caller.party, by=caller.name)
    try:
        arrived = into.append(upload.id, 0, file, party=caller.party)
        if not file.whole() or not arrived.offset:
            into.terminate(upload.id, party=caller.party)
            return None
        return into.complete(arrived)
    except GatewayError:
        into.terminate(upload.id, party=caller.party)
        raise
