"""What the review says of signatures and of the protocol above an agreement.

Source: docs/reference/policy.md, "Signatures" and "Protocols"; ICO data sharing code.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from gateway.policy.agreements import Agreement
from gateway.policy.days import told_day
from gateway.policy.findings import name
from gateway.policy.knowledge import Knowledge
from gateway.policy.matter import months_after
from gateway.policy.remarks import Remark, Weight

MONTHS_AHEAD = 3


def tiers(agreement: Agreement, knowledge: Knowledge, on: dt.date) -> Iterator[Remark]:
    """Remarks on who is not bound yet, and on a protocol that ends or is reviewed first."""
    for party in sorted({*agreement.controllers, *agreement.parties}):
        if agreement.signed is not None and agreement.signed.get(party, dt.date.max) > on:
            yield _remark(
                agreement,
                "lint/party-not-signed",
                f"{name(party)} has not signed: it receives nothing, and nothing of its is read.",
                "Write its day in `signed` when it has, or take it out of the parties.",
            )
    protocol = knowledge.protocol_of(agreement)
    if protocol is None:
        return
    if protocol.ends < agreement.ends:
        yield _remark(
            agreement,
            "lint/protocol-ends-first",
            f"The protocol {name(protocol.id)} ends on {told_day(protocol.ends)}, "
            "before the agreement.",
            "Have it renewed before then: what stands under it ends with it.",
        )
    if on <= months_after(protocol.review, MONTHS_AHEAD) and on >= months_after(
        protocol.review, -MONTHS_AHEAD
    ):
        yield _remark(
            agreement,
            "lint/protocol-review-soon",
            f"The review of the protocol {name(protocol.id)} is due on "
            f"{told_day(protocol.review)}.",
            "Begin it now: three months after that day nothing under it is shared.",
        )


def _remark(agreement: Agreement, code: str, sentence: str, remedy: str) -> Remark:
    return Remark(
        weight=Weight.ADVICE,
        code=code,
        agreement=agreement.id,
        purpose="",
        clause="",
        sentence=sentence,
        remedy=remedy,
    )
