"""The catalogue of legal bases: each once, with what it permits and how long.

A basis is a permission with conditions: dates between which it is law, who may
send or receive under it, which other conditions must stand beside it.

Source: docs/reference/policy.md, "Legal bases"; UK GDPR Arts 6, 9, 10, 84A-84C;
DPA 2018 Sch 1; CDA 1998 s115; DEA 2017 s35; WRA 2012 s131.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field

from gateway.policy.shapes import Document, Id, Sentence, Some, Term, Word

Satisfies = Literal["article-6", "article-9", "article-10", "safeguard", "gateway", "right"]


class LegalBasis(Document):
    """One provision."""

    provision: Sentence
    permits: Sentence
    satisfies: Some[Satisfies]
    valid_from: dt.date
    valid_to: dt.date | None = None
    replaced_by: Word | None = None
    senders: Some[Id] | None = None
    recipients: Some[Id] | None = None
    requires: Some[Some[Word]] = ()
    participation: Literal["consent"] | None = None
    statutory: bool | None = None
    returns: Some[Literal["none", "decision", "aggregates", "updates"]] | None = None
    factors: Some[Id] | None = None
    factors_at_least: int = Field(default=0, ge=0, le=13)
    kinds: Some[Literal["records", "tables", "answer", "single-disclosure"]] | None = None
    check: Sentence | None = None
    dpv: Term = ""

    def in_force(self, on: dt.date) -> bool:
        """Whether the provision is law on a day, both ends inclusive."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


class LegalBases(Document):
    """`policies/legal-bases.toml`."""

    version: int = Field(default=1, ge=1, le=1_000_000)
    bases: dict[Word, LegalBasis] = Field(min_length=1)
