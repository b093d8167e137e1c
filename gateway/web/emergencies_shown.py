"""Emergency disclosures as pages show them: who sees which, and what they can do there.

Source: security points 1, 4; docs/how-to/disclose-in-an-emergency.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.adapters.emergency_records import WAITING, Emergency, EmergencyState
from gateway.adapters.emergency_rules import Wanted, plan_from
from gateway.adapters.emergency_rules import choices as rules_choices
from gateway.adapters.job_records import Job, JobKind
from gateway.errors import InputRejected, RefusedError, UsageError
from gateway.model import Plan
from gateway.model.permissions import Action, barred, permits
from gateway.model.urgent import FIELDS, LONGEST
from gateway.web import release_choice, release_columns, states
from gateway.web.callers import Caller
from gateway.web.desk import desk
from gateway.web.documents import inputs
from gateway.web.release_columns import recipient_title

# What the form cannot do without, as it asks for it; a national number stands for the person.
ASKED: Mapping[str, str] = {
    "forename": "Enter the forename",
    "surname": "Enter the surname",
    "date_of_birth": "Enter the date of birth",
    "risk_statement": "Enter what harm is feared",
    "contact_route": "Enter how the authority reaches you",
}
NUMBERS = ("nhs_number", "upn", "nino")
LIVE = frozenset({EmergencyState.ASKED, EmergencyState.CONFIRMED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One authority under one agreement."""

    value: str
    title: str
    about: str


def may(caller: Caller, action: Action) -> bool:
    """Whether the caller may do it now."""
    return bool(permits(action, caller.roles)) and not barred(action, caller.owes)


def sees(caller: Caller, found: Emergency) -> bool:
    """One's own, what one may confirm, or all for whoever oversees them."""
    if caller.name in found.people or may(caller, Action.EMERGENCY_READ):
        return True
    return found.state in WAITING and may(caller, Action.EMERGENCY_CONFIRM)


def require_sees(caller: Caller, found: Emergency) -> None:
    """Answer about what is not the caller's as about what is not there.

    Raises:
        UsageError: `emergency/unknown`.
    """
    if not sees(caller, found):
        raise UsageError(
            "emergency/unknown",
            "There is no emergency disclosure with this id.",
            remedy="The page of emergency disclosures lists them.",
        )


def require_reading(caller: Caller, job: Job, emergency: str) -> None:
    """Answer about a reading that is not the caller's as about what is not there.

    Raises:
        UsageError: `emergency/unknown`.
    """
    mine = job.kind is JobKind.REASONS and job.by == caller.name
    if not mine or job.request.get("emergency") != emergency:
        raise UsageError(
            "emergency/unknown",
            "There is no emergency disclosure with this id.",
            remedy="The page of emergency disclosures lists them.",
        )


def choices() -> list[Choice]:
    """Each authority to which something may be disclosed as things stand now."""
    read = inputs()
    found = []
    for wanted, plan in rules_choices(read, on=desk().now().date()):
        _, agreement = release_choice.titles(read.bundle, wanted.purpose, wanted.agreement)
        found.append(
            Choice(
                value=_value(wanted),
                title=recipient_title(read.bundle, wanted.recipient),
                about=f"{agreement}, clause {plan.outputs[0].clause}",
            )
        )
    return found


def chosen(value: str) -> Wanted | None:
    """The choice that a form names, if it is one."""
    read = inputs()
    every = (wanted for wanted, _plan in rules_choices(read, on=desk().now().date()))
    return next((wanted for wanted in every if _value(wanted) == value), None)


def missing(given: Mapping[str, str]) -> list[dict[str, str]]:
    """What the form lacks, every part of it by its question."""
    lacks = [name for name in ASKED if not given.get(name, "").strip()]
    if any(given.get(name, "").strip() for name in NUMBERS):
        lacks = [name for name in lacks if name in LONGEST]  # a number finds a person too
    return [{"text": ASKED[name], "href": f"#{name}"} for name in lacks]


def fault(no: InputRejected) -> dict[str, str]:
    """What is wrong with the form, and where."""
    plain = no.sentence.replace("row 1, ", "")
    words = {name: name.replace("_", " ") for name in (*LONGEST, *FIELDS)}
    named = [name for name in LONGEST if words[name] in plain]
    named += [name for name in FIELDS if f"{name}:" in plain]
    for name in FIELDS:
        plain = plain.replace(f"{name}:", f"{words[name]}:")
    remedy = no.remedy if no.code == "emergency/too-little" else ""
    href = f"#{named[0]}" if named else "#forename"
    return {"text": f"{plain} {remedy}".strip(), "href": href}


def line(caller: Caller, told: Mapping[str, Any]) -> dict[str, Any]:
    """One line of the list."""
    return {
        **told,
        "title": recipient_title(inputs().bundle, told["recipient"]),
        "shown": states.EMERGENCIES[told["state"]],
        "mine": _owes(caller, told),
    }


def page(caller: Caller, found: Emergency, told: Mapping[str, Any]) -> dict[str, Any]:
    """What the page of one says."""
    plan, refusal = _plan(found)
    read = inputs()
    waits = found.state is EmergencyState.FOUND and not found.lapsed(desk().now())
    overseeing = may(caller, Action.EMERGENCY_READ) and caller.name not in found.people
    second = may(caller, Action.EMERGENCY_CONFIRM) and caller.name != found.asked_by
    return {
        "told": told,
        "state": states.EMERGENCIES[found.state],
        "live": found.state in LIVE,
        "titles": release_choice.titles(read.bundle, found.purpose, found.agreement),
        "recipient": recipient_title(read.bundle, found.recipient),
        "outputs": release_columns.of_plan(plan, read.bundle) if plan else [],
        "refusal": refusal,
        "may_confirm": waits and second and plan is not None,
        "may_decline": waits and (second or caller.name == found.asked_by),
        "lapsed": found.lapsed(desk().now()),
        "owes": _owes(caller, told),
        "may_see": overseeing and not found.read_by,
        "may_read": overseeing,
        "may_release": may(caller, Action.RELEASE_READ),
    }


def _owes(caller: Caller, told: Mapping[str, Any]) -> str:
    """Until when the caller has to file a reason for it; "" if nothing is owed."""
    mine = [r for r in told["reasons"] if r["person"] == caller.name and not r["filed_at"]]
    return mine[0]["due"] if mine else ""


def _plan(found: Emergency) -> tuple[Plan | None, str]:
    try:
        return plan_from(inputs(), Wanted.of(found), on=desk().now().date()), ""
    except RefusedError as no:
        return None, no.sentence


def _value(wanted: Wanted) -> str:
    return f"{wanted.agreement}/{wanted.purpose}/{wanted.recipient}"
