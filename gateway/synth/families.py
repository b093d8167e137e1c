"""Who lives with whom, how old they are, and which of them are twins.

Households come in the kinds that a borough has: one person, couples, couples
and lone parents with children, three generations, adults who share. A parent is
always at least 16 years older than a child, a grandparent than a parent.

Source: domain research 11.3 (twins 1.5 %); household shares are rounded national ones.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gateway.synth.draw import Flags, Ints, chance, pick, stream

EXTRACT_DATE = dt.date(2026, 9, 30)
EXTRACT_DAY = (EXTRACT_DATE - dt.date(1970, 1, 1)).days
YEAR = 365.25
PARENT, CHILD, GRANDPARENT, OTHER = range(4)
SINGLE, COUPLE, COUPLE_CHILDREN, LONE_PARENT, THREE_GENERATIONS, SHARERS = range(6)
_KIND_SHARES = (0.30, 0.27, 0.24, 0.12, 0.03, 0.04)
_CHILD_SHARES = (0.42, 0.38, 0.13, 0.05, 0.02)
_MEAN_HOUSEHOLD = 2.15
_TWIN_SLOT = 0.0168
_MOST_CHILDREN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Families:
    """Everybody in order of family, one entry for each person.

    `position` counts within the family from 0 (an adult); `kind` is that of the
    household; `days_old` is the age in days at the extract date.
    """

    family: Ints = field(repr=False)
    position: Ints = field(repr=False)
    relation: Ints = field(repr=False)
    kind: Ints = field(repr=False)
    sex: Ints = field(repr=False)
    days_old: Ints = field(repr=False)
    twin: Flags = field(repr=False)
    starts: Ints = field(repr=False)

    @property
    def age(self) -> Ints:
        """Age in whole years at the extract date."""
        return (self.days_old / YEAR).astype(np.int64)


def form_families(size: int, seed: int) -> Families:
    """Make exactly `size` people in families.

    Args:
        size: people, 1 or more; the last family may be cut short.
        seed: of the borough.
    """
    rng = stream(seed, "families")
    count = int(size / _MEAN_HOUSEHOLD) + 20
    kind = pick(rng, count, _KIND_SHARES)
    adults, children, grandparents = _composition(kind, rng)
    members = adults + children + grandparents
    family = np.repeat(np.arange(count), members)[:size]
    # An unlucky draw of small households: the last one grows.
    family = np.append(family, np.full(size - len(family), family[-1]))
    starts = np.flatnonzero(np.diff(family, prepend=-1))
    position = np.arange(size) - np.repeat(starts, np.diff(starts, append=size))
    adult_here, children_here = adults[family], children[family]
    relation = np.where(position < adult_here, PARENT, GRANDPARENT)
    relation[(position >= adult_here) & (position < adult_here + children_here)] = CHILD
    relation[(kind[family] == SHARERS) & (position > 0)] = OTHER
    birth_order = (position - adult_here).clip(0, _MOST_CHILDREN - 1)
    days_old, twin = _ages(kind, children, rng, family=family, order=birth_order, relation=relation)
    return Families(
        family=family,
        position=position,
        relation=relation,
        kind=kind[family],
        sex=_sexes(kind[family], relation, rng, position=position),
        days_old=days_old,
        twin=twin,
        starts=starts,
    )


def _composition(kind: Ints, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Return adults, children and grandparents of each household."""
    n = len(kind)
    pairs = chance(rng, n, 0.6)
    two = np.isin(kind, (COUPLE, COUPLE_CHILDREN)) | ((kind == THREE_GENERATIONS) & pairs)
    adults = np.where(two, 2, 1)
    adults[kind == SHARERS] = 2 + pairs[kind == SHARERS]
    with_children = np.isin(kind, (COUPLE_CHILDREN, LONE_PARENT, THREE_GENERATIONS))
    children = np.where(with_children, 1 + pick(rng, n, _CHILD_SHARES), 0)
    grandparents = np.where(kind == THREE_GENERATIONS, 1 + chance(rng, n, 0.3), 0)
    return adults, children, grandparents


def _ages(
    kind: Ints,
    children: Ints,
    rng: np.random.Generator,
    *,
    family: Ints,
    order: Ints,
    relation: Ints,
) -> tuple[Ints, Flags]:
    """Return each person's age in days, and who is a twin."""
    n, people = len(kind), len(family)
    gaps = rng.uniform(1.0, 3.6, (n, _MOST_CHILDREN)) * YEAR
    twin_slot = chance(rng, n * _MOST_CHILDREN, _TWIN_SLOT).reshape(n, _MOST_CHILDREN)
    twin_slot[:, 0] = False
    gaps[twin_slot] = 0.0
    gaps[:, 0] = rng.uniform(0.02, 16.0, n) * YEAR
    child_days = np.floor(np.cumsum(gaps, axis=1))
    oldest = child_days[np.arange(n), (children - 1).clip(0)]
    lead = np.where(children > 0, oldest + _first_birth(rng, n), _childless_age(kind, rng))
    partner = lead[family] + rng.normal(1.0, 3.5, people) * YEAR
    partner = np.maximum(partner, np.where(children > 0, oldest, 0.0)[family] + 16.6 * YEAR)
    first = np.diff(family, prepend=-1) != 0
    days = np.where(first, lead[family], np.maximum(partner, 17.0 * YEAR))
    grand = lead[family] + rng.normal(27, 4, people).clip(17, 40) * YEAR
    days = np.where(relation == GRANDPARENT, grand, days)
    days = np.where(relation == CHILD, child_days[family, order], days)
    last = order == (children - 1)[family]
    after = twin_slot[family, (order + 1).clip(max=_MOST_CHILDREN - 1)] & ~last
    twin = (relation == CHILD) & (twin_slot[family, order] | after)
    return np.minimum(days, 104 * YEAR).astype(np.int64), twin


def _first_birth(rng: np.random.Generator, n: int) -> npt.NDArray[np.float64]:
    """Return the lead parent's age in days when the eldest child was born."""
    return rng.normal(27, 5.5, n).clip(16.6, 43) * YEAR


def _childless_age(kind: Ints, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return ages in days of people without children at home: some young, most not."""
    n = len(kind)
    young = rng.uniform(18, 38, n)
    old = rng.triangular(40, 66, 99, n)
    share = np.where(kind == SHARERS, 0.9, 0.35)
    return np.where(chance(rng, n, share), young, old) * YEAR


def _sexes(kind: Ints, relation: Ints, rng: np.random.Generator, *, position: Ints) -> Ints:
    """Return 1 male or 2 female; couples are mostly of two sexes, lone parents mostly women."""
    n = len(kind)
    female = chance(rng, n, 0.5)
    lone = (kind == LONE_PARENT) & (position == 0)
    female[lone] = chance(rng, int(lone.sum()), 0.86)
    partner = (relation == PARENT) & (position == 1)
    other_sex = ~female[np.flatnonzero(partner) - 1]
    female[partner] = other_sex ^ chance(rng, len(other_sex), 0.03)
    elder = relation == GRANDPARENT
    female[elder] = chance(rng, int(elder.sum()), 0.62)
    return np.where(female, 2, 1)
