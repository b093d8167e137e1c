"""An agreement as ODRL 2.2 JSON-LD: permissions, prohibitions and obligations, with DPV terms.

Each column that may leave is one permission to use it: its target the column as it is
released, never the column that it was made from; its assignee the recipient; its
constraints the purpose and the agreement's dates. What a recipient has to do with an
output is an obligation, so that it holds beyond the use. Where a prohibition and a
permission meet, the prohibition wins (`conflict`); what neither says is not permitted.

Source: W3C Recommendations of 15 February 2018, ODRL Information Model 2.2 and ODRL
Vocabulary & Expression 2.2; docs/adr/0322-what-exports-call-things.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.policy import Bundle
from gateway.policy.agreements import Agreement, Purpose
from gateway.policy.tracing import Trace, traces_of
from gateway.policy.treatments import said
from gateway.publishing import privacy_terms
from gateway.publishing.names import urn
from gateway.publishing.notice import APPROVED, NOT_IN_FORCE
from gateway.publishing.odrl_profile import PROFILE
from gateway.publishing.promises import COMING_BACK, linked_databases, sources
from gateway.publishing.register import party_names, recipient_names

CONTEXT: tuple[str | Mapping[str, str], ...] = (
    "http://www.w3.org/ns/odrl.jsonld",
    {**privacy_terms.PREFIXES, "dcterms": "http://purl.org/dc/terms/"},
)
Node = Mapping[str, Any]


def odrl_agreement(agreement: Agreement, bundle: Bundle, *, standing: str = APPROVED) -> Node:
    """One agreement as an ODRL policy.

    Args:
        agreement: the agreement.
        bundle: the documents beside it.
        standing: `approved`, `not approved` or `withdrawn`. Only what is approved is of
            type Agreement; an Offer grants nothing.
    """
    leaving = traces_of(agreement, bundle.knowledge)
    recipients = sorted({trace.recipient for trace in leaving})
    assignees = [urn("recipient", each) for each in recipients] or _parties(agreement.parties)
    permissions = [_permission(agreement, trace) for trace in leaving]
    return {
        "@context": list(CONTEXT),
        "@type": "Agreement" if standing == APPROVED else "Offer",
        "uid": urn("agreement", agreement.id, agreement.version),
        "profile": PROFILE,
        "conflict": "prohibit",
        "dcterms:title": agreement.title,
        **({} if standing == APPROVED else {"dcterms:description": NOT_IN_FORCE[standing]}),
        **_named(agreement, recipients, bundle),
        "assigner": _parties(agreement.controllers),
        "permission": permissions,
        "prohibition": list(_prohibitions(agreement, bundle, assignees, whole=not permissions)),
        "obligation": list(_obligations(agreement)),
    }


def _named(agreement: Agreement, recipients: Sequence[str], bundle: Bundle) -> Node:
    """Who and what the rules name, each once: parties, purposes and provisions."""
    controllers = zip(
        agreement.controllers, party_names(agreement.controllers, bundle), strict=True
    )
    bases = sorted({b for purpose in agreement.purposes.values() for b in purpose.legal_bases})
    return {
        "dpv:hasDataController": [
            _node(urn("party", party), ["Party", "dpv:DataController"], title)
            for party, title in controllers
        ],
        "dpv:hasRecipient": [
            _node(urn("recipient", each), ["Party", "dpv:Recipient"], title)
            for each, title in zip(recipients, recipient_names(recipients, bundle), strict=True)
        ],
        "dpv:hasPurpose": [
            {**_node(urn("purpose", key), ["dpv:Purpose"], purpose.title), **_said(purpose, bundle)}
            for key, purpose in sorted(agreement.purposes.items())
        ],
        "dpv:hasLegalBasis": [_basis(each, bundle) for each in bases],
        "dpv:hasApplicableLaw": [{"@id": law} for law in privacy_terms.LAWS],
    }


def _said(purpose: Purpose, bundle: Bundle) -> Node:
    """What a purpose reads, what it is linked with, and what may come back."""
    linked = linked_databases(purpose)
    return {
        "dcterms:source": sources(purpose, bundle),
        **({"dcterms:relation": linked} if linked else {}),
        "dcterms:description": f"Coming back: {COMING_BACK[purpose.returns]}.",
    }


def _node(uid: str, kinds: Sequence[str], title: str) -> Node:
    return {"uid": uid, "@type": list(kinds), "dcterms:title": title}


def _basis(basis: str, bundle: Bundle) -> Node:
    known = bundle.legal_bases.get(basis)
    title = known.provision if known else basis
    return _node(urn("legal-basis", basis), [privacy_terms.basis(known)], title)


def _permission(agreement: Agreement, trace: Trace) -> Node:
    return {
        "target": _released(trace),
        "assignee": urn("recipient", trace.recipient),
        "action": "use",
        "constraint": [
            _constraint("purpose", "eq", {"@id": urn("purpose", trace.purpose)}),
            _constraint("dateTime", "gteq", _day(agreement.starts)),
            _constraint("dateTime", "lteq", _day(agreement.ends)),
        ],
        "dcterms:source": f"clause {trace.clause}",
        "dpv:hasLegalBasis": [{"@id": urn("legal-basis", each)} for each in trace.legal_bases],
    }


def _released(trace: Trace) -> Node:
    """The column as the recipient gets it, what it is made of, and what is done to it."""
    output = (trace.agreement, trace.purpose, trace.output)
    asset = {
        **_node(urn("released", *output, trace.column), ["Asset"], trace.column),
        "partOf": urn("output", *output),
        "dcterms:description": _treated(trace),
        "dcterms:source": [{"@id": urn("column", *source)} for source in trace.sources],
    }
    terms = {
        "dpv:hasPersonalData": privacy_terms.category(trace),
        "dpv:hasTechnicalMeasure": privacy_terms.measure(trace),
    }
    return asset | {name: {"@id": term} for name, term in terms.items() if term}


def _treated(trace: Trace) -> str:
    if trace.kind == "table":
        return f"A table of counts by {trace.field or 'nothing'}, {said(trace.treat)}."
    if trace.kind == "slot":
        return "Which spelling of a name a row of tokens is made from, as a number."
    if trace.kind == "token":
        return f"A match-key token made from {trace.field or 'identifiers'}."
    return f"{trace.field}, {said(trace.treat)}."


def _prohibitions(
    agreement: Agreement, bundle: Bundle, assignees: Sequence[str], *, whole: bool
) -> Iterator[Node]:
    """What never leaves; an agreement that permits nothing forbids everything."""
    for field, rule in sorted(bundle.knowledge.forbidden(agreement).items()):
        yield _prohibition(urn("field", field), assignees) | {
            "dcterms:source": f"clause {rule.clause}",
            "dcterms:description": rule.reason,
        }
    if whole:
        yield _prohibition(urn("everything", agreement.id), assignees)


def _prohibition(target: str, assignees: Sequence[str]) -> dict[str, Any]:
    return {"target": target, "assignee": list(assignees), "action": "use"}


def _obligations(agreement: Agreement) -> Iterator[Node]:
    """For each output: delete it by the agreed day, and the duties of its purpose."""
    for key, purpose in sorted(agreement.purposes.items()):
        for name, output in sorted(purpose.outputs.items()):
            held = {
                "assignee": urn("recipient", output.recipient),
                "target": {
                    "uid": urn("output", agreement.id, key, name),
                    "@type": "AssetCollection",
                },
            }
            yield from ({**held, **act} for act in _acts(purpose))


def _acts(purpose: Purpose) -> Iterator[Node]:
    last = _constraint("dateTime", "lteq", _day(purpose.retain_until))
    yield {"action": "delete", "constraint": [last]}
    yield from ({"action": urn("duty", duty)} for duty in sorted(purpose.duties))


def _parties(parties: Sequence[str]) -> list[str]:
    return [urn("party", each) for each in parties]


def _constraint(left: str, operator: str, right: Mapping[str, str]) -> Node:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def _day(day: dt.date) -> Mapping[str, str]:
    return {"@value": day.isoformat(), "@type": "xsd:date"}
