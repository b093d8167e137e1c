"""Versions of governed documents, proposals and approvals, with their signatures.

Texts are kept once under their SHA-256; the heads say which text of each path is
the current one. A proposal carries new texts beside the heads and changes
nothing; when the last controller has approved, its texts become heads in the same
transaction. What is approved is judged anew at each asking, signature by
signature, so that a row written past the gateway approves nothing.

Source: docs/reference/policy.md, "Life of a version"; security point 3; UK GDPR Art 5(2).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, RowMapping, insert, select, update

from gateway.adapters import operators, policy_states
from gateway.adapters.policy_tables import APPROVALS, CHANGES, HEADS, PROPOSALS, TEXTS
from gateway.errors import UsageError
from gateway.model.permissions import Operator
from gateway.workflows.ports_policy import Proposal

_NO_TEXT = hashlib.sha256(b"").hexdigest()


def seed(connection: Connection, documents: Mapping[str, str], *, at: dt.datetime) -> int:
    """Fill an empty store; a store that holds anything is left as it is.

    Returns:
        How many documents were stored.
    """
    if connection.scalar(select(HEADS.c.path).limit(1)) is not None:
        return 0
    set_heads(connection, documents, at=at)
    policy_states.keep(connection, None)
    return len(documents)


def heads(connection: Connection) -> dict[str, str]:
    """The SHA-256 of the current text of every document, by path."""
    rows = connection.execute(select(HEADS.c.path, HEADS.c.digest))
    return {row.path: row.digest for row in rows}


def bundle(connection: Connection) -> dict[str, str]:
    """Give the current text of every document, by path, in order."""
    rows = connection.execute(
        select(HEADS.c.path, TEXTS.c.text)
        .join(TEXTS, TEXTS.c.digest == HEADS.c.digest)
        .order_by(HEADS.c.path)
    )
    return {row.path: row.text for row in rows}


def add_proposal(
    connection: Connection,
    proposal: Proposal,
    *,
    changes: Mapping[str, str],
    signature: bytes,
    at: dt.datetime,
) -> Proposal:
    """Keep a signed proposal and the texts that it would change."""
    number = connection.scalar(
        insert(PROPOSALS)
        .values(
            agreement=proposal.agreement,
            version=proposal.version,
            controllers="\n".join(proposal.controllers),
            policy_digest=proposal.policy_digest,
            editor=proposal.editor,
            signature=signature.hex(),
            proposed=at.isoformat(),
            writers="\n".join(proposal.writers) or None,
        )
        .returning(PROPOSALS.c.id)
    )
    current = heads(connection)
    for path, text in changes.items():
        row = {"proposal": number, "path": path, "base": current.get(path, "")}
        connection.execute(insert(CHANGES).values(**row, digest=_keep(connection, text)))
    return replace(proposal, number=number or 0)


def proposals(
    connection: Connection, agreement: str = "", *, withdrawn_too: bool = False
) -> tuple[Proposal, ...]:
    """List proposals whose editor's signature verifies, by default those not withdrawn."""
    query = select(PROPOSALS).order_by(PROPOSALS.c.id)
    if not withdrawn_too:
        query = query.where(PROPOSALS.c.withdrawn == "")
    if agreement:
        query = query.where(PROPOSALS.c.agreement == agreement)
    rows = connection.execute(query).mappings().all()
    signers = {person.name: person for person in operators.listed(connection)}
    signed: dict[int, list[RowMapping]] = {}
    for row in connection.execute(select(APPROVALS)).mappings():
        signed.setdefault(row["proposal"], []).append(row)
    found = []
    for row in rows:
        bare = _proposal(row)
        message = bare.editor_message()
        if operators.signed_by(signers[bare.editor], bytes.fromhex(row["signature"]), message):
            approvals = _approvals(signed.get(bare.number, []), bare, signers)
            found.append(replace(bare, approvals=approvals))
    return tuple(found)


def latest(connection: Connection, agreement: str) -> Proposal:
    """Give the newest proposal of an agreement.

    Raises:
        UsageError: nobody has proposed it, or it was withdrawn.
    """
    found = proposals(connection, agreement)
    if not found:
        raise UsageError(
            "policy/not-proposed",
            "No proposal of that agreement is waiting or in force.",
            remedy="An editor runs `gateway policy propose AGREEMENT --as NAME`.",
        )
    return found[-1]


def changes_of(connection: Connection, proposal: Proposal) -> dict[str, str]:
    """Give the texts that a proposal would change."""
    rows = connection.execute(
        select(CHANGES.c.path, TEXTS.c.text)
        .join(TEXTS, TEXTS.c.digest == CHANGES.c.digest)
        .where(CHANGES.c.proposal == proposal.number)
    )
    return {row.path: row.text for row in rows}


def moved(connection: Connection, proposal: Proposal) -> tuple[str, ...]:
    """The documents that it would change and that another change has reached since."""
    current = heads(connection)
    query = select(CHANGES).where(CHANGES.c.proposal == proposal.number).order_by(CHANGES.c.path)
    return tuple(
        row.path
        for row in connection.execute(query)
        if row.base is not None
        and current.get(row.path, _NO_TEXT) != row.digest
        and current.get(row.path, "") != row.base
    )


def once_current(connection: Connection, path: str) -> frozenset[str]:
    """The digests of what is known to have stood at a path: now, or under a proposal."""
    query = select(CHANGES.c.base).where(CHANGES.c.path == path, CHANGES.c.base.is_not(None))
    return frozenset({*connection.scalars(query), heads(connection).get(path, "")})


def add_approval(
    connection: Connection,
    proposal: Proposal,
    *,
    controller: str,
    approver: str,
    signature: bytes,
    at: dt.datetime,
) -> None:
    """Keep one controller's signed approval."""
    connection.execute(
        insert(APPROVALS).values(
            proposal=proposal.number,
            controller=controller,
            approver=approver,
            signature=signature.hex(),
            approved=at.isoformat(),
        )
    )


def withdraw(connection: Connection, agreement: str, *, by: str, at: dt.datetime) -> int:
    """Withdraw every proposal of an agreement, at once.

    Returns:
        How many were waiting or in force.
    """
    found = connection.execute(
        update(PROPOSALS)
        .where(PROPOSALS.c.agreement == agreement, PROPOSALS.c.withdrawn == "")
        .values(withdrawn=at.isoformat(), withdrawn_by=by)
    )
    return int(found.rowcount)


def approved(connection: Connection) -> frozenset[tuple[str, str]]:
    """Give (agreement, policy digest) of all that every controller has approved.

    Signatures are verified each time. Whether the current documents still have
    that digest, and whether the agreement has begun and not ended, is for
    `policy.decide` to say.
    """
    return frozenset(
        (proposal.agreement, proposal.policy_digest)
        for proposal in proposals(connection)
        if proposal.complete
    )


def editors(connection: Connection, policy_digest: str) -> frozenset[str]:
    """Say who proposed or wrote a text of a policy digest, withdrawn ones included."""
    rows = connection.execute(
        select(PROPOSALS).where(PROPOSALS.c.policy_digest == policy_digest)
    ).mappings()
    return frozenset(name for row in rows for name in _proposal(row).editors)


def actors(connection: Connection, policy_digest: str) -> frozenset[str]:
    """Say who wrote, proposed or approved a policy digest, withdrawn ones included.

    A release officer and a custodian must be none of them (security point 3).
    """
    approvers = connection.scalars(
        select(APPROVALS.c.approver)
        .join(PROPOSALS, PROPOSALS.c.id == APPROVALS.c.proposal)
        .where(PROPOSALS.c.policy_digest == policy_digest)
    ).all()
    return editors(connection, policy_digest) | frozenset(approvers)


def _approvals(
    rows: Sequence[RowMapping], proposal: Proposal, signers: Mapping[str, Operator]
) -> tuple[tuple[str, str], ...]:
    return tuple(
        sorted(
            (row["controller"], row["approver"])
            for row in rows
            if row["approver"] not in proposal.editors
            and operators.signed_by(
                signers[row["approver"]],
                bytes.fromhex(row["signature"]),
                proposal.approver_message(row["controller"], row["approver"]),
            )
        )
    )


def _proposal(row: RowMapping) -> Proposal:
    return Proposal(
        number=row["id"],
        agreement=row["agreement"],
        version=row["version"],
        controllers=tuple(row["controllers"].split("\n")),
        policy_digest=row["policy_digest"],
        editor=row["editor"],
        writers=tuple((row["writers"] or "").split()),
        begins=row["begins"] or "",
    )


def set_heads(connection: Connection, documents: Mapping[str, str], *, at: dt.datetime) -> None:
    """Make these texts the current ones, by path."""
    for path, text in documents.items():
        connection.execute(HEADS.delete().where(HEADS.c.path == path))
        digest = _keep(connection, text)
        connection.execute(insert(HEADS).values(path=path, digest=digest, changed=at.isoformat()))


def _keep(connection: Connection, text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    if connection.scalar(select(TEXTS.c.digest).where(TEXTS.c.digest == digest)) is None:
        connection.execute(insert(TEXTS).values(digest=digest, text=text))
    return digest
