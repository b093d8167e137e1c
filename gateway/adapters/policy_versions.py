"""Every version of an agreement that was ever proposed: who, when, why, and from which texts.

Nothing is forgotten that was proposed, withdrawn versions and those that later ones
replaced included. The reasons are those that the editor gave at each save of the draft.

Source: docs/reference/policy.md, "Life of a version"; UK GDPR Art 5(2).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from gateway.adapters import policy_drafts, policy_store
from gateway.adapters.policy_drafts import DRAFTS, Draft, DraftState
from gateway.adapters.policy_tables import APPROVALS, CHANGES, PROPOSALS, TEXTS
from gateway.errors import UsageError

FIRST_REVISION = 1
APPROVED, WITHDRAWN, NOT_APPROVED = "approved", "withdrawn", "not approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One proposal; `approvals` are (controller, approver, when), times are ISO texts.

    `begins` is the first day that it waits for, or waited for and never saw.
    """

    number: int
    agreement: str
    version: int
    controllers: tuple[str, ...]
    policy_digest: str
    editor: str
    proposed: str
    withdrawn: str
    withdrawn_by: str
    approvals: tuple[tuple[str, str, str], ...]
    begins: str = ""

    @property
    def complete(self) -> bool:
        """Whether every controller has signed."""
        return set(self.controllers) <= {controller for controller, _, _ in self.approvals}

    @property
    def approved(self) -> str:
        """When the last controller signed; "" before."""
        return max(at for _, _, at in self.approvals) if self.complete else ""


def versions(connection: sa.Connection, agreement: str) -> tuple[Version, ...]:
    """Every version that was proposed of an agreement, newest first."""
    query = sa.select(PROPOSALS).where(PROPOSALS.c.agreement == agreement)
    rows = connection.execute(query.order_by(PROPOSALS.c.id.desc())).mappings().all()
    # Signatures of what stands are verified; what was withdrawn shows who had signed it.
    standing = {each.number for each in policy_store.proposals(connection, agreement)}
    return tuple(
        _version(connection, row) for row in rows if row["withdrawn"] or row["id"] in standing
    )


def withdrawn(connection: sa.Connection) -> frozenset[str]:
    """The agreements of which a version was withdrawn, whatever was proposed since."""
    query = sa.select(PROPOSALS.c.agreement).where(PROPOSALS.c.withdrawn != "")
    return frozenset(connection.scalars(query))


def standings(connection: sa.Connection, agreements: Iterable[str]) -> dict[str, str]:
    """Of each agreement whether it was approved and not withdrawn since, by its id."""
    approved = {agreement for agreement, _ in policy_store.approved(connection)}
    gone = withdrawn(connection)
    return {
        each: APPROVED if each in approved else WITHDRAWN if each in gone else NOT_APPROVED
        for each in agreements
    }


def version_of(connection: sa.Connection, agreement: str, number: str) -> Version:
    """One version by the number of its proposal.

    Raises:
        UsageError: the agreement has none of that number.
    """
    found = [each for each in versions(connection, agreement) if str(each.number) == number]
    if not found:
        raise UsageError(
            "policy/unknown-version",
            "The agreement has no version of that number.",
            remedy="The agreement's page lists its versions.",
        )
    return found[0]


def texts_of(connection: sa.Connection, version: Version) -> tuple[dict[str, str], dict[str, str]]:
    """The texts that a version changed: as they were before it, and as it has them."""
    after = _changes(connection, version.number)
    draft = draft_of(connection, version.agreement, after)
    before = {path: _before(connection, version, path, text) for path, text in after.items()}
    for path in after:
        if not before[path] and draft is not None:
            digest = draft.bases.get(path, "")
            before[path] = _text(connection, digest)
    return {path: text for path, text in before.items() if text}, after


def draft_of(connection: sa.Connection, agreement: str, changes: Mapping[str, str]) -> Draft | None:
    """The draft that a proposal was made from; none where it was made by command."""
    query = (
        sa.select(DRAFTS.c.id)
        .where(DRAFTS.c.agreement == agreement, DRAFTS.c.state == DraftState.PROPOSED)
        .order_by(DRAFTS.c.begun.desc())
    )
    for name in connection.scalars(query).all():
        draft = policy_drafts.find(connection, name)
        if changes and all(draft.changes.get(path) == text for path, text in changes.items()):
            return draft
    return None


def made_from(connection: sa.Connection, draft: Draft) -> Version | None:
    """The newest version that was proposed from a draft."""
    for each in versions(connection, draft.agreement):
        made = draft_of(connection, draft.agreement, _changes(connection, each.number))
        if made is not None and made.id == draft.id:
            return each
    return None


def reasons(connection: sa.Connection, draft: Draft | None) -> tuple[str, ...]:
    """Why the draft was written, save by save, oldest first; what was said twice is told once."""
    if draft is None:
        return ()
    saves = policy_drafts.history(connection, draft.id)
    told = (why for number, _, _, why in reversed(saves) if number > FIRST_REVISION)
    return tuple(dict.fromkeys(why for why in told if why != policy_drafts.NO_REASON))


def _before(connection: sa.Connection, version: Version, path: str, text: str) -> str:
    """The text of a path as the version before had it; "" where none is known."""
    for earlier in versions(connection, version.agreement):
        if earlier.number < version.number and earlier.complete and not earlier.begins:
            found = _changes(connection, earlier.number).get(path)
            if found:
                return found
    return _seeded(connection, text) if path.startswith("agreements/") else ""


def _seeded(connection: sa.Connection, text: str) -> str:
    """The newest earlier text of the same agreement, by what the texts say of themselves."""
    mine = _said(text)
    if mine is None:
        return ""
    like = TEXTS.c.text.contains(f'"{mine[0]}"', autoescape=True)
    known = connection.scalars(sa.select(TEXTS.c.text).where(like)).all()
    earlier = [(said[1], each) for each in known if (said := _said(each)) and said[0] == mine[0]]
    return max((each for each in earlier if each[0] < mine[1]), default=(0, ""))[1]


def _said(text: str) -> tuple[str, int] | None:
    try:
        read = tomllib.loads(text)
    except (ValueError, RecursionError):
        return None
    version = read.get("version")
    return (str(read.get("id")), version) if isinstance(version, int) else None


def _text(connection: sa.Connection, digest: str) -> str:
    found = connection.scalar(sa.select(TEXTS.c.text).where(TEXTS.c.digest == digest))
    return str(found or "")


def _changes(connection: sa.Connection, number: int) -> dict[str, str]:
    query = (
        sa.select(CHANGES.c.path, TEXTS.c.text)
        .join(TEXTS, TEXTS.c.digest == CHANGES.c.digest)
        .where(CHANGES.c.proposal == number)
    )
    return {row.path: row.text for row in connection.execute(query)}


def _version(connection: sa.Connection, row: Any) -> Version:
    signed = sa.select(APPROVALS).where(APPROVALS.c.proposal == row["id"])
    approvals = tuple(
        (each.controller, each.approver, each.approved)
        for each in connection.execute(signed.order_by(APPROVALS.c.approved))
    )
    return Version(
        number=row["id"],
        agreement=row["agreement"],
        version=row["version"],
        controllers=tuple(row["controllers"].split("\n")),
        policy_digest=row["policy_digest"],
        editor=row["editor"],
        proposed=row["proposed"],
        withdrawn=row["withdrawn"],
        withdrawn_by=row["withdrawn_by"],
        approvals=approvals,
        begins=row["begins"] or "",
    )
