"""A local outcome plan, as far as it is a document: criteria and their rules in words.

The rules over extracts come with the programme's own part; this page fixes how
a plan is named, dated and read, so that a release can cite it.

Source: local outcome plans of the councils; docs/reference/policy.md.
"""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from gateway.policy.shapes import Document, Id, Sentence, Some, Word


class Criterion(Document):
    """One of the problems, and what shows it."""

    title: Sentence
    any_of: Some[Sentence]
    window: Sentence


class OutcomePlan(Document):
    """`policies/outcome-plans/*.toml`."""

    id: Id
    title: Sentence
    version: int = Field(ge=1, le=1_000_000)
    council: Id
    starts: dt.date
    ends: dt.date
    needed: int = Field(ge=1, le=10)
    different_people: bool = False
    criteria: dict[Word, Criterion] = Field(min_length=1)
