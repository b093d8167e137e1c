"""What a partner is asked for and why: each column with its meaning, its clause and its purpose.

Read from the contract and from every agreement that names the party, so that the
page can say no more and no less than the documents do.

Source: UK GDPR Arts 5(1)(b), (c), 13, 14; docs/reference/policy.md, "Traceability".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from gateway.model import Contract
from gateway.model.contract import ContractColumn
from gateway.model.words import Role
from gateway.policy.agreements import Agreement
from gateway.policy.bundle import Bundle
from gateway.policy.tracing import Trace, traces_of
from gateway.policy.treatments import said


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One purpose that a column serves, in what form it leaves, by which clauses."""

    purpose: str
    form: str
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedColumn:
    """One column: what it means, how to write it, and what it is for."""

    name: str
    meaning: str
    form: str
    required: bool
    uses: tuple[Use, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Never:
    """One thing that no purpose of an agreement may let out, and why."""

    field: str
    clause: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementLine:
    """An agreement that the party is part of."""

    id: str
    title: str
    version: int
    ends: dt.date
    in_force: bool
    purposes: tuple[tuple[str, str], ...]
    never: tuple[Never, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One dataset that a party sends."""

    dataset: str
    title: str
    contract: Contract
    columns: tuple[AskedColumn, ...]
    agreements: tuple[AgreementLine, ...]


def sent_by(bundle: Bundle, party: str) -> list[Contract]:
    """The contracts of the datasets that a party sends, by title."""
    mine = (contract for contract in bundle.contracts.values() if party in contract.parties)
    return sorted(mine, key=lambda contract: contract.title)


def asked_of(bundle: Bundle, contract: Contract, party: str, *, in_force: Collection[str]) -> Asked:
    """Everything that the documents say of one dataset of one party.

    Args:
        bundle: the documents that loaded.
        contract: the dataset's contract.
        party: who sends it.
        in_force: ids of the agreements that are approved and within their dates.
    """
    mine = [
        agreement
        for agreement in bundle.agreements.values()
        if party in (*agreement.parties, *agreement.controllers)
    ]
    found = {agreement.id: _traces(bundle, agreement, contract.id) for agreement in mine}
    return Asked(
        dataset=contract.id,
        title=contract.title,
        contract=contract,
        columns=tuple(
            AskedColumn(
                name=column.name,
                meaning=bundle.vocabulary.fields[column.field].meaning,
                form=form_of(column),
                required=column.required,
                uses=tuple(_uses(bundle, column.name, found)),
            )
            for column in contract.columns
        ),
        agreements=tuple(
            _line(bundle, agreement, contract.id, found[agreement.id], agreement.id in in_force)
            for agreement in mine
        ),
    )


def _traces(bundle: Bundle, agreement: Agreement, dataset: str) -> list[Trace]:
    every = traces_of(agreement, bundle.knowledge)
    return [trace for trace in every if any(source[0] == dataset for source in trace.sources)]


def _uses(bundle: Bundle, column: str, found: dict[str, list[Trace]]) -> Iterator[Use]:
    for agreement, traces in found.items():
        titles = bundle.agreements[agreement].purposes
        by: dict[tuple[str, str], set[str]] = {}
        for trace in traces:
            if any(source[1] == column for source in trace.sources):
                by.setdefault((trace.purpose, _form(trace)), set()).add(trace.clause)
        for (purpose, form), clauses in sorted(by.items()):
            yield Use(purpose=titles[purpose].title, form=form, clauses=tuple(sorted(clauses)))


def _form(trace: Trace) -> str:
    if trace.kind == "token":
        return "only inside match-key tokens"
    if trace.treat == "keep":
        return "as it is"
    return said(trace.treat)


def _line(
    bundle: Bundle, agreement: Agreement, dataset: str, found: list[Trace], in_force: bool
) -> AgreementLine:
    served = {trace.purpose for trace in found}
    served |= {key for key, purpose in agreement.purposes.items() if purpose.spine == dataset}
    purposes = [(agreement.purposes[key].title, agreement.purposes[key].clause) for key in served]
    return AgreementLine(
        id=agreement.id,
        title=agreement.title,
        version=agreement.version,
        ends=agreement.ends,
        in_force=in_force,
        purposes=tuple(sorted(purposes, key=lambda each: each[1])),
        never=tuple(
            Never(field=field, clause=each.clause, reason=each.reason)
            for field, each in sorted(bundle.knowledge.forbidden(agreement).items())
        ),
    )


_DATES = {"%Y-%m-%d": "2026-03-31", "%d/%m/%Y": "31/03/2026", "%d-%m-%Y": "31-03-2026"}
_KINDS = {
    "text": "Text",
    "integer": "Whole number",
    "decimal": "Number",
    "boolean": "Y or N",
    "codes": "Codes, separated by semicolons",
}
_ROLES: Mapping[Role | None, str] = {
    Role.NHS_NUMBER: "NHS number, 10 digits",
    Role.UPN: "Unique pupil number",
    Role.NINO: "National Insurance number",
    Role.POSTCODE: "UK postcode",
    Role.UPRN: "Unique property reference number, digits",
}


def form_of(column: ContractColumn) -> str:
    """How to write a column's values, in a few words."""
    if column.type == "date":
        forms = [_DATES.get(form, form) for form in column.date_forms]
        return f"Date, like {' or '.join(forms)}"
    words = _ROLES.get(column.role) or _KINDS.get(column.type, column.type)
    if column.form:
        words = f"{words}: {column.form.replace('_', ' ').replace('-', ' ')}"
    elif column.codes and len(column.codes) <= 12:
        words = f"One of {', '.join(column.codes)}"
        words = words if column.type != "codes" else f"Any of {', '.join(column.codes)}, with ;"
    if column.minimum is not None and column.maximum is not None:
        words = f"{words}, {column.minimum:g} to {column.maximum:g}"
    return words
