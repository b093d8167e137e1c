"""The agreement register: the eighteen fields of the public register under the DEA 2017.

Source: GOV.UK, Register of information sharing agreements under chapters 1, 2, 3 and
4 of part 5 of the Digital Economy Act 2017; requirement R10.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gateway.policy import Bundle
from gateway.policy.agreements import Agreement, Purpose
from gateway.policy.tracing import Trace, traces_of
from gateway.policy.treatments import said

_STOP = re.compile(r"[;:.]")
REGISTER_FIELDS = (
    "id",
    "name",
    "purpose",
    "benefits",
    "legal_power",
    "disclosed_information",
    "controllers",
    "controller_names",
    "method",
    "processors",
    "processor_names",
    "retention_period",
    "start_date",
    "end_date",
    "review_date",
    "contact",
    "areas",
    "area_names",
)


def agreement_register(bundle: Bundle) -> tuple[Mapping[str, str], ...]:
    """One row for each purpose of each agreement, every one of the eighteen fields filled."""
    return tuple(
        _row(agreement, key, purpose, bundle)
        for _, agreement in sorted(bundle.agreements.items())
        for key, purpose in sorted(agreement.purposes.items())
    )


def _row(agreement: Agreement, key: str, purpose: Purpose, bundle: Bundle) -> Mapping[str, str]:
    processors = agreement.processors or ()
    return {
        "id": f"{agreement.id}/{key}",
        "name": agreement.title,
        "purpose": purpose.title,
        "benefits": agreement.benefits,
        "legal_power": "; ".join(_powers(purpose, bundle)),
        "disclosed_information": "; ".join(_disclosed(agreement, key, bundle)) or "None.",
        "controllers": str(len(agreement.controllers)),
        "controller_names": "; ".join(party_names(agreement.controllers, bundle)),
        "method": agreement.method,
        "processors": str(len(processors)),
        "processor_names": "; ".join(party_names(processors, bundle)) or "None.",
        "retention_period": f"Destroyed by {purpose.retain_until.isoformat()}",
        "start_date": agreement.starts.isoformat(),
        "end_date": agreement.ends.isoformat(),
        "review_date": agreement.review.isoformat(),
        "contact": agreement.contact,
        "areas": str(len(agreement.areas)),
        "area_names": "; ".join(agreement.areas),
    }


def _powers(purpose: Purpose, bundle: Bundle) -> Iterator[str]:
    for basis in sorted(purpose.legal_bases):
        known = bundle.legal_bases.get(basis)
        yield known.provision if known else basis


def _disclosed(agreement: Agreement, purpose: str, bundle: Bundle) -> Iterator[str]:
    """What leaves, in the vocabulary's words; tokens by what they are, not one by one."""
    fields = bundle.vocabulary.fields
    told = dict.fromkeys(
        "match-key tokens made from identifiers"
        if trace.kind == "token"
        else treated(fields[trace.field].meaning.rstrip("."), trace)
        if trace.field in fields
        else f"table of counts {trace.column}"
        for trace in traces_of(agreement, bundle.knowledge)
        if trace.purpose == purpose
    )
    yield from told


def treated(meaning: str, trace: Trace) -> str:
    """A field's meaning; where it leaves coarsened, its first part and how it leaves."""
    if trace.kind != "column" or trace.treat == "keep":
        return meaning
    return f"{meaning_itself(meaning)}, {said(trace.treat)}"


def meaning_itself(meaning: str) -> str:
    """What stands before the first stop; what follows it is for those who code the field."""
    return _STOP.split(meaning, maxsplit=1)[0]


def party_names(parties: tuple[str, ...], bundle: Bundle) -> list[str]:
    """Titles of parties, as the vocabulary gives them."""
    known = bundle.vocabulary.parties
    return [known[party].title if party in known else party for party in parties]
