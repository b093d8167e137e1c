"""Documents taken out as a whole: what still needs one, and the last text of each that went.

A proposal takes a document out by giving it no text. It is refused while anything
needs the document: another document, a proposal that waits, an extract that is
stored, a package that its recipient has not certified as destroyed. What went stays
known by its last text, so that a release of long ago is traced as it was made.

Source: docs/reference/policy.md, "Traceability"; UK GDPR Art 5(2); docs/adr/0317.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterator, Mapping

import sqlalchemy as sa

from gateway.adapters import policy_store, policy_waiting
from gateway.adapters.database import METADATA
from gateway.adapters.duty_records import DUTIES
from gateway.adapters.extract_store import EXTRACTS
from gateway.adapters.policy_reading import reader
from gateway.adapters.policy_tables import HEADS, TEXTS
from gateway.adapters.release_store import PACKAGES, RELEASES, ReleaseState
from gateway.policy import Finding
from gateway.policy.rereading import changed
from gateway.workflows.ports_policy import Proposal

Texts = Mapping[str, str]

REMOVALS = sa.Table(
    "policy_removals",
    METADATA,
    sa.Column("proposal", sa.ForeignKey("policy_proposals.id"), primary_key=True),
    sa.Column("path", sa.String(200), primary_key=True),
    sa.Column("digest", sa.ForeignKey("policy_texts.digest"), nullable=False),
    sa.Column("removed", sa.String(40), nullable=False),
)
# Releases whose packages ended with them, or never left.
_OVER = (ReleaseState.CLOSED, ReleaseState.REFUSED, ReleaseState.HELD, ReleaseState.WITHDRAWN)
_GONE = ("rejected", "destroyed")


def uses(connection: sa.Connection, agreement: str, changes: Texts) -> tuple[str, ...]:
    """What still needs the documents that these changes take out, one sentence each.

    Args:
        connection: of the store.
        agreement: whose proposal it is; its own earlier proposals do not count.
        changes: texts by path; those without a text are taken out.
    """
    current = policy_store.bundle(connection)
    gone = [path for path, text in changes.items() if not text and path in current]
    if not gone:
        return ()
    kept = {path: text for path, text in changes.items() if path not in gone}
    found = [*_newly(changed(current, kept), changed(current, changes))]
    for proposal in _waiting(connection, agreement):
        theirs = changed(changed(current, kept), policy_store.changes_of(connection, proposal))
        without = {path: text for path, text in theirs.items() if path not in gone}
        told = (each for each in _newly(theirs, without) if each not in found)
        found += [f"the proposal of {proposal.agreement}: {each}" for each in told]
    for path in gone:
        found += _stored(connection, path, current[path])
    return tuple(found)


def take_out(connection: sa.Connection, proposal: Proposal, *, at: dt.datetime) -> None:
    """Take out what a fully approved proposal gives no text, and keep its last one."""
    for path, text in policy_store.changes_of(connection, proposal).items():
        last = connection.scalar(sa.select(HEADS.c.digest).where(HEADS.c.path == path))
        if text or last is None:
            continue
        row = {"proposal": proposal.number, "path": path, "digest": last}
        connection.execute(REMOVALS.insert().values(**row, removed=at.isoformat()))
        connection.execute(HEADS.delete().where(HEADS.c.path == path))


def last_texts(connection: sa.Connection) -> dict[str, str]:
    """The last text of each document that was ever taken out, by path."""
    query = (
        sa.select(REMOVALS.c.path, TEXTS.c.text)
        .join(TEXTS, TEXTS.c.digest == REMOVALS.c.digest)
        .order_by(REMOVALS.c.proposal)
    )
    return {row.path: row.text for row in connection.execute(query)}


def _waiting(connection: sa.Connection, agreement: str) -> Iterator[Proposal]:
    """Of each other agreement what is not yet what the documents say.

    That is the newest proposal, where it waits for an approval, and the version that
    waits for its first day, which need not be the newest one.
    """
    newest = {each.agreement: each for each in policy_store.proposals(connection)}
    proposed = [each for each in newest.values() if each.begins or not each.complete]
    later = [each.proposal for each in policy_waiting.waiting(connection)]
    every = {each.number: each for each in (*proposed, *later)}
    yield from (each for each in every.values() if each.agreement != agreement)


def _newly(before: Texts, after: Texts) -> Iterator[str]:
    """What does not load any more, and why."""
    known = {_said(each) for each in reader().load(before)[1]}
    yield from dict.fromkeys(
        told for each in reader().load(after)[1] if (told := _said(each)) not in known
    )


def _said(finding: Finding) -> str:
    return ", ".join(part for part in (finding.document, finding.where) if part) + (
        f": {finding.sentence}"
    )


def _stored(connection: sa.Connection, path: str, text: str) -> Iterator[str]:
    """What is kept under a dataset, or was sent to a recipient and is not destroyed."""
    named = str(tomllib.loads(text).get("id", ""))
    if path.startswith("datasets/"):
        there = EXTRACTS.c.dataset == named, EXTRACTS.c.state.not_in(_GONE)
        count = connection.scalar(sa.select(sa.func.count()).select_from(EXTRACTS).where(*there))
        if count:
            yield f"extracts of {named} that are stored: {count}."
    if path.startswith("recipients/"):
        certified = sa.select(DUTIES.c.package).where(DUTIES.c.certified != "")
        count = connection.scalar(
            sa.select(sa.func.count())
            .select_from(PACKAGES.join(RELEASES, RELEASES.c.id == PACKAGES.c.release))
            .where(
                PACKAGES.c.recipient == named,
                RELEASES.c.state.not_in(_OVER),
                PACKAGES.c.id.not_in(certified),
            )
        )
        if count:
            yield f"packages for {named} that are not certified as destroyed: {count}."
