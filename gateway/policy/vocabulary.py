"""The vocabulary: each field, cohort, party and duty once, with what it means.

A field's class says what it can do to a person if it meets the wrong eyes; from
it follow the treatments that are allowed, the key variables, the limits and the
legal conditions. No agreement can change a class.

Source: docs/reference/policy.md, "Cohorts and vocabulary"; UK GDPR Arts 9, 10; DPV 2.3.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from gateway.model import FieldClass
from gateway.policy.findings import PolicyInvalid
from gateway.policy.reading import read
from gateway.policy.shapes import Code, Document, Id, Sentence, Some, Term, Word, shape

FieldClassWord = Literal["direct", "key-variable", "special-category", "criminal", "plain"]
Harm = Literal["abuse", "health", "offence"]
# What a notice calls an identifier.
Identifier = Literal[
    "name", "address", "date_of_birth", "sex", "nhs_number", "upn", "nino", "pnc_id", "local_id"
]


def _with_meanings(value: Any) -> Any:
    """A list of codes is a table of codes whose meaning is the code itself."""
    if isinstance(value, tuple):
        return {code: str(code) for code in value}
    return value


Codes = Annotated[dict[Code, Sentence], BeforeValidator(_with_meanings), Field(min_length=1)]


class FieldEntry(Document):
    """One field of the vocabulary."""

    meaning: Sentence
    class_: FieldClassWord = Field(alias="class")
    codes: Codes | None = None
    dpv: Term = ""
    identifier: Identifier | None = None
    low_cardinality: bool = False
    postcode: bool = False
    level: Literal["person", "family"] = "person"
    combine: Literal["", "union", "any", "max", "sum", "count"] = ""
    harm: Harm | Literal[""] = ""

    @property
    def field_class(self) -> FieldClass:
        """The class as a word of the model."""
        return FieldClass(self.class_)


class DateRange(Document):
    """A condition on a date column, both ends inclusive; an end left out is open."""

    from_: dt.date | None = Field(default=None, alias="from")
    to: dt.date | None = None


class Cohort(Document):
    """A named set of people: rows of one dataset for which every condition holds."""

    from_: Id = Field(alias="from")
    where: dict[Word, Some[Code] | DateRange | Code | dt.date] = Field(default_factory=dict)
    membership: Literal["sensitive", "plain"] = "sensitive"
    harm: Harm | Literal[""] = ""
    meaning: Sentence = "People of this cohort."


class Party(Document):
    """An organisation that sends or controls; its classes decide which powers it has."""

    title: Sentence
    class_: Some[Id] = Field(alias="class")


class Vocabulary(Document):
    """`policies/vocabulary.toml`."""

    version: int = Field(default=1, ge=1, le=1_000_000)
    fields: dict[Word, FieldEntry] = Field(min_length=1)
    cohorts: dict[Id, Cohort] = Field(default_factory=dict)
    parties: dict[Id, Party] = Field(default_factory=dict)
    duties: dict[Id, Sentence] = Field(default_factory=dict)


def load_vocabulary(text: str | bytes, *, document: str = "vocabulary.toml") -> Vocabulary:
    """The vocabulary, or every reason why it does not load.

    Raises:
        PolicyInvalid: names document, key and remedy of each finding.
    """
    tree, findings = read(document, text)
    if not findings:
        vocabulary, findings = shape(Vocabulary, document, tree)
        if vocabulary is not None:
            return vocabulary
    raise PolicyInvalid(findings)
