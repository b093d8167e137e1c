"""Cases: requests with the decision expected, written by governance leads.

A case may change the agreement first (`change`, `remove`), so that a lead can
write "without a DPIA it is refused" as data and not as code.

Source: docs/reference/policy.md, "Cases".
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import Field

from gateway.policy.shapes import Document, Id, Sentence, Some, Word


class Case(Document):
    """One request and what has to come of it."""

    name: Sentence
    agreement: Id
    purpose: Word
    on: dt.date
    expect: Literal["permit", "refuse"]
    reasons: Some[Word | Sentence] | None = None
    sends: dict[Word, Some[Word]] = Field(default_factory=dict)
    change: dict[str, Any] = Field(default_factory=dict)
    remove: Some[Sentence] | None = None


class CaseBook(Document):
    """`policies/cases/*.toml`."""

    cases: Some[Case]
