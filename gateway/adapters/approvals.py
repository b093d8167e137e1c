"""What is in force: the documents, the signed approvals, the confirmed keys, the day.

Asked twice for each release: when it is decided, and in the transaction that
dispatches it, because a withdrawal takes effect at once.

Source: security point 16; docs/reference/policy.md, "Life of a version".
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from gateway import policy
from gateway.adapters import register_trust
from gateway.adapters.policy_reading import decision_inputs
from gateway.errors import HeldForPerson, UsageError, listed
from gateway.model import Participation, Plan, PurposeKind, Refusal, SharingRequest


@dataclass(frozen=True, slots=True)
class Approvals:
    """Decides by what is in force on one day; `bundle` is what loaded when the desk opened."""

    bundle: policy.Bundle
    on: dt.date

    def require_known(self, agreement: str) -> None:
        """Refuse a name that no agreement has.

        Raises:
            UsageError: there is no such agreement.
        """
        if agreement not in self.bundle.agreements:
            raise UsageError(
                "sharing/unknown-agreement",
                f'There is no agreement "{agreement}".',
                remedy=listed("Agreements", self.bundle.agreements),
            )

    def decide(self, connection: sa.Connection, request: SharingRequest) -> Plan | Refusal:
        """Decide one request with the approvals and keys as they stand now."""
        read = decision_inputs(connection)
        return policy.decide(
            request,
            read.bundle,
            on=self.on,
            approved=read.approved,
            recipient_keys=read.recipient_keys,
            tables=read.tables,
        )

    def still_valid(
        self,
        connection: sa.Connection,
        request: SharingRequest,
        policy_digest: str,
        sequence: int,
    ) -> None:
        """Refuse to dispatch when the register has moved or the policy is no longer in force.

        Raises:
            HeldForPerson: what the release was built on has changed since.
        """
        again = self.decide(connection, request)
        if register_trust.sequence(connection) != sequence and not _overrides(again):
            raise HeldForPerson(
                "release/register-moved",
                "The register of objections changed while the release was made.",
                remedy="Nothing has left. Run the release again: it will honour the change.",
            )
        if isinstance(again, Refusal) or again.policy_digest != policy_digest:
            raise HeldForPerson(
                "release/policy-moved",
                "The agreement is no longer what the release was made under.",
                remedy="Nothing has left. Run the release again under the present agreement.",
            )


def _overrides(decision: Plan | Refusal) -> bool:
    """Whether the register has no say: one person, disclosed as the law says, to prevent harm."""
    return (
        isinstance(decision, Plan)
        and decision.kind is PurposeKind.SINGLE_DISCLOSURE
        and decision.participation is Participation.STATUTORY
    )
