"""Forms of a draft about the agreement itself: its parts, what never leaves, one more purpose.

As with fields, a choice is offered from the documents, and every fault is said at once.

Source: docs/reference/policy.md; ICO data sharing code, annex A; WASPI framework.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import get_args

from gateway.adapters.policy_editing import Value
from gateway.adapters.policy_templates import NewPurpose
from gateway.model.keys import ID
from gateway.policy.reading import read
from gateway.policy.vocabulary import Identifier
from gateway.web.draft_forms import CLAUSE
from gateway.web.form_values import Fault, day, fault, first_of_each, is_k, several, unfit
from gateway.web.release_columns import recipient_title
from gateway.web.workshop import DraftView

STATES: Mapping[str, str] = {
    "anonymous": "Nobody can be recognised",
    "de-identified": "No names; people are hard to recognise",
    "pseudonymised": "A pseudonym in place of the name",
    "identified": "Who they are is sent",
}
FORMS: Mapping[str, str] = {
    "link-id": "A random number for each person, new for each release",
    "pseudonym": "A pseudonym made for this recipient alone",
    "tokens": "Keyed tokens for a linkage unit",
    "sealed-clear": "Who they are, sealed to this recipient",
    "none": "Nothing that tells rows of one person apart",
}
# Tokens need a key and a list of tokens, which are said as text.
ROW_FORMS = {key: told for key, told in FORMS.items() if key != "tokens"}
NUMBERS: Mapping[str, str] = {
    "nhs_number": "NHS number",
    "upn": "Unique pupil number",
    "nino": "National Insurance number",
    "pnc_id": "Police National Computer number",
    "local_id": "A number of our own",
}
_CHOICES = {
    "participation": "Choose by what right people are in it",
    "household": "Choose what happens if one member may not be shared",
    "recipient": "Choose who receives it",
    "form": "Choose what tells them who a row is about",
    "state": "Choose what the notice promised",
}
# As the form of a new purpose asks them.
_ORDER = (
    *("title", "id", "clause", "legal_bases", "subjects", "participation", "household"),
    *("recipient", "form", "k", "retain_until", "duties", "notice", "state"),
)
_TEXTS = {
    "title": "title",
    "benefits": "what people gain",
    "areas": "areas",
    "method": "method",
    "contact": "contact",
}
# What is typed, as the forms call it.
_TYPED = {
    "title": "Title",
    "benefits": "What people gain",
    "areas": "Areas",
    "method": "How it is shared",
    "contact": "Contact",
    "dpia": "Impact assessment",
    "complaints": "Where people complain",
    "data_protection_officer": "Data protection officer",
}
_TYPED_OF_PURPOSE = {"title": "What it is for", "id": "Id", "notice": "Which notice"}
_OPTIONAL = ("dpia", "under", "complaints", "data_protection_officer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What the form of a new purpose may offer, each with its meaning."""

    cohorts: Mapping[str, str]
    recipients: Mapping[str, str]
    fields: Mapping[str, str]
    identifiers: Mapping[str, str]
    states: Mapping[str, str]
    forms: Mapping[str, str]


def offered(view: DraftView) -> Offered:
    """The cohorts and recipients of the documents, and the words of the notice."""
    bundle = view.bundle
    return Offered(
        cohorts={name: each.meaning for name, each in sorted(bundle.vocabulary.cohorts.items())},
        recipients={name: recipient_title(bundle, name) for name in sorted(bundle.recipients)},
        fields={
            name: f"{name}: {each.meaning}"
            for name, each in sorted(bundle.vocabulary.fields.items())
        },
        identifiers={
            each: NUMBERS.get(each, each.replace("_", " ").capitalize())
            for each in get_args(Identifier)
        },
        states=STATES,
        forms=FORMS,
    )


def agreement_parts(form: Mapping[str, str]) -> tuple[dict[str, Value], list[Fault]]:
    """Read the form of the agreement itself: its parts, or every fault."""
    faults = unfit(form, _TYPED)
    faults += [
        fault(f"Enter the {told}", name)
        for name, told in _TEXTS.items()
        if not _of(form, name).strip(", ")
    ]
    review, ends = day(form.get("review", "")), day(form.get("ends", ""))
    if review is None:
        faults.append(fault("Enter the day of the review, like 2027-06-30", "review"))
    if ends is None:
        faults.append(fault("Enter the last day, like 2028-03-31", "ends"))
    parties = several(form, "parties")
    if not parties:
        faults.append(fault("Choose at least one party", "parties"))
    if faults or review is None or ends is None:
        return {}, first_of_each(faults)
    parts: dict[str, Value] = {name: _of(form, name) for name in (*_TEXTS, *_OPTIONAL)}
    areas = [each.strip() for each in form.get("areas", "").split(",") if each.strip()]
    parts |= {"review": review, "ends": ends, "parties": parties, "areas": areas}
    return parts | {"processors": several(form, "processors")}, []


def prohibition(form: Mapping[str, str]) -> tuple[dict[str, str], list[Fault]]:
    """Read what never leaves: the field, the clause that says so, and why."""
    parts = {name: _of(form, name) for name in ("field", "clause", "because")}
    faults = unfit(form, {"because": "Why it never leaves"})
    if not parts["field"]:
        faults.append(fault("Choose what never leaves", "field"))
    if not CLAUSE.fullmatch(parts["clause"]):
        faults.append(fault("Enter the clause that says so, like 3.2", "clause"))
    if not parts["because"]:
        faults.append(fault("Enter why it never leaves", "because"))
    return parts, first_of_each(faults)


def new_purpose(form: Mapping[str, str], view: DraftView) -> tuple[NewPurpose | None, list[Fault]]:
    """Read the form of a new purpose with its first output, or every fault."""
    faults = [*unfit(form, _TYPED_OF_PURPOSE), *_purpose_faults(form, view)]
    subjects, until = _of(form, "subjects"), day(form.get("retain_until", ""))
    cohort = view.bundle.vocabulary.cohorts.get(subjects)
    if cohort is None:
        faults.append(fault("Choose whom it is about", "subjects"))
    if until is None:
        faults.append(fault("Enter the day of destruction, like 2028-03-31", "retain_until"))
    if faults or cohort is None or until is None:
        asked = first_of_each(faults)
        return None, sorted(asked, key=lambda each: _ORDER.index(each["href"].removeprefix("#")))
    return NewPurpose(
        id=_of(form, "id"),
        title=_of(form, "title"),
        clause=_of(form, "clause"),
        legal_bases=tuple(several(form, "legal_bases")),
        subjects=subjects,
        spine=cohort.from_,
        participation=_of(form, "participation"),
        household=_of(form, "household"),
        retain_until=until,
        duties=tuple(several(form, "duties")),
        notice=_of(form, "notice"),
        state=_of(form, "state"),
        identifiers=tuple(several(form, "identifiers")),
        output="payload",
        recipient=_of(form, "recipient"),
        form=_of(form, "form"),
        k=int(_of(form, "k")),
        take="latest" if _of(form, "take") == "latest" else "one",
    ), []


def _purpose_faults(form: Mapping[str, str], view: DraftView) -> list[Fault]:
    """Faults of what is asked but for the choices that only the documents know."""
    wanted = (
        (ID.fullmatch(_of(form, "id")), "Enter an id of a-z, 0-9 and hyphens", "id"),
        (
            _of(form, "id") not in _purposes(view),
            "There is a purpose of this id already: choose another id",
            "id",
        ),
        (_of(form, "title"), "Enter what it is for, in a few words", "title"),
        (CLAUSE.fullmatch(_of(form, "clause")), "Enter its clause, like 4.2", "clause"),
        (several(form, "legal_bases"), "Choose at least one legal basis", "legal_bases"),
        (several(form, "duties"), "Choose at least one duty", "duties"),
        (_of(form, "notice"), "Enter which notice people were given, like trafford-2026", "notice"),
        (is_k(_of(form, "k")), "Enter a group size from 2 to 1000", "k"),
        *((_of(form, name), told, name) for name, told in _CHOICES.items()),
    )
    return [fault(text, at) for held, text, at in wanted if not held]


def _purposes(view: DraftView) -> Collection[str]:
    """The ids of the draft's purposes, also where it does not load."""
    paths = (each for each in view.draft.changes if each.startswith("agreements/"))
    path = next(paths, "")
    found = read(path, view.draft.changes.get(path, ""))[0].get("purposes")
    return found if isinstance(found, Mapping) else ()


def _of(form: Mapping[str, str], name: str) -> str:
    return " ".join(form.get(name, "").split())
