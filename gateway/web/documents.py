"""The governed documents as pages read them: loaded once, read anew when they change.

Source: docs/reference/policy.md; security point 4.
"""

from __future__ import annotations

import datetime as dt

from flask import current_app, g

from gateway.adapters import policy_reading, policy_versions
from gateway.adapters.policy_reading import DecisionInputs, decision_inputs
from gateway.errors import UsageError
from gateway.model import Plan, Refusal, SharingRequest
from gateway.policy import Bundle, decide
from gateway.policy.agreements import Agreement
from gateway.web.desk import desk


def inputs() -> DecisionInputs:
    """What a decision of this moment depends on: read once for each request."""
    if "policy_inputs" not in g:
        with desk().database.read() as connection:
            g.policy_inputs = decision_inputs(connection)
    found: DecisionInputs = g.policy_inputs
    return found


def in_force(read: DecisionInputs) -> frozenset[str]:
    """Ids of the agreements that every controller has signed and whose dates hold today."""
    today = desk().now().date()
    known = _standing(read)
    return frozenset(
        agreement.id
        for agreement in read.bundle.agreements.values()
        if agreement.starts <= today <= agreement.ends
        and (agreement.id, known.digest(agreement.id)) in read.approved
    )


def changed(read: DecisionInputs) -> frozenset[str]:
    """Ids of the agreements that were approved, are not over, and are not what was approved."""
    today = desk().now().date()
    return frozenset(policy_reading.changed(read, today, _standing(read).digest))


def digest_now(read: DecisionInputs, agreement: str) -> str:
    """The digest of an agreement as it stands."""
    return _standing(read).digest(agreement)


def was_approved(read: DecisionInputs, agreement: str) -> bool:
    """Whether it is approved and not over: in force, to begin later, or changed since."""
    found = read.bundle.agreements.get(agreement)
    ahead = found is not None and desk().now().date() <= found.ends
    return ahead and agreement in {name for name, _ in read.approved}


def standings(bundle: Bundle) -> dict[str, str]:
    """Of each agreement whether it was approved and not withdrawn since."""
    with desk().database.read() as connection:
        return policy_versions.standings(connection, bundle.agreements)


def decided(read: DecisionInputs, purpose: str, agreement: str) -> Plan | Refusal:
    """The decision on a request as things stand now."""
    return _standing(read).decision(SharingRequest(purpose=purpose, agreement=agreement))


class _Standing:
    """What follows from one state of the documents, approvals and keys on one day.

    A decision is a pure function of them, and its digest is slow: it is computed once
    for each state. The state itself is read from the store at each request.
    """

    def __init__(self, read: DecisionInputs, on: dt.date) -> None:
        self._read, self._on = read, on
        self._decisions: dict[SharingRequest, Plan | Refusal] = {}
        self._digests: dict[str, str] = {}

    def is_of(self, read: DecisionInputs, on: dt.date) -> bool:
        mine = self._read
        return mine.bundle is read.bundle and on == self._on and _terms(mine) == _terms(read)

    def digest(self, agreement: str) -> str:
        if agreement not in self._digests:
            self._digests[agreement] = policy_reading.digest_in(self._read, agreement)
        return self._digests[agreement]

    def decision(self, request: SharingRequest) -> Plan | Refusal:
        if request not in self._decisions:
            read = self._read
            self._decisions[request] = decide(
                request,
                read.bundle,
                on=self._on,
                approved=read.approved,
                recipient_keys=read.recipient_keys,
                tables=read.tables,
            )
        return self._decisions[request]


_LAST = "gateway-standing"


def _standing(read: DecisionInputs) -> _Standing:
    today = desk().now().date()
    last: _Standing | None = current_app.extensions.get(_LAST)
    if last is None or not last.is_of(read, today):
        last = current_app.extensions[_LAST] = _Standing(read, today)
    return last


def _terms(read: DecisionInputs) -> tuple[object, ...]:
    return (read.approved, dict(read.recipient_keys), dict(read.tables))


def known_agreement(bundle: Bundle, agreement: str) -> Agreement:
    """An agreement that loads; what somebody made up is not repeated to them.

    Raises:
        UsageError: there is none of that id.
    """
    found = bundle.agreements.get(agreement)
    if found is None:
        raise UsageError(
            "policy/unknown-agreement",
            "There is no agreement of that id.",
            remedy="The list shows those that load.",
        )
    return found


def party_title(bundle: Bundle, party: str) -> str:
    """An organisation by the name that the vocabulary gives it."""
    known = bundle.vocabulary.parties.get(party)
    return known.title if known is not None else party


def agreement_title(bundle: Bundle, agreement: str) -> str:
    """An agreement by its title; by its id while it does not load."""
    known = bundle.agreements.get(agreement)
    return known.title if known is not None else agreement


def dataset_title(bundle: Bundle, dataset: str) -> str:
    """A dataset by the first words of its contract's title: what it is, not how it is cut."""
    contract = bundle.contracts.get(dataset)
    if contract is None:
        return dataset
    return min((contract.title.partition(mark)[0] for mark in (" (", ", ", ": ")), key=len)
