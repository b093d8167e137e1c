"""What people call a thing of the documents: its title, with its id in brackets.

A sentence that an approver signs says "Date of birth (*age_band*)", not the id alone.
Where two things would be called the same, or nothing is a title, the id stands alone.

Source: docs/reference/policy.md, "Life of a version".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from gateway.policy.bundle import Bundle
from gateway.policy.marks import marked, verbatim
from gateway.policy.part_words import OF_PARTS, PARTS, VALUES
from gateway.policy.treatments import expand_names

LONGEST = 60
_ENDS = re.compile(r"[:;.(]|, | – ")


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
        if (part, word) in VALUES:
            return titled(VALUES[part, word], word)
        return self.of(OF_PARTS.get(part, ""), word)


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
        return marked(key)
    words = re.sub(r"[-_.]", " ", key).casefold()
    said = verbatim(title)
    return said if title.casefold().removeprefix("the ") == words else f"{said} ({marked(key)})"


def part(key: str, *, of: str = "") -> str:
    """A key of the documents in plain words, with the key in brackets.

    Args:
        key: as it is written, with dots.
        of: the kind of document that it stands in, where the key has several meanings.
    """
    words = part_words(key, of=of)
    return titled(words, key) if words else verbatim(key)


def part_words(key: str, *, of: str = "") -> str:
    """A key of the documents in plain words; "" where there are none."""
    return PARTS.get(f"{of}:{key}") or PARTS.get(key, "")


def first_words(sentence: str) -> str:
    """What a thing is, of the sentence that says what it means; "" where that is long."""
    found = _ENDS.split(sentence, maxsplit=1)[0].strip()
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
    return {(kind, key): title for kind, entries in kinds.items() for key, title in entries.items()}
