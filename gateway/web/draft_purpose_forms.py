"""The form of a purpose: as the draft has it, as it was typed, and what it says.

Source: docs/reference/policy.md; GOV.UK Design System, "Error summary".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.adapters.policy_editing import Value
from gateway.web.form_values import Fault, day, several
from gateway.web.workshop import DraftView


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The smallest group of one output, as a form shows it."""

    output: str
    k: str
    small: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeForm:
    """A purpose as its form shows it: as the draft has it, or as it was typed."""

    title: str
    participation: str
    household: str
    take: str
    retain_until: str
    legal_bases: Sequence[str]
    duties: Sequence[str]
    limits: Sequence[Limit]


def purpose_values(view: DraftView, purpose: str) -> PurposeForm | None:
    """The purpose as the draft has it."""
    found = view.agreement.purposes.get(purpose) if view.agreement else None
    if found is None:
        return None
    return PurposeForm(
        title=found.title,
        participation=found.participation,
        household=found.household,
        take=found.take,
        retain_until=str(found.retain_until),
        legal_bases=found.legal_bases,
        duties=found.duties,
        limits=[
            Limit(output=name, k=str(output.disclosure.k), small=output.disclosure.on_small_group)
            for name, output in found.outputs.items()
            if output.disclosure
        ],
    )


def purpose_typed(form: Mapping[str, str]) -> PurposeForm:
    """The purpose as somebody typed it, faults and all."""
    texts = {key: form.get(key, "") for key in ("title", "participation", "household", "take")}
    outputs = [key.removeprefix("k.") for key in form if key.startswith("k.")]
    return PurposeForm(
        **texts,
        retain_until=form.get("retain_until", ""),
        legal_bases=several(form, "legal_bases"),
        duties=several(form, "duties"),
        limits=[
            Limit(output=each, k=form[f"k.{each}"], small=form.get(f"small.{each}", ""))
            for each in outputs
        ],
    )


def purpose_parts(
    form: Mapping[str, str],
) -> tuple[dict[str, Value], dict[str, tuple[int, str]], list[Fault]]:
    """Read the form of a purpose: its parts, the limits of its outputs, and every fault."""
    faults: list[Fault] = []
    until = day(form.get("retain_until", ""))
    if until is None:
        faults.append(
            {"text": "Enter the day of destruction, like 2028-03-31", "href": "#retain_until"}
        )
    duties, bases = several(form, "duties"), several(form, "legal_bases")
    title = form.get("title", "").strip()
    if not title:
        faults.append({"text": "Enter what it is for, in a few words", "href": "#title"})
    if not duties:
        faults.append({"text": "Choose at least one duty", "href": "#duties"})
    if not bases:
        faults.append({"text": "Choose at least one legal basis", "href": "#legal_bases"})
    limits: dict[str, tuple[int, str]] = {}
    for name in form:
        if name.startswith("k."):
            k = form[name].strip()
            if not (k.isascii() and k.isdigit() and 2 <= int(k[:6]) <= 1000):
                faults.append({"text": "Enter a group size from 2 to 1000", "href": f"#{name}"})
                continue
            output = name.removeprefix("k.")
            limits[output] = (int(k), form.get(f"small.{output}", "suppress"))
    parts: dict[str, Value] = {
        "title": title,
        "participation": form.get("participation", ""),
        "household": form.get("household", ""),
        "take": "latest" if form.get("take") == "latest" else "",
        "retain_until": until or "",
        "duties": duties,
        "legal_bases": bases,
    }
    return parts, limits, faults
