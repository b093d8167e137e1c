"""An agreement in the form of the Information Governance Standard's sharing policy, 0.1.

The standard is written for machine-to-machine exchange in social care: parties,
data, purposes, permitted uses, restrictions, what the recipient must do. A code names
an action of ODRL and, after a space, what it is done to or by when.

Source: Social Care Data, Multi-Agency Information Sharing, Information Governance
Standard 0.1 (draft, in effect from 1 October 2025), SharingPolicy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.policy import Bundle
from gateway.policy.agreements import Agreement
from gateway.policy.tracing import Trace, traces_of
from gateway.publishing.names import urn
from gateway.publishing.notice import APPROVED
from gateway.publishing.promises import linked_codes
from gateway.publishing.register import party_names, recipient_names

SYSTEM = urn("agreement")
_MEASURES = ("seal:age-v1-x25519", "sign:eddsa", "pseudonymise:blake2b-keyed", "k-anonymity")


def sharing_policy(
    agreement: Agreement, bundle: Bundle, *, standing: str = APPROVED
) -> Mapping[str, Any]:
    """One agreement as a SharingPolicy document.

    Args:
        agreement: the agreement.
        bundle: the documents beside it.
        standing: `approved`, `not approved` or `withdrawn`; only an approved one permits a use.
    """
    leaving = traces_of(agreement, bundle.knowledge)
    purposes = sorted(agreement.purposes.items())
    return {
        "URI": urn("agreement", agreement.id, agreement.version),
        "Identifier": {"value": f"{agreement.id}/{agreement.version}", "System": SYSTEM},
        "Name": agreement.title,
        "Contact": agreement.contact,
        "Party": list(_parties(agreement, leaving, bundle)),
        "Data": sorted(
            {
                urn("released", trace.agreement, trace.purpose, trace.output, trace.column)
                for trace in leaving
            }
        ),
        "Purpose": [urn("purpose", key) for key, _ in purposes],
        "StartDate": agreement.starts.isoformat(),
        "EndDate": agreement.ends.isoformat(),
        "PermittedUse": ["odrl:use"] if leaving and standing == APPROVED else [],
        "Restrictions": list(_restrictions(agreement, bundle, standing)),
        "DataRecipientResponsibilities": sorted(
            {urn("duty", duty) for _, purpose in purposes for duty in purpose.duties}
            | {f"odrl:delete {purpose.retain_until.isoformat()}" for _, purpose in purposes}
        ),
        "SecurityMeasure": list(_MEASURES),
        "LegalCompliance": sorted({b for _, purpose in purposes for b in purpose.legal_bases}),
    }


def _restrictions(agreement: Agreement, bundle: Bundle, standing: str) -> Iterator[str]:
    """What may not be done, what alone may come back, and what alone it may be linked with."""
    if standing != APPROVED:
        yield f"odrl:use {urn('standing', standing.replace(' ', '-'))}"
    for field in sorted(bundle.knowledge.forbidden(agreement)):
        yield f"odrl:use {urn('field', field)}"
    for key, purpose in sorted(agreement.purposes.items()):
        yield urn("returns", key, purpose.returns)
        for database in linked_codes(purpose) or ("none",):
            yield urn("linked-with", key, database)


def _parties(
    agreement: Agreement, leaving: Sequence[Trace], bundle: Bundle
) -> Iterator[Mapping[str, Any]]:
    """Each party once, then each recipient, by the names that people know them by."""
    parties = tuple(dict.fromkeys((*agreement.controllers, *agreement.parties)))
    for party, title in zip(parties, party_names(parties, bundle), strict=True):
        yield {"Name": title, "CatalogueID": [urn("party", party)]}
    recipients = sorted({trace.recipient for trace in leaving})
    for recipient, title in zip(recipients, recipient_names(recipients, bundle), strict=True):
        yield {"Name": title, "CatalogueID": [urn("recipient", recipient)]}
