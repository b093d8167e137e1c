"""A remark of the review: how much it weighs, where, by which clause, what to do.

Source: docs/reference/policy.md, "Review".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Weight(StrEnum):
    """A problem refuses the purpose today, a warning will bite, advice would make it better."""

    PROBLEM = "problem"
    WARNING = "warning"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One remark; `agreement`, `purpose` and `clause` are "" where it is about none."""

    weight: Weight
    code: str
    agreement: str
    purpose: str
    clause: str
    sentence: str
    remedy: str = ""

    @property
    def order(self) -> tuple[int, str, str, str, str, str]:
        """Problems first, then by place."""
        weight = list(Weight).index(self.weight)
        return (weight, self.agreement, self.purpose, self.code, self.clause, self.sentence)
