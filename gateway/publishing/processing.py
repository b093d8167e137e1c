"""The record of processing activities that UK GDPR Article 30(1) asks of a controller.

Source: UK GDPR Art 30(1)(a)-(g); ICO, "What do we need to document under Article 30 of the
UK GDPR" and its template for controllers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.policy import Bundle
from gateway.policy.agreements import Agreement, Purpose
from gateway.policy.tracing import Trace, traces_of
from gateway.publishing.promises import COMING_BACK, linked_databases, sources
from gateway.publishing.register import party_names, recipient_names, treated

SECURITY = (
    "Sealed at rest and in transit (age, X25519)",
    "Permitted columns only, coarsened as agreed; pseudonymised with keyed BLAKE2b",
    "Small groups withheld; a last scan before anything leaves",
    "Approval and release by different people, each with a personal key",
    "Every act in a signed, append-only ledger before its effect",
)


def record_of_processing(
    bundle: Bundle, *, standings: Mapping[str, str] | None = None
) -> tuple[Mapping[str, Any], ...]:
    """One entry for each purpose of each agreement.

    Args:
        bundle: the documents.
        standings: of each agreement whether it is approved, not approved or withdrawn; an
            entry says it, since what was withdrawn may have been shared before.
    """
    known = standings or {}
    return tuple(
        {**_entry(agreement, key, purpose, bundle), "standing": known.get(name, "approved")}
        for name, agreement in sorted(bundle.agreements.items())
        for key, purpose in sorted(agreement.purposes.items())
    )


def _entry(agreement: Agreement, key: str, purpose: Purpose, bundle: Bundle) -> Mapping[str, Any]:
    leaving = [t for t in traces_of(agreement, bundle.knowledge) if t.purpose == key]
    cohort = bundle.vocabulary.cohorts.get(purpose.subjects)
    return {
        "controllers": party_names(agreement.controllers, bundle),
        "contact": agreement.contact,
        "data_protection_officer": agreement.data_protection_officer or "Not named.",
        "agreement": f"{agreement.id}, version {agreement.version}",
        "purpose": purpose.title,
        "clause": purpose.clause,
        "legal_bases": [_provision(basis, bundle) for basis in sorted(purpose.legal_bases)],
        "categories_of_people": cohort.meaning if cohort else purpose.subjects,
        "categories_of_data": _categories(leaving, bundle),
        "read_from": sources(purpose, bundle),
        "linked_with": linked_databases(purpose),
        "coming_back": COMING_BACK[purpose.returns],
        "recipients": recipient_names(sorted({each.recipient for each in leaving}), bundle),
        "processors": party_names(agreement.processors or (), bundle),
        "transfers_abroad": "None is agreed.",
        "erased_by": purpose.retain_until.isoformat(),
        "security": list(SECURITY),
        "impact_assessment": agreement.dpia or "None.",
        "participation": purpose.participation,
    }


def _provision(basis: str, bundle: Bundle) -> str:
    known = bundle.legal_bases.get(basis)
    return known.provision if known else basis


def _categories(leaving: list[Trace], bundle: Bundle) -> dict[str, list[str]]:
    """What leaves by field class, in the vocabulary's words."""
    told: dict[str, dict[str, None]] = {}
    for trace in leaving:
        entry = bundle.vocabulary.fields.get(trace.field)
        meaning = (
            f"{treated(entry.meaning.rstrip('.'), trace)}."
            if entry
            else "Match-key tokens made from identifiers."
        )
        told.setdefault(trace.field_class, {})[meaning] = None
    return {each: list(meanings) for each, meanings in sorted(told.items())}
