"""Record before effect: packages count as recorded only with a proof that they are.

`Recorded` is what forwarding takes. It is made here alone, from the ledger's own
entry over the packages' digests and the path from that entry to a root.

Source: UK GDPR Art 5(2); security design points 15 and 20.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import rfc8785

from gateway.errors import IntegrityError
from gateway.ledger.entries import commit, decode_entry
from gateway.ledger.proofs import check_inclusion
from gateway.ledger.tree import leaf_hash
from gateway.model.packages import Recorded, Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryProof:
    """All that is needed to show one entry: itself, its salt, and its path to a root."""

    index: int
    entry: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    size: int
    root: bytes = field(repr=False)
    path: tuple[bytes, ...] = field(repr=False)


def check_entry(proof: EntryProof) -> None:
    """Verify that the entry stands in the log.

    Raises:
        IntegrityError: `ledger/not-included` or `ledger/entry-form`.
    """
    decode_entry(proof.entry)
    leaf = leaf_hash(commit(proof.entry, salt=proof.salt))
    check_inclusion(leaf, proof.path, index=proof.index, size=proof.size, root=proof.root)


def packages_digest(packages: Sequence[Sealed]) -> str:
    """The digest over package ids and their digests, in order, as hexadecimal."""
    listed = [[sealed.package, sealed.digest] for sealed in packages]
    return hashlib.sha256(rfc8785.dumps(listed)).hexdigest()


def record(release: str, packages: Sequence[Sealed], *, proof: EntryProof) -> Recorded:
    """Say that these packages stand in the ledger, which the proof must show.

    Raises:
        IntegrityError: the proof fails, or proves something else.
    """
    check_entry(proof)
    entry = decode_entry(proof.entry)
    expected = (release, len(packages), packages_digest(packages))
    shown = tuple(entry.facts.get(name) for name in ("release", "packages", "packages_digest"))
    if entry.event != "release-recorded" or shown != expected:
        raise IntegrityError(
            "ledger/not-recorded",
            "The ledger entry is not about these packages of this release.",
            remedy="Keep the package, use nothing of it, and ask the sender.",
        )
    return Recorded(release=release, packages=tuple(packages))
