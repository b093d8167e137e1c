"""Has everyone signed, and does the protocol above the agreement hold?

Partners of a council sign on different days: each takes part from its own. What
stands under a protocol is shared only while the protocol is in force, and only
with those who are of it.

Source: docs/reference/policy.md, "Signatures" and "Protocols".
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.model import Reason
from gateway.policy.checks_force import GRACE_MONTHS
from gateway.policy.days import told_day
from gateway.policy.findings import name
from gateway.policy.matter import Matter, months_after
from gateway.policy.protocols import Protocol


def not_covered(matter: Matter) -> Iterator[Reason]:
    """Reasons from signatures that are missing and from the protocol above."""
    yield from _controllers(matter)
    if matter.agreement.under is not None:
        yield from _protocol(matter, matter.protocol)
    for delivery in matter.deliveries:
        recipient = delivery.recipient
        if recipient is None or recipient.organisation not in matter.organisations:
            continue
        if not matter.signed(recipient.organisation):
            yield Reason(
                code="policy/party-not-signed",
                clause=delivery.output.clause,
                reason=f"{name(recipient.organisation)} had not signed "
                f"{name(matter.agreement.id)} on that day: it receives nothing until it has.",
            )
        if not matter.of_protocol(recipient.organisation):
            yield Reason(
                code="policy/party-outside-protocol",
                clause=delivery.output.clause,
                reason=f"{name(recipient.organisation)} is not of the protocol "
                f"{name(matter.agreement.under)}: it has to join that first.",
            )


def unsigned_warnings(matter: Matter) -> Iterator[str]:
    """A sentence for each party whose extracts are not read, because it is not bound yet."""
    for party in sorted(matter.organisations - matter.bound):
        yield f"{name(party)} is not bound yet: nothing of what it sends is read."


def _controllers(matter: Matter) -> Iterator[Reason]:
    for controller in sorted(matter.agreement.controllers):
        if not matter.signed(controller):
            yield Reason(
                code="policy/party-not-signed",
                clause="",
                reason=f"{name(controller)} is a controller of {name(matter.agreement.id)} "
                "and had not signed it on that day.",
            )


def _protocol(matter: Matter, protocol: Protocol | None) -> Iterator[Reason]:
    said = name(matter.agreement.under)
    if protocol is None:
        yield _not_in_force(f"The protocol {said} is not known: nothing holds what is under it.")
        return
    if matter.on < protocol.starts:
        yield _not_in_force(
            f"The protocol {said} begins on {told_day(protocol.starts)}, not before."
        )
    if matter.on > protocol.ends:
        yield _not_in_force(
            f"The protocol {said} ended on {told_day(protocol.ends)}, and all under it."
        )
    if matter.on > months_after(protocol.review, GRACE_MONTHS):
        yield _not_in_force(
            f"The protocol {said} was due for review on {told_day(protocol.review)}, "
            "over three months ago."
        )


def _not_in_force(sentence: str) -> Reason:
    return Reason(code="policy/protocol-not-in-force", clause="", reason=sentence)
