"""What a proposal changes as its approver reads it: beside what was approved last.

Source: docs/reference/policy.md, "Life of a version"; docs/adr/0339.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sqlalchemy as sa

from gateway.adapters import policy_keys, policy_since, policy_states, policy_versions
from gateway.adapters.policy_reading import DecisionInputs, reader
from gateway.adapters.policy_since import Basis, Signing
from gateway.adapters.policy_versions import Version
from gateway.policy.rereading import changed
from gateway.web import documents, workshop
from gateway.web.workshop import Difference


def proposed(
    current: Mapping[str, str], changes: Mapping[str, str], past: Basis, signed: Signing
) -> Difference:
    """What a proposal changes of what its agreement was last approved for.

    Args:
        current: the documents as they are.
        changes: the texts of the proposal by path.
        past: what its agreement was last approved for.
        signed: what a signature under it covers.
    """
    agreement = signed.agreement
    shown = workshop.difference(current, changes, agreement)
    before, after = (reader().load(each)[0] for each in (current, changed(current, changes)))
    known = set(workshop.reviewed(past.bundle, agreement))
    remarks = (each for each in workshop.reviewed(after, agreement) if each not in known)
    told = () if shown.untold else policy_since.differences(before, after, past, signed)
    return replace(shown, changes=told, remarks=tuple(remarks))


def since_approval(
    connection: sa.Connection, read: DecisionInputs, agreement: str
) -> Difference | None:
    """Why an agreement is not what was approved; nothing of one that is, or never was approved."""
    if agreement not in documents.changed(read):
        return None
    past = policy_since.basis(connection, agreement)
    keys = policy_keys.signed(connection, agreement, last=past.digest)
    signed = Signing(agreement=agreement, digest=documents.digest_now(read, agreement), keys=keys)
    return proposed(workshop.current(connection), {}, past, signed)


def of_version(connection: sa.Connection, version: Version) -> Difference:
    """What a version changed, as far as it is known from which texts."""
    state = policy_states.of(connection, version.number)
    earlier = policy_states.before(connection, state) if state else None
    past = policy_since.basis(connection, version.agreement, before=version.number)
    signed = policy_since.signing(connection, version, past, earlier=True)
    if state is None or earlier is None:
        return _of_texts(connection, version, past, signed)
    before, after = (policy_states.texts(connection, each) for each in (earlier, state))
    gone = {path: "" for path in before if path not in after}
    return proposed(before, {**after, **gone}, past, signed)


def _of_texts(
    connection: sa.Connection, version: Version, past: Basis, signed: Signing
) -> Difference:
    """Of one never approved, or before states were kept: what its texts changed, and the keys."""
    current = workshop.current(connection)
    before, after = policy_versions.texts_of(connection, version)
    new = {path for path in after if path not in before}
    then = {path: text for path, text in {**current, **before}.items() if path not in new}
    shown = workshop.difference(then, after, version.agreement)
    if shown.untold:
        return shown
    bundle = reader().load(changed(then, after))[0]
    keys = policy_since.differing_keys(bundle, past, signed)
    return replace(shown, changes=(*shown.changes, *keys))
