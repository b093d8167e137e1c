"""May this recipient get this output, with this key, on this day?

Source: docs/reference/policy.md, "Recipients".
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.model import Reason
from gateway.policy.days import told_day
from gateway.policy.findings import name
from gateway.policy.matter import Delivery, Matter
from gateway.policy.recipients import Recipient, RecipientKey, missing_of_channel


def cannot_receive(matter: Matter) -> Iterator[Reason]:
    """Reasons from the recipients and their keys."""
    for delivery in matter.deliveries:
        recipient, clause = delivery.recipient, delivery.output.clause
        if recipient is None:
            yield Reason(
                code="policy/unknown-recipient",
                clause=clause,
                reason=f"{name(delivery.output.recipient)} is no recipient of this council.",
            )
            continue
        if recipient.expires < matter.on:
            yield Reason(
                code="recipient/expired",
                clause=clause,
                reason=f"{name(recipient.id)} was a recipient until {recipient.expires}.",
            )
        yield from _way(delivery, recipient)
        yield from _party(matter, delivery, recipient)
        yield from _population(matter, delivery)
        if matter.keys is not None and _needs_key(matter, delivery):
            yield from _key(matter, clause, recipient, matter.keys.get(recipient.id))


def _way(delivery: Delivery, recipient: Recipient) -> Iterator[Reason]:
    missing = missing_of_channel(recipient)
    if missing:
        yield Reason(
            code="recipient/no-address",
            clause=delivery.output.clause,
            reason=f"Nothing can be brought to {name(recipient.id)}: its channel is "
            f'"{recipient.channel}", and its document lacks {missing}.',
        )


def _population(matter: Matter, delivery: Delivery) -> Iterator[Reason]:
    synthetic = [c for c in matter.sources if c.population == "synthetic"]
    if synthetic and "synthetic" not in delivery.classes:
        yield Reason(
            code="policy/synthetic-only",
            clause=delivery.output.clause,
            reason=f"{name(synthetic[0].id)} holds made-up people: only a recipient of class "
            '"synthetic" may have them.',
        )
    if len(synthetic) < len(matter.sources) and delivery.classes == {"synthetic"}:
        yield Reason(
            code="policy/synthetic-recipient",
            clause=delivery.output.clause,
            reason=f"{name(delivery.output.recipient)} may have made-up people only.",
        )


def _needs_key(matter: Matter, delivery: Delivery) -> bool:
    """Answers are given by the service itself; public tables are sealed to nobody."""
    kind = matter.purpose.kind
    return kind != "answer" and not (kind == "tables" and "public" in delivery.classes)


def _key(
    matter: Matter, clause: str, recipient: Recipient, key: RecipientKey | None
) -> Iterator[Reason]:
    said = name(recipient.id)
    if key is None:
        yield Reason(
            code="recipient/no-key",
            clause=clause,
            reason=f"No public key of {said} is registered. Register it (`gateway recipients add`) "
            "and have two people confirm its fingerprint (`gateway recipients confirm`).",
        )
        return
    if not key.confirmed:
        yield Reason(
            code="recipient/key-not-confirmed",
            clause=clause,
            reason=f"The key of {said} was not confirmed by two people over another channel.",
        )
    if key.expires is not None and key.expires < matter.on:
        yield Reason(
            code="recipient/key-expired",
            clause=clause,
            reason=f"The key of {said} ended on {told_day(key.expires)}.",
        )
    named = ((recipient.key_id, key.key_id), (recipient.fingerprint, key.fingerprint))
    if any(written and written.lower() != held.lower() for written, held in named):
        yield Reason(
            code="recipient/key-mismatch",
            clause=clause,
            reason=f"The registered key of {said} is not the one named.",
        )


def _party(matter: Matter, delivery: Delivery, recipient: Recipient) -> Iterator[Reason]:
    """An organisation receives only under an agreement that it is a party of.

    The person who asks and the readers of published tables are no organisations.
    """
    kind = matter.purpose.kind
    if kind == "answer" and delivery.classes - {"synthetic"} == {"data-subject"}:
        return
    if kind == "tables" and delivery.classes - {"synthetic"} == {"public"}:
        return
    if recipient.organisation not in {*matter.agreement.parties, *matter.agreement.controllers}:
        yield Reason(
            code="policy/recipient-not-a-party",
            clause=delivery.output.clause,
            reason=f"The organisation of {name(recipient.id)} is not among the parties of "
            f"{name(matter.agreement.id)}: add it to `parties`, or name another recipient.",
        )
