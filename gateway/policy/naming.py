"""What people call a thing of the documents: its title, with its id in brackets.

A sentence that an approver signs says "Date of birth (*age_band*)", not the id alone.
Where two things would be called the same, or nothing is a title, the id stands alone.

Source: docs/reference/policy.md, "Life of a version".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from gateway.policy.bundle import Bundle
from gateway.policy.treatments import expand_names

LONGEST = 60
_ENDS = re.compile(r"[:;.(]|, | – ")

# Keys of the documents in the words of an agreement.
PARTS: Mapping[str, str] = MappingProxyType(
    {
        "approval.approved": "the day of its own approval",
        "areas": "the areas",
        "benefits": "what people gain",
        "complaints": "where to complain",
        "contact": "the contact",
        "controllers": "the controllers",
        "data_protection_officer": "the data protection officer",
        "disclosure.coarsen": "what is made coarser",
        "disclosure.k": "the least number of families in a group",
        "disclosure.key_variables": "what groups are counted by",
        "disclosure.l": "the least number of values in a group",
        "disclosure.not_key": "what groups are not counted by",
        "disclosure.on_small_group": "what happens to small groups",
        "dpia": "the impact assessment",
        "duties": "the duties",
        "ends": "the last day",
        "factors": "the factors of the household",
        "household": "what happens to the family of somebody left out",
        "identifiers": "how a row says who it is about",
        "joins": "the joined datasets",
        "legal_bases": "the legal bases",
        "link_map_until": "how long the map of link ids is kept",
        "linked_with": "what it is linked with",
        "method": "the method",
        "notice.fields": "the fields that the notice names",
        "notice.identifiers": "the identifiers that the notice names",
        "notice.level": "whether the notice tells of families or of people",
        "notice.linked_with": "what the notice says it is linked with",
        "notice.published": "the day of the notice",
        "notice.state": "the state that the notice promises",
        "notice.version": "the version of the notice",
        "parties": "the parties",
        "participation": "who may stay out",
        "processors": "the processors",
        "recipient": "the recipient",
        "retain_until": "the day of destruction",
        "returns": "what may come back",
        "review": "the day of the review",
        "signed": "the days of signing",
        "spine": "the dataset that it is about",
        "starts": "the first day",
        "subjects": "whom it is about",
        "title": "the title",
        "under": "the protocol above",
        "version": "the version",
    }
)
# What the words in a part are names of.
_OF_PARTS: Mapping[str, str] = MappingProxyType(
    {
        "controllers": "party",
        "parties": "party",
        "processors": "party",
        "signed": "party",
        "legal_bases": "legal basis",
        "recipient": "recipient",
        "spine": "contract",
        "under": "protocol",
        "notice.fields": "field",
        "disclosure.key_variables": "field",
    }
)


class Names:
    """Titles of two states of the documents; the newer one has the word."""

    def __init__(self, *bundles: Bundle) -> None:
        """Read the titles, the newest bundle last."""
        self._titles: dict[tuple[str, str], str] = {}
        self._columns: dict[tuple[str, str], str] = {}
        for bundle in bundles:
            self._titles |= _titles(bundle)
            for contract in bundle.contracts.values():
                self._columns |= {(contract.id, c.name): c.field for c in contract.columns}
        kinds = Counter((kind, title) for (kind, _), title in self._titles.items())
        self._titles = {at: t for at, t in self._titles.items() if kinds[at[0], t] == 1}

    def of(self, kind: str, key: str, known_as: str = "", *, source: str | None = None) -> str:
        """A thing of a kind, by title and id.

        Args:
            kind: field, agreement, party, recipient, legal basis, contract, protocol.
            key: its id.
            known_as: the name it has here, where that is another than its id.
            source: the dataset of which a field's rule names a column.
        """
        known = self._titles.get((kind, key), "")
        if source:  # then the rule names a column of that dataset
            known = self._titles.get((kind, self._columns.get((source, key), key)), "")
        return titled(known, known_as or key)

    def in_part(self, part: str, word: str) -> str:
        """A word that stands in a part of an agreement."""
        kind = _OF_PARTS.get(part, "")
        return self.of(kind, word)


def called(agreement: str, *bundles: Bundle) -> dict[str, str]:
    """The ids of an agreement's purposes, recipients and columns, each by title and id."""
    names = Names(*bundles)
    found: dict[str, str] = {}
    for bundle in bundles:
        known = bundle.agreements.get(agreement)
        for key, purpose in known.purposes.items() if known else ():
            found[key] = titled(purpose.title, key)
            for output in purpose.outputs.values():
                found[output.recipient] = names.of("recipient", output.recipient)
                for written, rule in output.fields.items():
                    for each in expand_names(written):
                        found[each] = names.of(
                            "field", rule.from_ or each, each, source=rule.source
                        )
    return found


def titled(title: str, key: str) -> str:
    """A title with its id in brackets; one of the two where the other says no more."""
    if not title or title == key:
        return f"*{key}*"
    words = re.sub(r"[-_.]", " ", key).casefold()
    return title if title.casefold().removeprefix("the ") == words else f"{title} (*{key}*)"


def part(key: str) -> str:
    """A key of the documents in plain words, with the key in brackets."""
    return titled(PARTS[key], key) if key in PARTS else key


def first_words(sentence: str) -> str:
    """What a thing is, of the sentence that says what it means; "" where that is long."""
    found = _ENDS.split(sentence, maxsplit=1)[0].strip().replace("*", "")
    return found if len(found) <= LONGEST else ""


def _titles(bundle: Bundle) -> dict[tuple[str, str], str]:
    vocabulary = bundle.vocabulary
    parties = {key: each.title for key, each in vocabulary.parties.items()}
    kinds: Mapping[str, Mapping[str, str]] = {
        "field": {key: first_words(each.meaning) for key, each in vocabulary.fields.items()},
        "party": parties,
        "recipient": {
            key: f"{parties.get(each.organisation, each.organisation)}, {each.team}"
            for key, each in bundle.recipients.items()
        },
        "legal basis": {key: each.provision for key, each in bundle.legal_bases.items()},
        "contract": {key: first_words(each.title) for key, each in bundle.contracts.items()},
        "protocol": {key: each.title for key, each in bundle.knowledge.protocols.items()},
        "agreement": {key: each.title for key, each in bundle.agreements.items()},
    }
    return {
        (kind, key): title.replace("*", "")
        for kind, entries in kinds.items()
        for key, title in entries.items()
    }
