"""The form of a new agreement: each field of the public register that stands before any purpose.

Of the register's eighteen fields an agreement answers these; its purposes answer the
others (what for, by which power, what is disclosed, how long it is kept).

Source: DEA 2017 register; ICO data sharing code, annex A; WASPI framework.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from gateway.adapters.policy_templates import NewAgreement, begin
from gateway.model.keys import ID
from gateway.web.form_values import Fault, day, fault, several

_TEXTS = {
    "title": "the title",
    "benefits": "what people gain from it",
    "areas": "the areas",
    "method": "how it is shared",
}
# As the form asks them.
_ORDER = (
    *("title", "id", "benefits", "areas", "method", "contact"),
    *("starts", "review", "controller", "parties"),
)


def new_agreement(form: Mapping[str, str]) -> tuple[tuple[str, str] | None, list[Fault]]:
    """Read the form of a new agreement: its path and first text, or every fault."""
    faults = _faults(form)
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
            areas=tuple(each.strip() for each in form["areas"].split(",") if each.strip()),
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
    return (f"agreements/{_of(form, 'id')}.toml", text), []


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
    faults = ((told, at) for held, told, at in wanted if not held)
    return [fault(*each) for each in sorted(faults, key=lambda each: _ORDER.index(each[1]))]


def _reviewed(form: Mapping[str, str], starts: dt.date | None, ends: dt.date | None) -> bool:
    """Whether the day of the review is left to the template or lies within the agreement."""
    typed = _of(form, "review")
    review = day(typed)
    return not typed or bool(review and starts and ends and starts <= review <= ends)


def _of(form: Mapping[str, str], name: str) -> str:
    return form.get(name, "").strip()
