"""A remark of the review on one purpose, with its place and clause.

Source: docs/reference/policy.md, "Review".
"""

from __future__ import annotations

from gateway.policy.matter import Matter
from gateway.policy.remarks import Remark, Weight


def remark_on(
    matter: Matter, weight: Weight, code: str, sentence: str, remedy: str, clause: str = ""
) -> Remark:
    """A remark on a purpose; by its own clause, if no other is named."""
    return Remark(
        weight=weight,
        code=code,
        agreement=matter.request.agreement,
        purpose=matter.request.purpose,
        clause=clause or matter.purpose.clause,
        sentence=sentence,
        remedy=remedy,
    )
