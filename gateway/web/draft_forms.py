"""What the forms of the workshop show and take: choices from the documents, never free keys.

A choice that the documents do not offer cannot be made by form; a form's fault is
said at its field, all of them at once.

Source: docs/reference/policy.md; GOV.UK Design System, "Error summary".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.adapters import policy_editing as editing
from gateway.adapters.policy_editing import FieldEdit
from gateway.adapters.policy_reading import reader
from gateway.errors import InputRejected
from gateway.policy import Bundle
from gateway.policy.agreements import Output, Purpose
from gateway.policy.column_names import RESERVED
from gateway.policy.rereading import changed
from gateway.policy.treatments import AGE_TREATMENTS, SAID, is_treatment, said
from gateway.web.form_values import Fault, day, fault
from gateway.web.workshop import DraftView

CLAUSE = re.compile(r"[0-9A-Za-z][0-9A-Za-z.()-]{0,19}")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
# A rule that is there may be one of a range, like "FPD01..FPD58"; a column that is added is one.
NAME_OR_RANGE = re.compile(rf"{NAME.pattern}(\.\.{NAME.pattern})?")
NOT_A_TREATMENT = (
    "Enter threshold:N, band:N,N with each number larger than the one before, top-code:N, "
    "or round:N with N of 1 or more"
)
NO_DAY = "Enter the day at which the age is taken, like 2026-04-01, or the column that holds it"
# Where the form asks for what a finding is about; any other is about the treatment.
_PART_OF = {
    "policy/reserved-name": "name",
    "policy/duplicate-field": "name",
    "policy/key-malformed": "name",
    "policy/field-not-in-dataset": "column",
    "policy/unknown-field": "column",
    "policy/unknown-dataset": "column",
    "policy/age-without-date": "at",
    "policy/unexpected-at": "at",
    "policy/unknown-column": "at",
    "policy/missing-clause": "clause",
}
Limits = Mapping[str, tuple[int, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a form may offer: words of the documents with their meaning."""

    parties: Mapping[str, str]
    duties: Mapping[str, str]
    bases: Mapping[str, str]
    protocols: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One column of a source that may be added: where it is and what it means."""

    value: str
    dataset: str
    column: str
    meaning: str
    field_class: str
    sent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRow:
    """One field of an output in the table of a draft."""

    name: str
    treat: str
    clause: str
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputTable:
    """One output of a draft with its fields."""

    purpose: str
    purpose_title: str
    output: str
    recipient: str
    k: int | None
    tokens: tuple[str, ...]
    rows: tuple[FieldRow, ...]


def known(bundle: Bundle) -> Known:
    """The words that forms offer."""
    return Known(
        parties={key: party.title for key, party in sorted(bundle.vocabulary.parties.items())},
        duties=dict(sorted(bundle.vocabulary.duties.items())),
        bases={key: basis.provision for key, basis in sorted(bundle.legal_bases.items())},
        protocols={key: each.title for key, each in sorted(bundle.knowledge.protocols.items())},
    )


def tables(view: DraftView) -> list[OutputTable]:
    """The outputs of a draft that loads, with what leaves in each."""
    if view.agreement is None:
        return []
    return [
        OutputTable(
            purpose=key,
            purpose_title=purpose.title,
            output=name,
            recipient=output.recipient,
            k=output.disclosure.k if output.disclosure else None,
            tokens=tuple(each.replace("..", " to ") for each in output.tokens or ()),
            rows=tuple(
                FieldRow(name=field, treat=rule.treat, clause=rule.clause, told=said(rule.treat))
                for field, rule in output.fields.items()
            ),
        )
        for key, purpose in view.agreement.purposes.items()
        for name, output in purpose.outputs.items()
    ]


def field_choices(view: DraftView, purpose: str, output: str) -> list[Choice]:
    """The columns of the spine and the joins of a purpose, those already sent marked."""
    found = _purpose(view, purpose)
    if found is None or output not in found.outputs:
        return []
    sent = set(found.outputs[output].fields)
    datasets = (found.spine, *(join.source for join in found.joins or ()))
    return [
        Choice(
            value=f"{dataset}.{column.name}",
            dataset=dataset,
            column=column.name,
            meaning=_meaning(view.bundle, column.field),
            field_class=column.field_class.value,
            sent=column.name in sent or column.field in sent,
        )
        for dataset in datasets
        if dataset in view.bundle.contracts
        for column in view.bundle.contracts[dataset].columns
    ]


def treatments() -> list[tuple[str, str]]:
    """The treatments that a form offers, with their meaning."""
    return list(SAID.items())


def has(view: DraftView, purpose: str, output: str = "", field: str = "") -> bool:
    """Whether a draft has such a purpose, output and field; one that does not load may."""
    if view.agreement is None:
        return True
    found = _purpose(view, purpose)
    outputs = found.outputs if found else {}
    there = found is not None and (not output or output in outputs)
    return there and (not field or field in outputs[output].fields)


def field_values(view: DraftView, purpose: str, output: str, name: str) -> Mapping[str, str]:
    """What the form of a field shows: the field as it is, or nothing."""
    found = _output(view, purpose, output)
    rule = found.fields.get(name) if found else None
    if rule is None:
        return {"name": name}
    return {
        "name": name,
        "treat": rule.treat,
        "clause": rule.clause,
        "source": rule.source or "",
        "from": rule.from_ or "",
        "at": str(rule.at or ""),
    }


def field_edit(form: Mapping[str, str]) -> tuple[FieldEdit | None, list[Fault]]:
    """Read the form of a field; every fault at once."""
    faults: list[Fault] = []
    chosen = form.get("column", "")
    dataset, _, column = chosen.partition(".")
    name = form.get("name", "").strip() or column
    treat = form.get("treat", "")
    other = form.get("other", "").strip()
    treat = other if treat == "other" else treat
    clause = form.get("clause", "").strip()
    at = form.get("at", "").strip()
    if not (NAME if chosen else NAME_OR_RANGE).fullmatch(name):
        faults.append({"text": "Choose a column, or give the field a name", "href": "#column"})
    if name.casefold() in RESERVED:
        faults.append(fault(f"Choose another name: {name} is written by the gateway", "name"))
    if not treat:
        faults.append({"text": "Choose how the field is treated", "href": "#treat"})
    elif not is_treatment(treat):
        faults.append(fault(NOT_A_TREATMENT, "other"))
    if not CLAUSE.fullmatch(clause):
        faults.append(
            {"text": "Enter the clause that lets it leave, like 4.2(c)i", "href": "#clause"}
        )
    taken = day(at) or (at if NAME.fullmatch(at) else "")
    if treat in AGE_TREATMENTS and not taken:
        faults.append(fault(NO_DAY, "at"))
    if faults:
        return None, faults
    edit = FieldEdit(
        name=name,
        treat=treat,
        clause=clause,
        source=dataset if column else form.get("source", ""),
        from_field=(column if column != name else "") if column else form.get("from", ""),
        at=taken if treat in AGE_TREATMENTS else "",
    )
    return edit, []


def field_refused(
    view: DraftView, documents: Mapping[str, str], purpose: str, output: str, edit: FieldEdit
) -> list[Fault]:
    """What the strict reader would find at this field, each at its part of the form.

    Args:
        view: the draft as it is.
        documents: the current texts.
        purpose: whose output it is.
        output: that has the field.
        edit: the field as it was typed.
    """
    texts = changed(documents, view.draft.changes)
    path = next((each for each in view.draft.changes if each.startswith("agreements/")), "")
    text = editing.set_field(str(texts.get(path, "")), purpose, output, edit)
    _, findings = reader().load({**texts, path: text})
    place = ("purposes", purpose, "outputs", output, "fields", edit.name)
    return [
        fault(f"{each.sentence[:1].upper()}{each.sentence[1:]} {each.remedy}".strip(), at)
        for each in findings
        if each.document == path and each.path[: len(place)] == place
        for at in (_PART_OF.get(each.code, "treat"),)
    ]


def name_taken(view: DraftView, purpose: str, output: str, form: Mapping[str, str]) -> list[Fault]:
    """The fault of a column that is added under the name of another field."""
    found = _output(view, purpose, output)
    name = form.get("name", "").strip() or form.get("column", "").partition(".")[2]
    if form.get("column") and found is not None and name in found.fields:
        return [fault("There is a field of this name already: choose another name", "name")]
    return []


def purpose_choices(view: DraftView) -> Known:
    """The words that the form of a purpose offers."""
    return known(view.bundle)


def next_version(documents: Mapping[str, str], path: str) -> str:
    """The current text of an agreement, one version further."""
    text = documents[path]
    version = int(editing.version_of(text))
    try:
        return editing.with_version(text, version + 1)
    except InputRejected:
        return text


def unix_lines(text: str) -> str:
    """A text as a browser sends it, with the line ends of our files; a lone CR is none (TOML)."""
    return text.replace("\r\n", "\n")


def _purpose(view: DraftView, purpose: str) -> Purpose | None:
    return view.agreement.purposes.get(purpose) if view.agreement else None


def _output(view: DraftView, purpose: str, output: str) -> Output | None:
    found = _purpose(view, purpose)
    return found.outputs.get(output) if found else None


def _meaning(bundle: Bundle, field: str) -> str:
    entry = bundle.vocabulary.fields.get(field)
    return entry.meaning if entry else field
