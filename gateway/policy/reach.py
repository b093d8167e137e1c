"""Whom a change reaches: the agreements whose approval it ends.

What several agreements share stands once: a field, a cohort, a dataset, a recipient, a
legal basis. A change of it goes with one agreement; the others that read it have another
digest from then on, which nobody has approved, and nothing is shared under them.

Source: docs/reference/policy.md, "The policy digest"; UK GDPR Art 26.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.policy.agreements import Agreement
from gateway.policy.bundle import Bundle
from gateway.policy.digest import reads, same_agreement, same_to_digest
from gateway.policy.knowledge import Knowledge


def reached(before: Bundle, after: Bundle) -> tuple[str, ...]:
    """The agreements of both whose policy digest is another one, sorted.

    One that no longer loads is among them; one that is new is not.
    """
    changed = _changed(before.knowledge, after.knowledge)
    return tuple(
        sorted(
            key
            for key, agreement in before.agreements.items()
            if not _same(agreement, after.agreements.get(key))
            or (changed and _reads_any(agreement, before.knowledge, changed))
        )
    )


def _same(one: Agreement, other: Agreement | None) -> bool:
    return other is not None and same_agreement(one, other)


def _reads_any(
    agreement: Agreement, knowledge: Knowledge, changed: Mapping[str, frozenset[str]]
) -> bool:
    if agreement.under in changed.get("protocols", frozenset()):
        return True
    read = reads(agreement, knowledge)
    return any(not names.isdisjoint(read.get(kind, ())) for kind, names in changed.items())


def _changed(before: Knowledge, after: Knowledge) -> dict[str, frozenset[str]]:
    """The names of the entries that are not as they were, by kind; no kind without one."""
    then = entries(after)
    found = {
        kind: frozenset(
            key
            for key in {*now, *then[kind]}
            if not same_to_digest(kind, now.get(key), then[kind].get(key))
        )
        for kind, now in entries(before).items()
    }
    return {kind: names for kind, names in found.items() if names}


def entries(knowledge: Knowledge) -> dict[str, Mapping[str, Any]]:
    """What several agreements may read, by kind as `reads` calls it, and the protocols."""
    return {
        "fields": knowledge.vocabulary.fields,
        "cohorts": knowledge.vocabulary.cohorts,
        "parties": knowledge.vocabulary.parties,
        "duties": knowledge.vocabulary.duties,
        "bases": knowledge.bases,
        "contracts": knowledge.contracts,
        "recipients": knowledge.recipients,
        "protocols": knowledge.protocols,
    }
