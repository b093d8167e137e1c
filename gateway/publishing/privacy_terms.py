"""Terms of the Data Privacy Vocabulary for what an agreement says.

A field names its own category where the vocabulary has one; the others are told by
their class. The provisions of the EU's regulation are no law here, so that a legal
basis is told by the term that is common to all laws, and the law by its name.

Source: W3C Community Group, Data Privacy Vocabulary 2.3: dpv, pd and legal/gb.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.policy.bases import LegalBasis
from gateway.policy.tracing import Trace

PREFIXES: Mapping[str, str] = {
    "dpv": "https://w3id.org/dpv#",
    "pd": "https://w3id.org/dpv/pd#",
    "legal-gb": "https://w3id.org/dpv/legal/gb#",
}
LAWS = ("legal-gb:law-GDPR", "legal-gb:law-DPA")
CLASSES: Mapping[str, str] = {
    "direct": "dpv:IdentifyingPersonalData",
    "special-category": "dpv:SpecialCategoryPersonalData",
    "criminal": "pd:Criminal",
}


def category(trace: Trace) -> str | None:
    """What kind of personal data leaves; None for counts, which are about nobody."""
    if trace.kind == "table":
        return None
    if trace.kind == "token" or trace.treat == "pseudonym":
        return "dpv:PseudonymisedData"
    return trace.dpv or CLASSES.get(trace.field_class, "dpv:PersonalData")


def measure(trace: Trace) -> str | None:
    """What is done to a value before it leaves; None where it leaves as it is."""
    if trace.treat == "keep":
        return None
    hidden = trace.kind == "token" or trace.treat == "pseudonym"
    return "dpv:Pseudonymisation" if hidden else "dpv:Deidentification"


def basis(known: LegalBasis | None) -> str:
    """What kind of legal basis a provision is."""
    return (known.dpv if known else "") or "dpv:LegalBasis"
