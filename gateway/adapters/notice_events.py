"""Which entries of the ledger are told, and what is said of each.

Source: docs/how-to/tell-people.md; security points 1, 3.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping

import sqlalchemy as sa

from gateway.adapters import policy_store
from gateway.adapters.policy_reading import (
    agreement_of,
    changed,
    decision_inputs,
    digest_in,
    titles,
)
from gateway.adapters.release_store import RELEASES
from gateway.ledger import Entry
from gateway.model.notices import Kind, Occasion
from gateway.workflows.ports_policy import Proposal

Teller = Callable[[sa.Connection, str, Entry], Iterable[Occasion]]


def told_of() -> Mapping[str, Teller]:
    """The events that are told, with what reads the occasion from an entry."""
    return _TOLD


def _proposed(connection: sa.Connection, key: str, entry: Entry) -> Iterable[Occasion]:
    proposal = _proposal(connection, entry)
    if proposal is not None and not proposal.complete:
        yield _of_agreement(connection, key, Kind.PROPOSED, entry)


def _approved(connection: sa.Connection, key: str, entry: Entry) -> Iterable[Occasion]:
    proposal = _proposal(connection, entry)
    if proposal is not None and proposal.complete:
        # Whoever signed last: once for the proposal.
        whole = f"whole:{proposal.number}"
        yield _of_agreement(connection, whole, Kind.IN_FORCE, entry)
        yield from _changed(connection, key, entry)
    elif proposal is not None:
        yield _of_agreement(connection, key, Kind.APPROVED, entry)


def _begun(connection: sa.Connection, key: str, entry: Entry) -> Iterable[Occasion]:
    # One that was withdrawn since is told of as that alone.
    if _proposal(connection, entry) is not None:
        yield _of_agreement(connection, key, Kind.BEGUN, entry)
        yield from _changed(connection, key, entry)


def _changed(connection: sa.Connection, _key: str, entry: Entry) -> Iterable[Occasion]:
    """The agreements that are not what was approved any more: each once for what it is now."""
    read = decision_inputs(connection)
    once = {name for name, _ in read.approved} & read.bundle.agreements.keys()
    digests = {name: digest_in(read, name) for name in once}
    for name, agreement in changed(read, entry.at.date(), digests.__getitem__).items():
        yield Occasion(
            id=f"changed:{name}:{digests[name]}",
            kind=Kind.CHANGED,
            facts={"agreement": name, "title": agreement.title},
            controllers=tuple(agreement.controllers),
        )


def _withdrawn(connection: sa.Connection, _key: str, entry: Entry) -> Iterable[Occasion]:
    # Several texts are withdrawn at a time, each by an entry: one notice.
    once = f"withdrawn:{entry.facts['document']}:{entry.at.isoformat()}"
    yield _of_agreement(connection, once, Kind.WITHDRAWN, entry)


def _held(connection: sa.Connection, key: str, entry: Entry) -> Iterable[Occasion]:
    release = str(entry.facts["release"])
    row = connection.execute(sa.select(RELEASES).where(RELEASES.c.id == release)).first()
    if row is None:
        return
    known = agreement_of(connection, row.agreement)
    facts = {"release": release, "title": known.title if known else row.agreement}
    controllers = tuple(known.controllers) if known else ()
    yield Occasion(id=key, kind=Kind.HELD, by=row.officer, facts=facts, controllers=controllers)


def _role_asked(_connection: sa.Connection, key: str, entry: Entry) -> Iterable[Occasion]:
    facts = {"role": str(entry.facts["role"]), "operator": str(entry.facts["operator"])}
    by = str(entry.facts.get("approver", ""))
    yield Occasion(id=key, kind=Kind.ROLE_ASKED, by=by, facts=facts)


def _access_asked(_connection: sa.Connection, key: str, entry: Entry) -> Iterable[Occasion]:
    what = "account" if "account" in entry.facts else "client"
    facts = {"what": what, "name": str(entry.facts[what])}
    if "operator" in entry.facts:
        facts["operator"] = str(entry.facts["operator"])
    by = str(entry.facts.get("approver", ""))
    yield Occasion(id=key, kind=Kind.ACCESS_ASKED, by=by, facts=facts)


def _not_delivered(_connection: sa.Connection, key: str, entry: Entry) -> Iterable[Occasion]:
    facts = {"release": str(entry.facts["release"])}
    yield Occasion(id=key, kind=Kind.NOT_DELIVERED, facts=facts)


def _emergency_asked(_connection: sa.Connection, key: str, entry: Entry) -> Iterable[Occasion]:
    facts = {"emergency": str(entry.facts["subject"])}
    by = str(entry.facts["operator"])
    yield Occasion(id=key, kind=Kind.EMERGENCY_ASKED, by=by, facts=facts)


def _emergency(_connection: sa.Connection, key: str, entry: Entry) -> Iterable[Occasion]:
    facts = {"emergency": str(entry.facts["subject"]), "release": str(entry.facts["release"])}
    facts |= {"recipient": str(entry.facts["recipient"]), "second": str(entry.facts["approver"])}
    yield Occasion(id=key, kind=Kind.EMERGENCY, by=str(entry.facts["operator"]), facts=facts)


_TOLD: Mapping[str, Teller] = {
    "policy-proposed": _proposed,
    "policy-approved": _approved,
    "policy-begun": _begun,
    "policy-withdrawn": _withdrawn,
    "recipient-key-added": _changed,
    "recipient-key-confirmed": _changed,
    "release-held": _held,
    "role-asked": _role_asked,
    "account-asked": _access_asked,
    "client-asked": _access_asked,
    "package-not-delivered": _not_delivered,
    "emergency-asked": _emergency_asked,
    "emergency-disclosed": _emergency,
}


def _of_agreement(connection: sa.Connection, key: str, kind: Kind, entry: Entry) -> Occasion:
    agreement = str(entry.facts["document"])
    proposal = _proposal(connection, entry)
    controllers = proposal.controllers if proposal else ()
    signed = {controller for controller, _ in proposal.approvals} if proposal else set()
    return Occasion(
        id=key,
        kind=kind,
        by=str(entry.facts.get("operator", "")),
        facts={
            "agreement": agreement,
            "title": _title(connection, agreement, proposal),
            "version": str(entry.facts.get("version", "")),
            "waiting": ", ".join(each for each in controllers if each not in signed),
        },
        controllers=controllers,
    )


def _title(connection: sa.Connection, agreement: str, proposal: Proposal | None) -> str:
    """The agreement's title, or the one that its first proposal gives it."""
    known = titles(connection)
    if agreement in known or proposal is None:
        return known.get(agreement, agreement)
    for text in policy_store.changes_of(connection, proposal).values():
        found = tomllib.loads(text)
        if found.get("id") == agreement:
            return str(found.get("title", agreement))
    return agreement


def _proposal(connection: sa.Connection, entry: Entry) -> Proposal | None:
    """The proposal of an entry, withdrawn ones excepted."""
    digest = entry.facts["document_digest"]
    known = policy_store.proposals(connection, str(entry.facts["document"]))
    return next((each for each in reversed(known) if each.policy_digest == digest), None)
