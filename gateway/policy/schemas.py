"""The JSON Schema of each kind of governed document, made from the model.

Source: JSON Schema 2020-12; docs/reference/schemas/.
"""

from __future__ import annotations

from typing import Any, Final

from gateway.errors import UsageError
from gateway.policy.agreements import Agreement
from gateway.policy.bases import LegalBases
from gateway.policy.casebook import CaseBook
from gateway.policy.contracts import ContractDocument
from gateway.policy.findings import name, suggest
from gateway.policy.outcomes import OutcomePlan
from gateway.policy.protocols import Protocol
from gateway.policy.recipients import Recipient
from gateway.policy.shapes import Document
from gateway.policy.vocabulary import Vocabulary

KINDS: Final[dict[str, type[Document]]] = {
    "agreement": Agreement,
    "cases": CaseBook,
    "contract": ContractDocument,
    "legal-bases": LegalBases,
    "outcome-plan": OutcomePlan,
    "protocol": Protocol,
    "recipient": Recipient,
    "vocabulary": Vocabulary,
}


def schema(kind: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one kind of document.

    Raises:
        UsageError: no document is of that kind.
    """
    if kind not in KINDS:
        raise UsageError(
            "policy/unknown-kind",
            f"No document is of kind {name(kind)}.",
            remedy=suggest(kind, KINDS) or f"Kinds are {', '.join(KINDS)}.",
        )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **KINDS[kind].model_json_schema(by_alias=True),
    }
