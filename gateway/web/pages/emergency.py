"""Emergency disclosures: ask, confirm, file the reason, and see what was disclosed.

The pages seal what is typed and open nothing. The second person sees which columns leave
and no value; whoever oversees disclosures sees all of them.

Source: requirement R29; security points 1, 2, 4; docs/how-to/disclose-in-an-emergency.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for

from gateway.adapters import emergency_records, job_records, reading_once
from gateway.errors import InputRejected
from gateway.model.permissions import Action
from gateway.model.urgent import FIELDS, LONGEST, Asked
from gateway.web import cookies
from gateway.web import emergencies_shown as shown
from gateway.web.callers import Caller, Realm
from gateway.web.desk import desk
from gateway.web.guards import guarded
from gateway.wiring import emergency_office

pages = Blueprint("emergency", __name__)
READING = "gateway-reading"
_FORM = re.compile(r"[a-z2-7]{26}")


@pages.get("/emergency")
@guarded(Action.EMERGENCY_REASON, realm=Realm.PERSON)
def every(*, caller: Caller) -> str:
    """Show what the caller takes part in, may confirm, or oversees."""
    with desk().database.read() as connection:
        found = [each for each in emergency_records.listed(connection) if shown.sees(caller, each)]
    return render_template(
        "emergency/every.html",
        lines=[shown.line(caller, _told(each.id)) for each in found],
        may_ask=shown.may(caller, Action.EMERGENCY_ASK),
        owes=caller.owes,
    )


@pages.get("/emergency/new")
@guarded(Action.EMERGENCY_ASK, realm=Realm.PERSON)
def new(*, caller: Caller) -> str:
    """Show the form."""
    return _form({}, [])


@pages.post("/emergency/new")
@guarded(Action.EMERGENCY_ASK, realm=Realm.PERSON)
def ask(*, caller: Caller) -> Any:
    """Take what was typed, sealed; somebody else confirms it."""
    given = request.form
    wanted, faults = shown.chosen(given.get("to", "")), shown.missing(given)
    if wanted is None:
        faults = [{"text": "Choose who receives it", "href": "#to-1"}, *faults]
    if wanted is None or faults:
        return _form(given, faults), 422
    try:
        asked = _asked(given)
    except InputRejected as fault:
        return _form(given, [shown.fault(fault)]), 422
    form = given.get("form", "")
    made = _office().ask(wanted, asked, by=caller.name, form=form if _FORM.fullmatch(form) else "")
    return _to(made.id)


@pages.get("/emergency/<emergency>")
@guarded(Action.EMERGENCY_REASON, realm=Realm.PERSON)
def one(emergency: str, *, caller: Caller) -> str:
    """Show one: where it stands, what leaves by which clause, what the caller can do."""
    return _one(emergency, caller, [])


@pages.post("/emergency/<emergency>/confirm")
@guarded(Action.EMERGENCY_CONFIRM, realm=Realm.PERSON)
def confirm(emergency: str, *, caller: Caller) -> Any:
    """Confirm it as the second person; a worker makes it at once."""
    _office().confirm(emergency, by=caller.name)
    return _to(emergency)


@pages.post("/emergency/<emergency>/decline")
@guarded(Action.EMERGENCY_REASON, realm=Realm.PERSON)
def decline(emergency: str, *, caller: Caller) -> Any:
    """Say no as the second person, or take it back as the first."""
    _office().decline(emergency, by=caller.name)
    return _to(emergency)


@pages.post("/emergency/<emergency>/reason")
@guarded(Action.EMERGENCY_REASON, realm=Realm.PERSON)
def reason(emergency: str, *, caller: Caller) -> Any:
    """Take the reason that the caller owes, sealed."""
    try:
        _office().file_reason(emergency, request.form.get("reason", ""), by=caller.name)
    except InputRejected as fault:
        faults = [{"text": fault.sentence, "href": "#reason"}]
        return _one(emergency, caller, faults), 422
    return _to(emergency)


@pages.post("/emergency/<emergency>/seen")
@guarded(Action.EMERGENCY_READ, realm=Realm.PERSON)
def seen(emergency: str, *, caller: Caller) -> Any:
    """Write down that whoever oversees disclosures has seen it."""
    _office().seen(emergency, by=caller.name)
    return _to(emergency)


@pages.post("/emergency/<emergency>/reasons")
@guarded(Action.EMERGENCY_READ, realm=Realm.PERSON)
def ask_reasons(emergency: str, *, caller: Caller) -> Any:
    """Have the filed reasons opened for the caller, once; that counts as having seen it."""
    private, public = reading_once.new_pair()
    job = _office().ask_reasons(emergency, by=caller.name, reader=public)
    answer = redirect(url_for("emergency.reasons", emergency=emergency, job=job), 303)
    cookies.put(answer, READING, private)
    return answer


@pages.get("/emergency/<emergency>/reasons/<job>")
@guarded(Action.EMERGENCY_READ, realm=Realm.PERSON)
def reasons(emergency: str, job: str, *, caller: Caller) -> Any:
    """Show the reasons that the worker opened for the caller, and forget their key."""
    with desk().database.read() as connection:
        shown.require_sees(caller, emergency_records.find(connection, emergency))
        found = job_records.find(connection, job)
    shown.require_reading(caller, found, emergency)
    sealed = str(found.outcome.get("sealed", ""))
    private = cookies.read(request, READING) or ""
    texts = reading_once.opened_with(private, sealed) if sealed else None
    answer = make_response(
        render_template(
            "emergency/reasons.html",
            emergency=emergency,
            texts=texts,
            live=found.state not in job_records.OVER,
            opened=bool(sealed),
        )
    )
    if sealed:
        cookies.drop(answer, READING)
    return answer


def _one(emergency: str, caller: Caller, faults: list[dict[str, str]]) -> str:
    with desk().database.read() as connection:
        found = emergency_records.find(connection, emergency)
    shown.require_sees(caller, found)
    told = _told(emergency)
    return render_template(
        "emergency/one.html",
        **shown.page(caller, found, told),
        faults=faults,
    )


def _asked(given: Mapping[str, str]) -> Asked:
    """What was typed, checked by the room that reads identities, in a process beside this one."""
    identity = {name: given[name] for name in FIELDS if given.get(name, "").strip()}
    told = {name: given.get(name, "") for name in LONGEST}
    typed = {"told": told, "identity": json.dumps(identity)}
    return Asked(**desk().aside.asked("typed", typed))


def _form(values: Mapping[str, str], faults: list[dict[str, str]]) -> str:
    return render_template(
        "emergency/new.html",
        values=values,
        faults=faults,
        choices=shown.choices(),
        form=desk().new_id(),
    )


def _told(emergency: str) -> dict[str, Any]:
    return emergency_office.told(desk().database, emergency)


def _office() -> Any:
    return emergency_office.office(desk().settings, desk().database)


def _to(emergency: str) -> Any:
    return redirect(url_for("emergency.one", emergency=emergency), 303)
