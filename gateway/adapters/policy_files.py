"""Governed documents as files: what a proposal changes, what an export writes.

Source: docs/reference/policy.md, "Life of a version".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from gateway.adapters import policy_exported, policy_reading, policy_store, policy_waiting
from gateway.adapters.policy_reading import reader
from gateway.errors import InputRejected, UsageError
from gateway.policy import reached
from gateway.policy.places import kind_of, misplaced
from gateway.policy.reading import read
from gateway.policy.rereading import changed
from gateway.workflows.ports_policy import AgreementFacts, Proposal, Waiting

LARGEST = 1_000_000


def changes_named(
    connection: Connection, policies: Path, what: str, more: Sequence[Path]
) -> tuple[str, dict[str, str]]:
    """Read which agreement is proposed, and the texts that go with it.

    Args:
        connection: of the store.
        policies: the policies folder, where files have their places.
        what: an agreement's id, or a file.
        more: further files.

    Raises:
        UsageError: no agreement is among them, or a file has no place in the store.
    """
    named = Path(what)
    files = placed(connection, policies, what, more)
    changes = {place: _read(path) for place, path in files.items()}
    if not named.is_file():
        return what, changes
    for place, text in changes.items():
        if place.startswith("agreements/"):
            return _agreement_id(text), changes
    raise UsageError(
        "policy/agreement-missing",
        "None of these files is an agreement.",
        remedy="Name the agreement that the change is for, then the files.",
    )


def placed(
    connection: Connection, policies: Path, what: str, more: Sequence[Path]
) -> dict[str, Path]:
    """The files that are named, each by its place in the store.

    Raises:
        UsageError: a file has no place there.
    """
    current = policy_store.bundle(connection)
    named = Path(what)
    files = [*([named] if named.is_file() else []), *more]
    return {_place(current, policies, path): path for path in files}


def taken_out(connection: Connection, places: Sequence[str]) -> dict[str, str]:
    """The documents that a proposal takes out: what has no text goes.

    Args:
        connection: of the store.
        places: paths as the store knows them, like recipients/old.toml.

    Raises:
        UsageError: the store has no such document.
    """
    current = policy_store.bundle(connection)
    if not all(place in current for place in places):
        raise UsageError(
            "policy/place-unknown",
            "The store has no document at that place.",
            remedy="`gateway policy export` writes every document to its place.",
        )
    return dict.fromkeys(places, "")


def ended_by(connection: Connection, agreement: str, changes: Mapping[str, str]) -> list[str]:
    """The other agreements whose approval a proposal ends: they read what it changes."""
    current = policy_store.bundle(connection)
    before, after = (reader().load(each)[0] for each in (current, changed(current, changes)))
    others = set(reached(before, after)) - {agreement}
    if not others:
        return []
    approved = (row["agreement"] for row in statuses(connection) if row["state"] == "approved")
    return sorted(others.intersection(approved))


def statuses(connection: Connection) -> list[dict[str, Any]]:
    """Say of each agreement how far its present text has come, of a new one its proposal."""
    facts = policy_reading.agreements(connection, policy_store.bundle(connection))
    proposals = policy_store.proposals(connection)
    later = {each.proposal.agreement: each for each in policy_waiting.waiting(connection)}
    there = [_status(each, proposals) | _later(later.get(each.id)) for each in facts.values()]
    newest = {each.agreement: each for each in proposals if each.agreement not in facts}
    return [*there, *(_proposed(newest[name]) | _later(later.get(name)) for name in sorted(newest))]


def write_documents(folder: Path, documents: Mapping[str, str]) -> list[str]:
    """Write documents under a folder, whole; those that are the same are left alone.

    Returns:
        The paths that were new or changed.

    Raises:
        InputRejected: one stands at no place of a document; nothing is written.
    """
    if any(kind_of(place) is None for place in documents):
        raise misplaced()
    changed = []
    for place, text in documents.items():
        target = folder / place
        if target.is_file() and target.read_text(encoding="utf-8") == text:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.draft")
        draft.write_text(text, encoding="utf-8")
        draft.replace(target)
        changed.append(place)
    return changed


def _status(facts: AgreementFacts, waiting: Sequence[Proposal]) -> dict[str, Any]:
    mine = [proposal for proposal in waiting if proposal.agreement == facts.id]
    exact = [proposal for proposal in mine if proposal.policy_digest == facts.policy_digest]
    shown = exact[-1] if exact else (mine[-1] if mine else None)
    approvals = shown.approvals if shown else ()
    return {
        "agreement": facts.id,
        "version": shown.version if shown else facts.version,
        "policy_digest": facts.policy_digest,
        "state": _state(exact, mine),
        "editor": shown.editor if shown else "",
        "approved": [{"controller": each, "approver": by} for each, by in approvals],
        "missing": sorted(set(facts.controllers) - {each for each, _ in approvals}),
    }


def _proposed(newest: Proposal) -> dict[str, Any]:
    """Of an agreement of which no text is the current one, or whose current text does not load."""
    return {
        "agreement": newest.agreement,
        "version": newest.version,
        "policy_digest": newest.policy_digest,
        "state": "does not load" if newest.complete else "proposed",
        "editor": newest.editor,
        "approved": [{"controller": each, "approver": by} for each, by in newest.approvals],
        "missing": sorted(set(newest.controllers) - {each for each, _ in newest.approvals}),
    }


def _later(found: Waiting | None) -> dict[str, Any]:
    """The version that is approved and waits for its first day, if there is one."""
    if found is None:
        return {"later": None}
    starts = found.starts.isoformat()
    return {"later": {"version": found.proposal.version, "starts": starts, "holds": found.holds}}


def _state(exact: Sequence[Proposal], mine: Sequence[Proposal]) -> str:
    if any(proposal.complete for proposal in exact):
        return "approved"
    if exact or (mine and not mine[-1].complete):
        return "proposed"
    return "changed since it was approved" if mine else "draft"


def _place(current: Mapping[str, str], policies: Path, path: Path) -> str:
    """Find where a file belongs: in the policies folder or an exported one, or by its name."""
    resolved = path.resolve()
    if resolved.is_relative_to(policies.resolve()):
        return str(resolved.relative_to(policies.resolve()))
    if exported := policy_exported.place_of(resolved):
        return exported
    same = [place for place in current if Path(place).name == path.name]
    if len(same) == 1:
        return same[0]
    raise UsageError(
        "policy/place-unknown",
        "It is not clear which document of the store that file is.",
        remedy="Put it at its place under the policies folder (GATEWAY_POLICIES), or in a "
        "folder that `gateway policy export` wrote.",
    )


def _read(path: Path) -> str:
    if path.stat().st_size > LARGEST:
        raise InputRejected(
            "policy/too-large",
            "A document is larger than 1,000,000 bytes.",
            remedy="Split it, or remove what does not belong in it.",
        )
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputRejected(
            "policy/unreadable", "A document is not UTF-8.", remedy="Save it as UTF-8."
        ) from None
    if not text:
        raise InputRejected(
            "policy/unreadable",
            "A document is empty.",
            remedy="Write its text, or take it out by a proposal.",
        )
    return text


def _agreement_id(text: str) -> str:
    tree, findings = read("agreement", text)
    for fault in findings[:1]:
        line = f" ({fault.where})" if fault.where else ""
        raise InputRejected(
            fault.code, f"The agreement{line}: {fault.sentence}", remedy=fault.remedy
        )
    return str(tree.get("id", ""))
