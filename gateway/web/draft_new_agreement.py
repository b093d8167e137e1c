"""The form of a new agreement: each field of the public register that stands before any purpose.

Of the register's eighteen fields an agreement answers these; its purposes answer the
others (what for, by which power, what is disclosed, how long it is kept).

Source: DEA 2017 register; ICO data sharing code, annex A; WASPI framework.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.adapters.policy_reading import reader
from gateway.adapters.policy_templates import NewAgreement, begin
from gateway.model.keys import ID
from gateway.web.form_values import Fault, day, fault, first_of_each, several, unfit

_TEXTS = {
    "title": "the title",
    "benefits": "what people gain from it",
    "areas": "the areas",
    "method": "how it is shared",
}
# What is typed, as the form calls it.
_TYPED = {
    "title": "Title",
    "id": "Id",
    "benefits": "What people gain",
    "areas": "Areas",
    "method": "How it is shared",
    "contact": "Contact",
    "dpia": "Impact assessment",
}
# As the form asks them.
_ORDER = (
    *("title", "id", "under", "benefits", "areas", "method", "contact", "dpia"),
    *("starts", "review", "ends", "controller", "parties", "processors"),
)
# Where the form asks for a key of the document that it calls otherwise.
_ASKED = {"controllers": "controller"}
# Findings that name no key: what is wrong is in an address.
_AT_CONTACT = "policy/retired-mail-domain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A new agreement as its form gives it: what its first draft holds."""

    id: str
    title: str
    path: str
    text: str


def new_agreement(
    form: Mapping[str, str], documents: Mapping[str, str], *, taken: str = ""
) -> tuple[Begun | None, list[Fault]]:
    """Read the form of a new agreement: what it begins with, or every fault.

    Args:
        form: as a browser sends it.
        documents: the current texts, beside which the new one has to be read.
        taken: why its id is somebody's already; "" where it is not.
    """
    faults = _ordered([*([fault(taken, "id")] if taken else []), *_faults(form)])
    starts, ends = day(form.get("starts", "")), day(form.get("ends", ""))
    if faults or starts is None or ends is None:
        return None, faults
    text = begin(
        NewAgreement(
            id=_of(form, "id"),
            title=_of(form, "title"),
            controllers=tuple(several(form, "controller")),
            parties=tuple(several(form, "parties")),
            benefits=_of(form, "benefits"),
            areas=tuple(each.strip() for each in _of(form, "areas").split(",") if each.strip()),
            contact=_of(form, "contact"),
            dpia=_of(form, "dpia") or "To be written",
            starts=starts,
            ends=ends,
            review=day(form.get("review", "")),
            method=_of(form, "method"),
            processors=tuple(several(form, "processors")),
            under=_of(form, "under"),
        )
    )
    begun = Begun(
        id=_of(form, "id"),
        title=_of(form, "title"),
        path=f"agreements/{_of(form, 'id')}.toml",
        text=text,
    )
    refused = _refused(begun, documents)
    return (None, refused) if refused else (begun, [])


def _refused(begun: Begun, documents: Mapping[str, str]) -> list[Fault]:
    """What the strict reader finds in the new text, each at its part of the form."""
    _, findings = reader().load({**documents, begun.path: begun.text})
    found = []
    for each in findings:
        if each.document == begun.path:
            key = "contact" if each.code == _AT_CONTACT else ""
            key = str(each.path[0]) if each.path else key
            asked = _ASKED.get(key, key)
            told = f"{_TYPED[asked]}: {each.sentence}" if asked in _TYPED else each.sentence
            told = f"{told[:1].upper()}{told[1:]} {each.remedy}".strip()
            found.append(fault(told, asked if asked in _ORDER else "title"))
    return _ordered(found)


def _faults(form: Mapping[str, str]) -> list[Fault]:
    starts, ends = day(form.get("starts", "")), day(form.get("ends", ""))
    wanted = (
        *((_of(form, key).strip(","), f"Enter {told}", key) for key, told in _TEXTS.items()),
        (ID.fullmatch(_of(form, "id")), "Enter an id of a-z, 0-9 and hyphens", "id"),
        ("@" in form.get("contact", ""), "Enter an email address to write to", "contact"),
        (starts and ends and starts < ends, "Enter a first day and a later last day", "starts"),
        (_reviewed(form, starts, ends), "Enter a review between first and last day", "review"),
        (several(form, "controller"), "Choose at least one controller", "controller"),
        (several(form, "parties"), "Choose at least one party", "parties"),
    )
    faults = [fault(told, at) for held, told, at in wanted if not held]
    return _ordered([*unfit(form, _TYPED), *faults])


def _ordered(faults: Iterable[Fault]) -> list[Fault]:
    """One fault for each field, as the form asks them."""
    return sorted(
        first_of_each(faults), key=lambda each: _ORDER.index(each["href"].removeprefix("#"))
    )


def _reviewed(form: Mapping[str, str], starts: dt.date | None, ends: dt.date | None) -> bool:
    """Whether the day of the review is left to the template or lies within the agreement."""
    typed = _of(form, "review")
    review = day(typed)
    return not typed or bool(review and starts and ends and starts <= review <= ends)


def _of(form: Mapping[str, str], name: str) -> str:
    return " ".join(form.get(name, "").split())
