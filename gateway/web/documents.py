"""The governed documents as pages read them: loaded once, read anew when they change.

Source: docs/reference/policy.md; security point 4.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from gateway.adapters.policy_reading import DecisionInputs, decision_inputs
from gateway.policy import Bundle, RecipientKey, policy_digest
from gateway.web.desk import desk


def inputs() -> DecisionInputs:
    """What a decision of this moment depends on."""
    with desk().database.read() as connection:
        return decision_inputs(connection)


def in_force(read: DecisionInputs) -> frozenset[str]:
    """Ids of the agreements that every controller has signed and whose dates hold today."""
    today = desk().now().date()
    return frozenset(
        agreement.id
        for agreement in read.bundle.agreements.values()
        if agreement.starts <= today <= agreement.ends
        and (agreement.id, _digest(read, agreement.id)) in read.approved
    )


def _digest(read: DecisionInputs, agreement: str) -> str:
    keys = tuple(sorted(read.recipient_keys.items()))
    return _digested(_Same(read.bundle), agreement, keys, tuple(sorted(read.tables.items())))


class _Same:
    """One loaded bundle as a key of a cache: the same object, the same documents."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.bundle is self.bundle

    def __hash__(self) -> int:
        return id(self.bundle)


@functools.lru_cache(maxsize=256)
def _digested(
    same: _Same,
    agreement: str,
    keys: tuple[tuple[str, RecipientKey], ...],
    tables: tuple[tuple[str, str], ...],
) -> str:
    known: Mapping[str, RecipientKey] = dict(keys)
    return policy_digest(same.bundle, agreement, recipient_keys=known, tables=dict(tables))


def party_title(bundle: Bundle, party: str) -> str:
    """An organisation by the name that the vocabulary gives it."""
    known = bundle.vocabulary.parties.get(party)
    return known.title if known is not None else party


def dataset_title(bundle: Bundle, dataset: str) -> str:
    """A dataset by the first words of its contract's title: what it is, not how it is cut."""
    contract = bundle.contracts.get(dataset)
    if contract is None:
        return dataset
    return min((contract.title.partition(mark)[0] for mark in (" (", ", ", ": ")), key=len)
