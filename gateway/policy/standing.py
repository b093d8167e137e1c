"""What an agreement was last approved for, set beside the documents of today.

What several agreements share takes effect through the proposal of any of them. Who
signs for another one is told what differs from what that one was last approved for,
not from what stands in the store today: there the change of the other is no news.

Source: docs/reference/policy.md, "Life of a version"; UK GDPR Art 26; docs/adr/0339.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from gateway.policy.bundle import Bundle
from gateway.policy.digest import reads, same_to_digest
from gateway.policy.knowledge import Knowledge
from gateway.policy.reach import entries

# The names of entries by kind.
Entries = Mapping[str, frozenset[str]]
NOTHING: Entries = MappingProxyType({})
_OF_VOCABULARY = ("fields", "cohorts", "parties", "duties")


def read_by(bundle: Bundle, agreement: str) -> Entries:
    """What the digest of an agreement reads of shared documents; nothing if it does not load."""
    found = bundle.agreements.get(agreement)
    if found is None:
        return NOTHING
    read = {kind: frozenset(names) for kind, names in reads(found, bundle.knowledge).items()}
    return {**read, "protocols": frozenset({found.under} if found.under else ())}


def without(read: Entries, known: Entries) -> Entries:
    """What is read in the one place and not in the other."""
    left = {kind: names - known.get(kind, frozenset()) for kind, names in read.items()}
    return {kind: names for kind, names in left.items() if names}


def differ(read: Entries, before: Bundle, after: Bundle) -> bool:
    """Whether an entry that is read is another one afterwards, as a digest counts it."""
    old, new = entries(before.knowledge), entries(after.knowledge)
    return any(
        not same_to_digest(kind, old[kind].get(key), new[kind].get(key))
        for kind, names in read.items()
        for key in names
    )


def as_approved(now: Bundle, past: Bundle, after: Bundle, agreement: str) -> Bundle:
    """The documents of today, with an agreement and all that it reads as they once stood.

    Args:
        now: the current documents.
        past: those that the agreement was last approved for.
        after: those that are to be approved; what they read counts as read.
        agreement: whose approval it is.
    """
    read = [read_by(each, agreement) for each in (past, after)]
    today, then = entries(now.knowledge), entries(past.knowledge)
    mixed = {}
    for kind, there in today.items():
        names = frozenset[str]().union(*(each.get(kind, frozenset()) for each in read))
        kept = {key: entry for key, entry in there.items() if key not in names}
        mixed[kind] = kept | {key: then[kind][key] for key in names if key in then[kind]}
    agreements = {key: each for key, each in now.agreements.items() if key != agreement}
    if agreement in past.agreements:
        agreements[agreement] = past.agreements[agreement]
    return replace(now, knowledge=_knowledge(now.knowledge, mixed), agreements=agreements)


def _knowledge(now: Knowledge, mixed: Mapping[str, Mapping[str, Any]]) -> Knowledge:
    words = {kind: mixed[kind] for kind in _OF_VOCABULARY}
    return replace(
        now,
        vocabulary=now.vocabulary.model_copy(update=words),
        **{kind: each for kind, each in mixed.items() if kind not in _OF_VOCABULARY},
    )
