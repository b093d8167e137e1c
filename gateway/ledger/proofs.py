"""Proofs: this entry is in that log, and that log continues the earlier one.

The makers read O(log n) nodes. The checkers need nothing but the hashes given to
them, and raise: a proof that fails must not be ignorable.

Source: RFC 9162 sections 2.1.3 and 2.1.4.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from gateway.errors import IntegrityError, UsageError
from gateway.ledger.tree import EMPTY_ROOT, HASH_SIZE, NodeReader, node_hash, span_hash, split_point


def inclusion_path(index: int, size: int, *, node: NodeReader) -> tuple[bytes, ...]:
    """The hashes that lead from leaf `index` to the root of `size` leaves.

    Raises:
        UsageError: there is no such leaf in a tree of that size.
    """
    if not 0 <= index < size:
        raise UsageError(
            "ledger/no-such-entry",
            f"The log of {size} entries has no entry {index}.",
            remedy="`gateway ledger export` lists them.",
        )
    path, begin, end = [], 0, size
    while end - begin > 1:
        middle = begin + split_point(end - begin)
        if index < middle:
            path.append(span_hash(middle, end, node=node))
            end = middle
        else:
            path.append(span_hash(begin, middle, node=node))
            begin = middle
    return tuple(reversed(path))


def consistency_path(old: int, new: int, *, node: NodeReader) -> tuple[bytes, ...]:
    """The hashes that show that the first `old` of `new` leaves are unchanged.

    Raises:
        UsageError: `old` is larger than `new`, or below 0.
    """
    if not 0 <= old <= new:
        raise UsageError(
            "ledger/no-such-size",
            f"A log of {new} entries was never of size {old}.",
            remedy="Name a size that it had: none is larger than it is now.",
        )
    if old in (0, new):
        return ()
    path, begin, end = [], 0, new
    while end != old:
        middle = begin + split_point(end - begin)
        if old <= middle:
            path.append(span_hash(middle, end, node=node))
            end = middle
        else:
            path.append(span_hash(begin, middle, node=node))
            begin = middle
    if begin:
        path.append(span_hash(begin, end, node=node))
    return tuple(reversed(path))


def check_inclusion(
    leaf: bytes, path: Sequence[bytes], *, index: int, size: int, root: bytes
) -> None:
    """Verify that `leaf` stands at `index` in the tree of `size` leaves under `root`.

    Raises:
        IntegrityError: `ledger/not-included`: it does not.
    """
    if not 0 <= index < size or not _are_hashes((leaf, root, *path)):
        raise _not_included()
    place, last, reached = index, size - 1, leaf
    for step in path:
        if last == 0:
            raise _not_included()
        if place & 1 or place == last:
            reached = node_hash(step, reached)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            reached = node_hash(reached, step)
        place, last = place >> 1, last >> 1
    if last or not hmac.compare_digest(reached, root):
        raise _not_included()


def check_consistency(
    old_root: bytes, new_root: bytes, *, old: int, new: int, path: Sequence[bytes]
) -> None:
    """Verify that the log of `new` entries begins with the log of `old` entries.

    Raises:
        IntegrityError: `ledger/not-consistent`: rolled back, forked, or a bad proof.
    """
    if not 0 <= old <= new or not _are_hashes((old_root, new_root, *path)):
        raise _not_consistent()
    if old in (0, new):
        expected = EMPTY_ROOT if old == 0 else new_root
        if path or not hmac.compare_digest(old_root, expected):
            raise _not_consistent()
        return
    steps = list(path) if old & (old - 1) else [old_root, *path]
    first, second = _replay(old - 1, new - 1, steps)
    if not (hmac.compare_digest(first, old_root) and hmac.compare_digest(second, new_root)):
        raise _not_consistent()


def _replay(place: int, last: int, steps: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Both roots that a consistency path leads to (RFC 9162 section 2.1.4.2)."""
    if not steps:
        raise _not_consistent()
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise _not_consistent()
        if place & 1 or place == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, step)
        place, last = place >> 1, last >> 1
    if last:
        raise _not_consistent()
    return first, second


def _are_hashes(values: Sequence[bytes]) -> bool:
    return all(len(value) == HASH_SIZE for value in values)


def _not_included() -> IntegrityError:
    return IntegrityError(
        "ledger/not-included",
        "The proof does not lead from this entry to the ledger's root.",
        remedy="Stop, keep the files, and ask the sender's auditor.",
    )


def _not_consistent() -> IntegrityError:
    return IntegrityError(
        "ledger/not-consistent",
        "The ledger does not continue what it was before: it was rolled back, rewritten or forked.",
        remedy="Do not rely on it. Keep both checkpoints and call the auditor.",
    )
