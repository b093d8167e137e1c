"""Two releases held side by side must not show who left or joined in between.

Whoever holds last month's release and this month's can subtract one from the other.
If a single family's member objected in between, the one group that shrank is
theirs. So the families of those who left, and of those who joined, are none or at
least k: joiners who are too few wait for the next release, and to too few leavers
whole families are added, drawn at random.

A release may be larger than memory: its people are read in parts, in the order of
their marks, side by side with those of the other release. What is held is a part of
each and at most k families on either side.

Source: docs/explanation/disclosure.md, "Successive releases"; docs/reference/policy.md;
Sweeney, k-anonymity (2002), section 5.3 ("temporal attack").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from gateway.keyed_hash import blake2b_column
from gateway.model.stages import Entropy

Marks = npt.NDArray[np.uint64]
_BLOCK = 262_144
_KEY_BYTES: Final = 32
_TICKET: Final = b"gateway/ticket.."
_NOBODY: Final = np.empty(0, dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class Members:
    """Marks of the people of one release, each once and sorted, with their families' marks."""

    people: Marks = field(repr=False)
    families: Marks = field(repr=False)

    @property
    def size(self) -> int:
        """How many people."""
        return int(self.people.size)

    def family_count(self) -> int:
        """How many families."""
        return int(distinct(self.families).size)

    def missing_in(self, other: Members) -> Members:
        """Those who are here and not there."""
        return self.keeping(~among(self.people, other.people))

    def keeping(self, chosen: npt.NDArray[np.bool_]) -> Members:
        """Some of them."""
        return Members(self.people[chosen], self.families[chosen])

    def parted(self, last: np.uint64) -> tuple[Members, Members]:
        """Those up to a mark, and those after it."""
        at = int(np.searchsorted(self.people, last, side="right"))
        return (
            Members(self.people[:at], self.families[:at]),
            Members(self.people[at:], self.families[at:]),
        )

    def parts(self) -> Iterator[Members]:
        """All of them as one part: see `InOrder`."""
        yield self


class InOrder(Protocol):
    """The people of one release in parts, from the lowest marks to the highest."""

    def parts(self) -> Iterator[Members]:
        """The parts; they can be read again, and nobody is in two."""


def among(marks: Marks, ordered: Marks) -> npt.NDArray[np.bool_]:
    """Which marks are among others that are in order: in little room, and without sorting both."""
    found = np.zeros(marks.size, dtype=np.bool_)
    for start in range(0, marks.size if ordered.size else 0, _BLOCK):
        part = marks[start : start + _BLOCK]
        nearest = ordered.take(np.searchsorted(ordered, part), mode="clip")
        np.equal(nearest, part, out=found[start : start + _BLOCK])
    return found


def distinct(marks: Marks) -> Marks:
    """Each mark once, sorted: of a million in a tenth of the time that `numpy.unique` takes."""
    ordered = np.sort(marks)
    return ordered[_first_of_each(ordered)]


def members(people: Marks, families: Marks) -> Members:
    """People with their families, in order, each person once."""
    order = np.argsort(people)
    ordered = people[order]
    if bool((ordered[1:] == ordered[:-1]).any()):
        ordered, order = np.unique(people, return_index=True)
    return Members(ordered, families[order])


def _first_of_each(ordered: Marks) -> npt.NDArray[np.bool_]:
    first = np.ones(ordered.size, dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return first


def too_few(count: int, k: int) -> bool:
    """Whether a set of families is small enough to point at one of them."""
    return 0 < count < k


def hidden(
    now: InOrder,
    earlier: Sequence[InOrder],
    *,
    k: int,
    entropy: Entropy,
    could: InOrder | None = None,
) -> Marks:
    """The people to withhold so that no pair of releases points at fewer than k families.

    Withholding for one earlier release can make another pair differ by too few, so it is
    settled over all of them; those who leave only become fewer, so that it ends.

    Args:
        now: the people who could leave now.
        earlier: the people of each earlier release to this recipient, still held there, the
            oldest first. The newest is asked first: who was withheld from it as one of too few
            waits on, and hides the leavers of the older ones, so that nobody else is drawn.
        k: the limit of the output, in families.
        entropy: unpredictable bytes; who is drawn must not be guessable.
        could: `now` with those who are suppressed in small groups of their own, if any are.
            A whole group that is gone explains itself and hides nobody who left from
            another one, so that those who left beside them are none or k families as well.

    Returns:
        Marks of people, sorted; all of them where fewer than k families would remain.
    """
    could = could or now
    staying = _Staying(now, _NOBODY)
    while (going := _next(staying, _Staying(could, staying.gone), earlier, k, entropy)).size:
        staying = _Staying(now, np.sort(np.concatenate((staying.gone, going))))
    remaining = _Few(k)
    for part in staying.parts():
        remaining.add(part)
        if remaining.enough:
            return staying.gone
    return np.sort(np.concatenate((staying.gone, remaining.people)))


@dataclass(frozen=True, slots=True)
class _Staying:
    """The people of a release without some of them."""

    now: InOrder
    gone: Marks

    def parts(self) -> Iterator[Members]:
        for part in self.now.parts():
            yield part.keeping(~among(part.people, self.gone)) if self.gone.size else part


@dataclass(slots=True)
class _Few:
    """People of fewer than k families; of more only that there are enough."""

    k: int
    families: Marks = field(default_factory=_NOBODY.copy)
    _people: list[Marks] = field(default_factory=list)

    def add(self, found: Members) -> None:
        """These as well."""
        if self.enough or not found.size:
            return
        self.families = distinct(np.concatenate((self.families, found.families)))
        few = self.families.size < self.k
        self._people = [*self._people, found.people] if few else []

    @property
    def enough(self) -> bool:
        """Whether they hide in each other."""
        return int(self.families.size) >= self.k

    @property
    def point_at_somebody(self) -> bool:
        """Whether there are some, and too few."""
        return too_few(int(self.families.size), self.k)

    @property
    def people(self) -> Marks:
        """Their marks, sorted, while they are too few."""
        return np.concatenate((_NOBODY, *self._people))


def _next(
    staying: _Staying, could: _Staying, earlier: Sequence[InOrder], k: int, entropy: Entropy
) -> Marks:
    """What one earlier release makes necessary next; nothing once all are satisfied."""
    for before in reversed(earlier):
        joiners, leavers = _moved(staying, before, k)
        if joiners.point_at_somebody:
            return joiners.people
        if not leavers.point_at_somebody and could.now is not staying.now:
            _, leavers = _moved(could, before, k)
        if leavers.point_at_somebody:
            both = _InBoth(staying, before, leavers.families)
            short = k - int(leavers.families.size)
            chosen = np.sort(drawn((part.families for part in both.parts()), short, entropy))
            # Nothing to draw from: the earlier release was smaller than k in itself.
            if chosen.size:
                return np.concatenate(
                    [part.people[among(part.families, chosen)] for part in both.parts()]
                )
    return _NOBODY


def _moved(staying: InOrder, before: InOrder, k: int) -> tuple[_Few, _Few]:
    """Who is here and was not there, and the other way round."""
    joiners, leavers = _Few(k), _Few(k)
    for ours, theirs in side_by_side(staying, before):
        joiners.add(ours.missing_in(theirs))
        leavers.add(theirs.missing_in(ours))
        if joiners.enough and leavers.enough:
            break
    return joiners, leavers


@dataclass(frozen=True, slots=True)
class _InBoth:
    """Families of which all are in both releases; one that leaves in part counts already."""

    staying: InOrder
    before: InOrder
    leaving: Marks

    def parts(self) -> Iterator[Members]:
        for ours, theirs in side_by_side(self.staying, self.before):
            whole = ~among(ours.families, self.leaving)
            yield ours.keeping(among(ours.people, theirs.people) & whole)


def side_by_side(first: InOrder, second: InOrder) -> Iterator[tuple[Members, Members]]:
    """Two releases over the same ranges of marks, a part of each at a time."""
    ours, theirs = _filled(first), _filled(second)
    one, other = next(ours, None), next(theirs, None)
    while one is not None and other is not None:
        last = min(one.people[-1], other.people[-1])
        (mine, one), (yours, other) = one.parted(last), other.parted(last)
        yield mine, yours
        one = one if one.size else next(ours, None)
        other = other if other.size else next(theirs, None)
    nobody = Members(_NOBODY, _NOBODY)
    if one is not None:
        yield one, nobody
    if other is not None:
        yield nobody, other
    yield from ((part, nobody) for part in ours)
    yield from ((nobody, part) for part in theirs)


def _filled(release: InOrder) -> Iterator[Members]:
    return (part for part in release.parts() if part.size)


def drawn(families: Iterable[Marks], count: int, entropy: Entropy) -> Marks:
    """`count` of these at random, or all of them if there are fewer; parts may repeat some.

    Each gets a ticket, its hash under a key that is drawn, and the lowest win: that is a
    uniform draw in which nobody can guess.
    """
    key = entropy(_KEY_BYTES)
    won = tickets = _NOBODY
    for part in families:
        more = distinct(part)
        every = np.concatenate((won, more))
        every, first = np.unique(every, return_index=True)
        both = np.concatenate((tickets, _tickets(more, key)))[first]
        lowest = np.argsort(both, kind="stable")[:count]
        won, tickets = every[lowest], both[lowest]
    return won


def _tickets(families: Marks, key: bytes) -> Marks:
    named = pl.Series(families, dtype=pl.UInt64).cast(pl.String)
    digests = blake2b_column(named, key, person=_TICKET)
    return np.frombuffer(b"".join(digests.to_list()), dtype="<u8")[::2].astype(np.uint64)
