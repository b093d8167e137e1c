"""The Merkle tree: one root for the whole log, grown leaf by leaf in O(log n).

A node is named by (level, position) and covers the leaves from `position << level`
up to, not including, `(position + 1) << level`. Only complete nodes are kept; a
ragged right edge is folded from them when asked for, so a kept node never changes.

Source: RFC 9162 section 2.1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

NodeReader = Callable[[int, int], bytes]
"""Gives the hash of the complete node (level, position)."""

EMPTY_ROOT = hashlib.sha256(b"").digest()
HASH_SIZE = 32


@dataclass(frozen=True, slots=True)
class Node:
    """One complete subtree and its hash."""

    level: int
    position: int
    hash: bytes = field(repr=False)


def leaf_hash(commitment: bytes) -> bytes:
    """The hash of a leaf; 0x00 first, so that no leaf can pass for a node."""
    return hashlib.sha256(b"\x00" + commitment).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees; 0x01 first."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def grow(size: int, leaf: bytes, *, node: NodeReader) -> tuple[Node, ...]:
    """The nodes that become complete when `leaf` joins a tree of `size` leaves.

    Args:
        size: leaves so far; the new leaf gets this index.
        leaf: the new leaf's hash, 32 bytes.
        node: reads complete nodes of the tree so far.

    Returns:
        The leaf itself at level 0, then each node it completes, upwards.
    """
    made = [Node(0, size, leaf)]
    position, reached = size, leaf
    while position & 1:
        level = made[-1].level
        reached = node_hash(node(level, position - 1), reached)
        position >>= 1
        made.append(Node(level + 1, position, reached))
    return tuple(made)


def root(size: int, *, node: NodeReader) -> bytes:
    """The root of the first `size` leaves, 32 bytes; any earlier size may be asked."""
    return span_hash(0, size, node=node) if size else EMPTY_ROOT


def span_hash(begin: int, end: int, *, node: NodeReader) -> bytes:
    """The hash over leaves `begin` to `end` (excluded) of one subtree of the tree."""
    folded = b""
    for level, position in reversed(_peaks(begin, end)):
        peak = node(level, position)
        folded = node_hash(peak, folded) if folded else peak
    return folded


def split_point(count: int) -> int:
    """The largest power of two smaller than `count` (RFC 9162: k)."""
    return 1 << ((count - 1).bit_length() - 1)


def _peaks(begin: int, end: int) -> list[tuple[int, int]]:
    """The complete nodes that tile a subtree, largest and leftmost first."""
    peaks = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        peaks.append((level, begin >> level))
        begin += 1 << level
    return peaks


class CompactRange:
    """A tree that is only ever appended to: keeps log2(n) hashes, gives the root."""

    __slots__ = ("_kept", "size")

    def __init__(self) -> None:
        """Start with no leaf."""
        self.size = 0
        self._kept: dict[tuple[int, int], bytes] = {}

    def append(self, leaf: bytes) -> tuple[Node, ...]:
        """Add one leaf; returns the nodes that it completed, as `grow` does."""
        made = grow(self.size, leaf, node=self._read)
        top = made[-1]
        for done in made[:-1]:
            self._kept.pop((done.level, done.position ^ 1), None)
        self._kept[top.level, top.position] = top.hash
        self.size += 1
        return made

    def root(self) -> bytes:
        """The root of all leaves so far."""
        return root(self.size, node=self._read)

    def _read(self, level: int, position: int) -> bytes:
        return self._kept[level, position]
