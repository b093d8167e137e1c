"""What every decision may read besides the agreement itself.

Source: docs/reference/policy.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from gateway.model import Contract
from gateway.policy.agreements import Agreement, Prohibition
from gateway.policy.bases import LegalBasis
from gateway.policy.protocols import Protocol
from gateway.policy.recipients import Recipient
from gateway.policy.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """Vocabulary, legal bases, contracts, recipients and protocols."""

    vocabulary: Vocabulary
    bases: Mapping[str, LegalBasis]
    contracts: Mapping[str, Contract]
    recipients: Mapping[str, Recipient]
    protocols: Mapping[str, Protocol] = field(default_factory=lambda: MappingProxyType({}))

    def protocol_of(self, agreement: Agreement) -> Protocol | None:
        """The protocol that the agreement stands under, where it is known."""
        return self.protocols.get(agreement.under) if agreement.under else None

    def forbidden(self, agreement: Agreement) -> dict[str, Prohibition]:
        """What the agreement and the protocol above it forbid; its own clause comes first."""
        protocol = self.protocol_of(agreement)
        return {**(protocol.prohibitions if protocol else {}), **agreement.prohibitions}
