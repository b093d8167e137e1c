"""What every decision may read besides the agreement itself.

Source: docs/reference/policy.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.model import Contract
from gateway.policy.bases import LegalBasis
from gateway.policy.recipients import Recipient
from gateway.policy.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """Vocabulary, legal bases, contracts and recipients."""

    vocabulary: Vocabulary
    bases: Mapping[str, LegalBasis]
    contracts: Mapping[str, Contract]
    recipients: Mapping[str, Recipient]
