"""What a decision reads of the store: documents, approvals, recipients' keys, table digests.

One place gathers them, so that the digest that an approver signed and the digest
that a release computes are over the same things.

Source: docs/reference/policy.md, "The policy digest" and "Life of a version".
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cache

from sqlalchemy import Connection

from gateway import policy
from gateway.adapters import policy_store, recipients
from gateway.model.shipped import table_digests
from gateway.policy import Bundle, Finding, PolicyInvalid, RecipientKey
from gateway.policy.agreements import Agreement
from gateway.policy.findings import name
from gateway.policy.rereading import Rereader
from gateway.workflows.ports_policy import AgreementFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionInputs:
    """The arguments of `policy.decide` that the store knows.

    `approved` are (agreement, digest) that every controller has signed;
    `findings` say why documents that are not in `bundle` did not load; `documents`
    are the texts that both were read from.
    """

    bundle: Bundle
    documents: Mapping[str, str] = field(repr=False)
    findings: tuple[Finding, ...]
    approved: frozenset[tuple[str, str]]
    recipient_keys: Mapping[str, RecipientKey]
    tables: Mapping[str, str]


def decision_inputs(connection: Connection) -> DecisionInputs:
    """Read all that a decision of now depends on, signatures verified."""
    documents = policy_store.bundle(connection)
    bundle, findings = reader().load(documents)
    return DecisionInputs(
        bundle=bundle,
        documents=documents,
        findings=findings,
        approved=policy_store.approved(connection),
        recipient_keys=recipient_keys(connection),
        tables=table_digests(),
    )


def changed(
    read: DecisionInputs, on: dt.date, digest: Callable[[str], str]
) -> dict[str, Agreement]:
    """The agreements that were approved, are not over, and are not what was approved.

    Args:
        read: the store.
        on: the day.
        digest: of one agreement as it stands; a caller may keep what it has computed.
    """
    once = {agreement for agreement, _ in read.approved}
    return {
        each.id: each
        for each in read.bundle.agreements.values()
        if each.id in once and on <= each.ends and (each.id, digest(each.id)) not in read.approved
    }


def digest_in(read: DecisionInputs, agreement: str) -> str:
    """The digest of an agreement as it stands; slow."""
    return policy.policy_digest(
        read.bundle, agreement, recipient_keys=read.recipient_keys, tables=read.tables
    )


def titles(connection: Connection) -> dict[str, str]:
    """Give the title of each agreement that loads, by its id."""
    bundle, _ = reader().load(policy_store.bundle(connection))
    return {name: agreement.title for name, agreement in bundle.agreements.items()}


def agreement_of(connection: Connection, agreement: str) -> Agreement | None:
    """Give an agreement as it stands, if it loads."""
    bundle, _ = reader().load(policy_store.bundle(connection))
    return bundle.agreements.get(agreement)


@cache
def reader() -> Rereader:
    """The reader of this process: after a change it reads what has changed and no more."""
    return Rereader()


def recipient_keys(connection: Connection) -> dict[str, RecipientKey]:
    """Give the registered key of each recipient, as the policy room knows keys."""
    return {
        key.id: RecipientKey(key_id=key.key_id, fingerprint=key.fingerprint, confirmed=key.usable)
        for key in recipients.listed(connection)
    }


def agreements(connection: Connection, documents: Mapping[str, str]) -> dict[str, AgreementFacts]:
    """Say of every agreement that loads what its approval needs to know."""
    bundle, _ = reader().load(documents)
    keys = recipient_keys(connection)
    paths = _paths(documents)
    return {
        name: AgreementFacts(
            id=name,
            path=paths.get(name, ""),
            version=agreement.version,
            controllers=tuple(sorted(set(agreement.controllers))),
            policy_digest=policy.policy_digest(
                bundle, name, recipient_keys=keys, tables=table_digests()
            ),
            starts=agreement.starts,
            published=max(
                (
                    purpose.notice.published
                    for purpose in agreement.purposes.values()
                    if purpose.notice is not None and purpose.notice.published is not None
                ),
                default=None,
            ),
        )
        for name, agreement in bundle.agreements.items()
    }


def check(documents: Mapping[str, str], paths: Collection[str]) -> None:
    """Refuse if one of these paths does not load.

    Raises:
        PolicyInvalid: every finding of these documents.
    """
    _, findings = reader().load(documents)
    told = {*paths, *map(name, paths)}  # one that is misplaced is told by what may be quoted
    concerned = [finding for finding in findings if finding.document in told]
    if concerned:
        raise PolicyInvalid(concerned)


def _paths(documents: Mapping[str, str]) -> dict[str, str]:
    """Find the document of each agreement by the id that it states."""
    found = {}
    for path, text in documents.items():
        if path.startswith("agreements/"):
            try:
                found[str(tomllib.loads(text).get("id"))] = path
            except (ValueError, RecursionError):
                continue  # `policy.load` has a finding for it, and no agreement
    return found
