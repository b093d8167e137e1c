"""An agreement: who may send what to whom, for which purpose, under which clause.

Agreement -> Purpose -> Output -> Field rule -> Clause. Whatever is not written
is refused; each thing that may leave names the clause that lets it.

Source: docs/reference/policy.md; ICO data sharing code; UK GDPR Art 5(1)(b).
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gateway.policy.recipients import Undertaking
from gateway.policy.shapes import Clause, Code, Days, Document, Id, KeyLabel, Sentence, Some, Word
from gateway.policy.vocabulary import Identifier

LinkMap = Annotated[str, StringConstraints(pattern=r"^receipt\+[0-9]{1,4}d$")]
Take = Annotated[str, StringConstraints(pattern=r"^(one|latest|wide-by:[A-Za-z0-9_]{1,64})$")]
# Class-wide prohibitions stand beside those of single fields.
CLASS_PREFIX = "class:"


class Prohibition(Document):
    """What never leaves, whatever permits it."""

    clause: Clause
    reason: Sentence


class FieldRule(Document):
    """One field of an output; docs/reference/policy.md says how it finds its column."""

    treat: Annotated[str, StringConstraints(max_length=200)]
    clause: Clause
    from_: Word | None = Field(default=None, alias="from")
    source: Id | None = None
    at: dt.date | Word | None = None
    waves: Some[Code] | None = None


class Coarsening(Document):
    """One step of `coarsen`."""

    field: Word
    treat: Word


class Disclosure(Document):
    """When an output is safe enough to leave."""

    k: int = Field(ge=2, le=1000)
    on_small_group: Literal["suppress", "coarsen", "refuse"]
    key_variables: Some[Word] | None = None
    l: dict[Word, Annotated[int, Field(ge=2, le=20)]] = Field(default_factory=dict)  # noqa: E741
    coarsen: Some[Coarsening] | None = None
    not_key: dict[Word, Clause] = Field(default_factory=dict)


class Longitudinal(Document):
    """The clause that lets one study key span rounds."""

    clause: Clause


class StudyKey(Document):
    """Which study and epoch makes the tokens."""

    study: KeyLabel
    epoch: KeyLabel
    longitudinal: Longitudinal | None = None


class Approval(Document):
    """The separate approval that an output in the clear needs."""

    reference: Sentence
    approved: dt.date
    clause: Clause


class TableRule(Document):
    """One table of counts."""

    count: Literal["families", "people"]
    by: Some[Word]
    clause: Clause
    round: int = Field(default=5, ge=1, le=100)


class Output(Document):
    """One file, or one answer, for one recipient."""

    recipient: KeyLabel
    identifiers: Literal["tokens", "sealed-clear", "link-id", "pseudonym", "none"]
    clause: Clause
    tokens: Some[Word] | None = None
    slots: int = Field(default=1, ge=1, le=5)
    key: StudyKey | None = None
    fields: dict[Word, FieldRule] = Field(default_factory=dict)
    disclosure: Disclosure | None = None
    tables: dict[Word, TableRule] = Field(default_factory=dict)
    approval: Approval | None = None
    linked_with: Some[Sentence] | None = None
    format: Literal["csv", "parquet"] = "csv"


class Notice(Document):
    """The promises people were given; nothing may go beyond them."""

    version: Word
    state: Literal["anonymous", "de-identified", "pseudonymised", "identified"]
    identifiers: Some[Identifier] | None = None
    linked_with: Some[Sentence] | None = None
    level: Literal["person", "family"] = "person"
    fields: Some[Word] | None = None
    published: dt.date | None = None


class Join(Document):
    """One more dataset at the spine."""

    source: Id
    on: Word
    take: Take


class Purpose(Document):
    """One purpose of an agreement."""

    title: Sentence
    kind: Literal["records", "tables", "answer", "single-disclosure"]
    clause: Clause
    legal_bases: Some[Word]
    subjects: Id
    spine: Id
    take: Literal["one", "latest"] = "one"
    participation: Literal["consent", "opt-out", "objection", "statutory"]
    household: Literal["drop-person", "drop-family"]
    retain_until: dt.date
    returns: Literal["none", "decision", "aggregates", "updates"]
    duties: Some[Id]
    outputs: dict[KeyLabel, Output] = Field(min_length=1)
    joins: Some[Join] | None = None
    link_map_until: LinkMap = "receipt+30d"
    notice: Notice | None = None
    prohibitions: dict[Word, Prohibition] = Field(default_factory=dict)
    linked_with: Some[Sentence] | None = None
    factors: Some[Id] | None = None
    functional_separation: Undertaking | None = None
    query_log: Days | None = None


class Agreement(Document):
    """`policies/agreements/*.toml`."""

    id: Id
    title: Sentence
    version: int = Field(ge=1, le=1_000_000)
    controllers: Some[Id]
    parties: Some[Id]
    benefits: Sentence
    areas: Some[Sentence]
    method: Sentence
    starts: dt.date
    review: dt.date
    ends: dt.date
    contact: Sentence
    dpia: Sentence | None = None
    processors: Some[Id] | None = None
    notes: Sentence | None = None
    under: Id | None = None
    signed: dict[Id, dt.date] | None = Field(default=None, min_length=1)
    complaints: Sentence | None = None
    data_protection_officer: Sentence | None = None
    prohibitions: dict[Word, Prohibition] = Field(default_factory=dict)
    purposes: dict[KeyLabel, Purpose] = Field(default_factory=dict)

    @property
    def addresses(self) -> tuple[str | None, ...]:
        """Where people are told to write to."""
        return (self.contact, self.complaints, self.data_protection_officer)
