"""The ODRL profile of the agreements: the terms they use beyond the core, and what they mean.

ODRL asks for a profile wherever a policy uses more than the core vocabulary. This one
adopts terms of the common vocabulary and adds one action for each duty of the
vocabulary, whose sentence is its definition.

Source: ODRL Information Model 2.2, section 3 "ODRL Profiles".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.policy import Bundle
from gateway.publishing.names import urn

PROFILE = urn("odrl-profile", 1)
# Terms of the ODRL Common Vocabulary; everything else of an agreement is of the Core Vocabulary.
ADOPTED = ("dateTime", "delete", "purpose")
CONTEXT: tuple[str | Mapping[str, str], ...] = (
    "http://www.w3.org/ns/odrl.jsonld",
    {"dcterms": "http://purl.org/dc/terms/"},
)


def odrl_profile(bundle: Bundle) -> Mapping[str, Any]:
    """The profile that every exported agreement names."""
    duties = sorted(bundle.vocabulary.duties.items())
    return {
        "@context": list(CONTEXT),
        "@graph": [
            {
                "@id": PROFILE,
                "@type": ["owl:Ontology", "skos:Collection"],
                "dcterms:title": "Agreements of the gateway",
                "skos:member": [
                    *({"@id": f"odrl:{term}"} for term in ADOPTED),
                    *({"@id": urn("duty", duty)} for duty, _ in duties),
                ],
            },
            *(_action(duty, sentence) for duty, sentence in duties),
        ],
    }


def _action(duty: str, sentence: str) -> Mapping[str, Any]:
    return {
        "@id": urn("duty", duty),
        "@type": ["Action", "skos:Concept"],
        "includedIn": "odrl:use",
        "skos:definition": {"@value": sentence, "@language": "en"},
        "rdfs:isDefinedBy": {"@id": PROFILE},
    }
