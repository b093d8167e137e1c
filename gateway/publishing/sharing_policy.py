"""An agreement in the form of the Information Governance Standard's sharing policy, 0.1.

The standard is written for machine-to-machine exchange in social care: parties,
data, purposes, permitted uses, restrictions, what the recipient must do.

Source: Social Care Data, Information Governance Standard 0.1 (draft), SharingPolicy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.policy import Bundle
from gateway.policy.agreements import Agreement
from gateway.policy.tracing import traces_of
from gateway.publishing.register import party_names

SYSTEM = "urn:gateway:agreement"
_MEASURES = ("seal:age-v1-x25519", "sign:eddsa", "pseudonymise:blake2b-keyed", "k-anonymity")


def sharing_policy(agreement: Agreement, bundle: Bundle) -> Mapping[str, Any]:
    """One agreement as a SharingPolicy document."""
    leaving = traces_of(agreement, bundle.knowledge)
    purposes = sorted(agreement.purposes.items())
    recipients = sorted({trace.recipient for trace in leaving})
    parties = (*agreement.controllers, *agreement.parties)
    return {
        "URI": f"{SYSTEM}:{agreement.id}:{agreement.version}",
        "Identifier": {"value": f"{agreement.id}/{agreement.version}", "System": SYSTEM},
        "Name": agreement.title,
        "Contact": agreement.contact,
        "Party": [
            {"Name": title, "CatalogueID": [f"urn:gateway:party:{party}"]}
            for party, title in zip(parties, party_names(parties, bundle), strict=True)
        ]
        + [{"Name": each, "CatalogueID": [f"urn:gateway:recipient:{each}"]} for each in recipients],
        "Data": sorted({f"{dataset}.{column}" for t in leaving for dataset, column in t.sources}),
        "Purpose": [f"urn:gateway:purpose:{key}" for key, _ in purposes],
        "StartDate": agreement.starts.isoformat(),
        "EndDate": agreement.ends.isoformat(),
        "PermittedUse": sorted({f"{t.purpose}: {t.column} to {t.recipient}" for t in leaving}),
        "Restrictions": [
            f"{field}: {rule.reason}"
            for field, rule in sorted(bundle.knowledge.forbidden(agreement).items())
        ],
        "DataRecipientResponsibilities": sorted(
            {duty for _, purpose in purposes for duty in purpose.duties}
            | {f"destroy-by {purpose.retain_until.isoformat()}" for _, purpose in purposes}
        ),
        "SecurityMeasure": list(_MEASURES),
        "LegalCompliance": sorted({b for _, purpose in purposes for b in purpose.legal_bases}),
    }
