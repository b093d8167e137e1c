"""Continuity: is the ledger that I am shown the one that I was shown before?

A recipient or an auditor keeps the roots seen so far, by size. A new checkpoint is
accepted only if a proof links it to the largest of them, if it is one of them, or
if it is the first of all. Not being able to tell is a no.

Source: RFC 9162 section 8.1 (misbehaving logs); security design point 20.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.errors import IntegrityError
from gateway.ledger.checkpoints import Checkpoint
from gateway.ledger.proofs import check_consistency


class Link(StrEnum):
    """How a checkpoint was tied to what was known."""

    FIRST = "first"
    SAME = "same"
    LINKED = "linked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuation:
    """A claim that the log of `size` entries had this root, with its proof."""

    size: int
    root: bytes = field(repr=False)
    path: tuple[bytes, ...] = field(repr=False)


def link(
    shown: Checkpoint,
    continuations: Iterable[Continuation],
    *,
    known: Mapping[int, bytes],
    exported: Mapping[int, bytes] | None = None,
) -> tuple[Link, dict[int, bytes]]:
    """Tie a checkpoint to the roots already known.

    Args:
        shown: the checkpoint, its signature already verified.
        continuations: proofs from earlier sizes to the shown one.
        known: roots accepted before, by size.
        exported: roots by size of one log whose leaves were all seen (`--ledger`).

    Returns:
        How it is tied, and all roots known now.

    Raises:
        IntegrityError: `ledger/not-consistent` for a fork, `ledger/rolled-back` for a
            smaller log that nobody vouched for, `ledger/not-linked` without a proof.
    """
    proven = _proven(shown, continuations, exported or {})
    for size in proven.keys() & known.keys():
        if not hmac.compare_digest(proven[size], known[size]):
            raise _forked(size)
    merged = {**known, **proven}
    if not known:
        return Link.FIRST, merged
    if shown.size in known:
        return Link.SAME, merged
    if max(known) in proven:
        return Link.LINKED, merged
    raise _untied(shown.size, max(known))


def _proven(
    shown: Checkpoint, continuations: Iterable[Continuation], exported: Mapping[int, bytes]
) -> dict[int, bytes]:
    """The roots that the shown checkpoint commits to, by size."""
    proven = {shown.size: shown.root}
    for claim in continuations:
        check_consistency(claim.root, shown.root, old=claim.size, new=shown.size, path=claim.path)
        proven[claim.size] = claim.root
    if shown.size in exported:
        for size, root in exported.items():
            if not hmac.compare_digest(proven.setdefault(size, root), root):
                raise _forked(size)
    return proven


def _forked(size: int) -> IntegrityError:
    return IntegrityError(
        "ledger/not-consistent",
        f"The ledger of {size} entries has two different roots: it was forked.",
        remedy="Keep both packages and call the sender's data protection officer.",
    )


def _untied(size: int, latest: int) -> IntegrityError:
    remedy = "Ask the sender for a ledger export, and give it with --ledger."
    if size < latest:
        return IntegrityError(
            "ledger/rolled-back",
            f"The ledger shrank: {latest} entries were seen before, {size} are shown now.",
            remedy=remedy,
        )
    return IntegrityError(
        "ledger/not-linked",
        f"No proof ties the ledger of {size} entries to the {latest} seen before.",
        remedy=remedy,
    )
