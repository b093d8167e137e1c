"""An agreement as ODRL 2.2 JSON-LD: permissions, prohibitions and duties, with DPV terms.

Each column that may leave is one permission: its target the source column, its
assignee the recipient, constrained to the purpose and the agreement's dates, with
the treatment as a refinement of the action. Whatever is not permitted is refused,
which ODRL states as the conflict strategy `prohibit`.

Source: W3C Recommendation, ODRL Information Model 2.2; W3C DPV 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.policy import Bundle
from gateway.policy.agreements import Agreement, Purpose
from gateway.policy.tracing import Trace, traces_of

CONTEXT: tuple[str | Mapping[str, str], ...] = (
    "http://www.w3.org/ns/odrl.jsonld",
    {
        "dpv": "https://w3id.org/dpv#",
        "pd": "https://w3id.org/dpv/pd#",
        "dcterms": "http://purl.org/dc/terms/",
    },
)


def odrl_agreement(agreement: Agreement, bundle: Bundle) -> Mapping[str, Any]:
    """One agreement as an ODRL policy of type Agreement."""
    leaving = traces_of(agreement, bundle.knowledge)
    return {
        "@context": list(CONTEXT),
        "@type": "Agreement",
        "uid": f"urn:gateway:agreement:{agreement.id}:{agreement.version}",
        "profile": "http://www.w3.org/ns/odrl/2/core",
        "conflict": {"@type": "ConflictTerm", "@id": "odrl:prohibit"},
        "dcterms:title": agreement.title,
        "assigner": [_party(each) for each in agreement.controllers],
        "permission": [_permission(agreement, trace) for trace in leaving],
        "prohibition": [
            {
                "target": f"urn:gateway:field:{field}",
                "action": "distribute",
                "dcterms:source": f"clause {rule.clause}",
                "dcterms:description": rule.reason,
            }
            for field, rule in sorted(bundle.knowledge.forbidden(agreement).items())
        ],
    }


def _permission(agreement: Agreement, trace: Trace) -> Mapping[str, Any]:
    purpose = agreement.purposes[trace.purpose]
    said: dict[str, Any] = {
        "target": [f"urn:gateway:column:{dataset}.{column}" for dataset, column in trace.sources]
        or [f"urn:gateway:table:{trace.column}"],
        "assignee": f"urn:gateway:recipient:{trace.recipient}",
        "action": [
            {
                "rdf:value": {"@id": "odrl:transfer"},
                "refinement": [_constraint("dpv:hasProcessing", "eq", trace.treat)],
            }
        ],
        "constraint": [
            _constraint("purpose", "eq", f"urn:gateway:purpose:{trace.purpose}"),
            _date("gteq", agreement.starts.isoformat()),
            _date("lteq", agreement.ends.isoformat()),
        ],
        "duty": _duties(purpose),
        "dcterms:source": f"clause {trace.clause}",
        "dpv:hasLegalBasis": list(trace.legal_bases),
    }
    return said | ({"dpv:hasPersonalData": trace.dpv} if trace.dpv else {})


def _duties(purpose: Purpose) -> list[Mapping[str, Any]]:
    """Delete by the agreed day, and the duties of the vocabulary."""
    return [
        {"action": "delete", "constraint": [_date("lteq", purpose.retain_until.isoformat())]},
        *({"action": f"urn:gateway:duty:{duty}"} for duty in sorted(purpose.duties)),
    ]


def _party(party: str) -> str:
    return f"urn:gateway:party:{party}"


def _constraint(left: str, operator: str, right: str) -> Mapping[str, Any]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def _date(operator: str, day: str) -> Mapping[str, Any]:
    right = {"@value": day, "@type": "xsd:date"}
    return {"leftOperand": "dateTime", "operator": operator, "rightOperand": right}
