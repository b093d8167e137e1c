"""The kinds of entries that forms edit: where each stands, its shape, and what it may offer.

Source: docs/reference/policy.md; docs/reference/schemas/.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.errors import UsageError
from gateway.policy import Bundle
from gateway.policy.bases import LegalBasis
from gateway.policy.contracts import ColumnDocument, ContractDocument, RuleDocument
from gateway.policy.recipients import Delivery, Recipient
from gateway.policy.shapes import Document, Sentence
from gateway.policy.vocabulary import Cohort, FieldEntry, Party
from gateway.web import entry_words
from gateway.web.entry_parts import Part, Takes, takes_of
from gateway.web.entry_words import Words
from gateway.web.words import plain

Offers = Mapping[str, Mapping[str, str]]
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+*-]{0,79}")
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_RECIPIENT = re.compile(r"[a-z0-9-]{1,40}")


class Duty(Document):
    """A duty, which its document writes as one sentence."""

    says: Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of entry: its document (or the folder of it), its section, its shape, its words.

    `only` is the one part of an entry that its document writes as a plain value;
    `listed` says that the section is a list of tables, each with its name in it.
    """

    key: str
    called: str
    document: str
    section: str
    shape: type[Document]
    words: Words
    name: re.Pattern[str]
    name_hint: str
    versioned: bool = True
    inner: Mapping[str, type[Document]] = field(default_factory=dict)
    only: str = ""
    listed: bool = False

    @property
    def whole(self) -> bool:
        """Whether an entry is a document of its own."""
        return not self.section


KINDS: Mapping[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind(
            key="field",
            called="field of the vocabulary",
            document="vocabulary.toml",
            section="fields",
            shape=FieldEntry,
            words=entry_words.FIELD,
            name=WORD,
            name_hint="Letters, digits and underscores, like support_start",
        ),
        Kind(
            key="basis",
            called="legal basis",
            document="legal-bases.toml",
            section="bases",
            shape=LegalBasis,
            words=entry_words.BASIS,
            name=WORD,
            name_hint="Letters, digits and hyphens, like UKGDPR-6-1-e",
        ),
        Kind(
            key="recipient",
            called="recipient",
            document="recipients/",
            section="",
            shape=Recipient,
            words=entry_words.RECIPIENT,
            name=_RECIPIENT,
            name_hint="a-z, 0-9 and hyphens, like trafford-research",
            versioned=False,
            inner={"delivery": Delivery},
        ),
        Kind(
            key="dataset",
            called="dataset",
            document="datasets/",
            section="",
            shape=ContractDocument,
            words=entry_words.DATASET,
            name=_ID,
            name_hint="a-z, 0-9, hyphens and underscores, like early_help",
        ),
        Kind(
            key="column",
            called="column",
            document="datasets/",
            section="columns",
            shape=ColumnDocument,
            words=entry_words.COLUMN,
            name=WORD,
            name_hint="As the file’s first row names it, like support_start",
        ),
        Kind(
            key="rule",
            called="rule between columns",
            document="datasets/",
            section="rules",
            shape=RuleDocument,
            words=entry_words.RULE,
            name=_ID,
            name_hint="a-z, 0-9, hyphens and underscores, like end-not-before-start",
            listed=True,
        ),
        Kind(
            key="cohort",
            called="cohort",
            document="vocabulary.toml",
            section="cohorts",
            shape=Cohort,
            words=entry_words.COHORT,
            name=_ID,
            name_hint="a-z, 0-9 and hyphens, like programme-families",
        ),
        Kind(
            key="party",
            called="party",
            document="vocabulary.toml",
            section="parties",
            shape=Party,
            words=entry_words.PARTY,
            name=_ID,
            name_hint="a-z, 0-9 and hyphens, like trafford-schools",
        ),
        Kind(
            key="duty",
            called="duty",
            document="vocabulary.toml",
            section="duties",
            shape=Duty,
            words=entry_words.DUTY,
            name=_ID,
            name_hint="a-z, 0-9 and hyphens, like research-only",
            only="says",
        ),
    )
}


def kind_of(key: str) -> Kind:
    """A kind by its key.

    Raises:
        UsageError: forms know no such kind.
    """
    if key not in KINDS:
        raise UsageError(
            "policy/nothing-to-edit",
            "No form edits documents of this kind.",
            remedy="Edit it as text.",
        )
    return KINDS[key]


def parts_of(kind: Kind, bundle: Bundle) -> tuple[Part, ...]:
    """The parts of a kind's form, with what the documents offer for each."""
    offers = _offers(kind, bundle)
    shapes = {"": kind.shape, **kind.inner}
    schemas = {key: shape.model_json_schema(by_alias=True) for key, shape in shapes.items()}
    parts = []
    for key in kind.words:
        inner, _, last = key.rpartition(".")
        schema = schemas[inner]
        required = not inner and last in schema.get("required", ())
        parts.append(_part(kind, key, schema["properties"][last], required, offers.get(key)))
    return tuple(parts)


def _part(kind: Kind, key: str, schema: Mapping[str, Any], required: bool, offered: Any) -> Part:
    takes, words = takes_of(schema)
    if key == "where":
        takes = Takes.WHERE
    if offered:
        takes = Takes.CHOICES if takes is Takes.WORDS else Takes.CHOICE
    label, hint = kind.words[key]
    meant = entry_words.MEANT.get(key, {})
    choices = offered or {word: meant.get(word, plain(word)) for word in words if word}
    return Part(
        key=key,
        takes=takes,
        label=label,
        hint=hint,
        choices=choices,
        required=required,
        default=schema.get("default"),
        long=key in entry_words.LONG,
    )


def _offers(kind: Kind, bundle: Bundle) -> Offers:
    """What the documents offer beyond the words of the schema."""
    vocabulary = bundle.vocabulary
    if kind.key == "column":
        fields = sorted(vocabulary.fields.items())
        return {"field": {name: f"{name}: {each.meaning}" for name, each in fields}}
    if kind.key == "cohort":
        contracts = sorted(bundle.contracts.items())
        return {"from": {key: f"{key}: {each.title}" for key, each in contracts}}
    if kind.key == "dataset":
        return {"parties": {key: each.title for key, each in sorted(vocabulary.parties.items())}}
    return {}
