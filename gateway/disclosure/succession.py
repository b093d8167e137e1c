"""Two releases held side by side must not show who left or joined in between.

Whoever holds last month's release and this month's can subtract one from the
other. If a single family objected in between, the one group that shrank is
theirs. So the families that left, and those that joined, are none or at least k:
joiners who are too few wait for the next release, and too few leavers are joined
by further families drawn at random.

Source: docs/explanation/disclosure.md, "Successive releases"; docs/reference/policy.md;
Sweeney, k-anonymity (2002), section 5.3 ("temporal attack").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gateway.model.stages import Entropy

Units = npt.NDArray[np.uint64]
_DRAW = 8


@dataclass(frozen=True, slots=True)
class Movement:
    """Families in the earlier release only, and in the new one only; each sorted."""

    leavers: Units = field(repr=False)
    joiners: Units = field(repr=False)


def movement(earlier: Units, now: Units) -> Movement:
    """Who left and who joined between two releases.

    Args:
        earlier: marks of the families in the earlier release, unique.
        now: marks of the families in the new one, unique.
    """
    return Movement(
        leavers=np.setdiff1d(earlier, now, assume_unique=True),
        joiners=np.setdiff1d(now, earlier, assume_unique=True),
    )


def too_few(count: int, k: int) -> bool:
    """Whether a set of families is small enough to point at one of them."""
    return 0 < count < k


def hidden(now: Units, earlier: Sequence[Units], *, k: int, entropy: Entropy) -> Units:
    """The families to withhold so that no pair of releases points at fewer than k.

    Joiners too few to hide in each other wait; to leavers too few, families that both
    releases hold are added, drawn at random. Withholding for one earlier release can
    make another pair differ by too few, so it is settled over all of them; the set of
    those who leave only shrinks, so that it ends.

    Args:
        now: marks of the families that could leave now, unique.
        earlier: the same of each earlier release to this recipient, still held there.
        k: the limit of the output.
        entropy: unpredictable bytes; who is drawn must not be guessable.

    Returns:
        Marks to withhold, sorted; all of `now` where fewer than k would remain.
    """
    staying = np.sort(now)
    while (going := _next(staying, earlier, k, entropy)).size:
        staying = np.setdiff1d(staying, going, assume_unique=True)
    if too_few(staying.size, k):
        staying = staying[:0]
    return np.setdiff1d(now, staying, assume_unique=True)


def _next(staying: Units, earlier: Sequence[Units], k: int, entropy: Entropy) -> Units:
    """What one earlier release makes necessary next; nothing once all are satisfied."""
    for before in earlier:
        moved = movement(before, staying)
        if too_few(moved.joiners.size, k):
            return moved.joiners
        if too_few(moved.leavers.size, k):
            both = np.intersect1d(before, staying, assume_unique=True)
            # Nothing to draw from: the earlier release was smaller than k in itself.
            if both.size:
                return drawn(both, k - moved.leavers.size, entropy)
    return staying[:0]


def drawn(families: Units, count: int, entropy: Entropy) -> Units:
    """`count` of these at random, or all of them if there are fewer.

    Each gets an unpredictable 64-bit ticket and the lowest win, which is a uniform draw.
    """
    if families.size <= count:
        return families
    tickets = np.frombuffer(entropy(_DRAW * families.size), dtype=np.uint64)
    return families[np.argpartition(tickets, count)[:count]]
