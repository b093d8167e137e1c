"""What a proposal changes as its approver reads it: beside what was approved last.

Source: docs/reference/policy.md, "Life of a version"; docs/adr/0339.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sqlalchemy as sa

from gateway.adapters import policy_since, policy_states, policy_versions
from gateway.adapters.policy_reading import reader
from gateway.adapters.policy_since import Basis
from gateway.adapters.policy_versions import Version
from gateway.policy.rereading import changed
from gateway.web import workshop
from gateway.web.workshop import Difference


def proposed(
    documents: Mapping[str, str], changes: Mapping[str, str], agreement: str, past: Basis
) -> Difference:
    """What a proposal changes of what its agreement was last approved for.

    Args:
        documents: the current ones.
        changes: the texts of the proposal by path.
        agreement: whose proposal it is.
        past: what that one was last approved for.
    """
    shown = workshop.difference(documents, changes, agreement)
    before, after = (reader().load(each)[0] for each in (documents, changed(documents, changes)))
    known = set(workshop.reviewed(past.bundle, agreement))
    remarks = (each for each in workshop.reviewed(after, agreement) if each not in known)
    told = () if shown.untold else policy_since.differences(before, after, past, agreement)
    return replace(shown, changes=told, remarks=tuple(remarks))


def of_version(connection: sa.Connection, version: Version) -> Difference | None:
    """What a version changed, as far as it is known from which texts."""
    state = policy_states.of(connection, version.number)
    earlier = policy_states.before(connection, state) if state else None
    if state is None or earlier is None:
        return _of_texts(connection, version)
    before, after = (policy_states.texts(connection, each) for each in (earlier, state))
    past = policy_since.basis(connection, version.agreement, before=version.number)
    gone = {path: "" for path in before if path not in after}
    return proposed(before, {**after, **gone}, version.agreement, past)


def _of_texts(connection: sa.Connection, version: Version) -> Difference | None:
    """Of one that was never approved, or before states were kept: what its own texts changed."""
    documents = workshop.current(connection)
    before, after = policy_versions.texts_of(connection, version)
    new = {path for path in after if path not in before}
    then = {path: text for path, text in {**documents, **before}.items() if path not in new}
    return workshop.difference(then, after, version.agreement) if after else None
