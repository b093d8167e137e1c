"""Which problems people live with, and which families the council works with.

Every person carries the six criteria as bits (C1 is bit 0), each standing for
evidence about that very person. The extracts are written from these bits, so
that the rules of the outcome plan, run over the extracts, find them again.

Source: domain research 11.2; Kirklees criteria.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gateway.synth.draw import Flags, Ints, chance, pick, stream
from gateway.synth.families import CHILD, Families

NO_ARM, PROG, COMP, ASSESSED = range(4)
ARM_WORDS = ("", "PROG", "COMP", "ASSESSED")
PARTICIPATION_WORDS = ("CONSENT", "OPTOUT", "OBJECTED", "NONE")
_ARM_SHARES = (0.50, 0.32, 0.18)
_PARTICIPATION_SHARES = (0.72, 0.013, 0.009, 0.258)
_ON_PROGRAMME = (0.38, 0.50, 0.50, 0.62, 0.42, 0.52)
_IN_GENERAL = (0.010, 0.045, 0.018, 0.090, 0.015, 0.060)
_EACH_MEMBER = (0.30, 0.65, 0.80, 0.70, 0.75, 0.30)
_PROTECTED = 0.015
C1, C2, C3, C4, C5, C6 = (1 << n for n in range(6))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lives:
    """What is true of each person: criteria bits, arm, participation, protection.

    `arm` 0 means that the family is not in the register.
    """

    criteria: Ints = field(repr=False)
    arm: Ints = field(repr=False)
    participation: Ints = field(repr=False)
    protected: Flags = field(repr=False)


def register_target(size: int) -> int:
    """Return how many people the register of families aims at.

    About three in a hundred; small boroughs hold more, so that groups by age
    band, sex and district are large enough to be released.
    """
    return max(int(0.03 * size), min(int(0.34 * size), 640 + size // 100))


def live(families: Families, seed: int) -> Lives:
    """Draw criteria, the register, participation and protection."""
    rng = stream(seed, "lives")
    people = len(families.family)
    sizes = np.diff(families.starts, append=people)
    which = np.repeat(np.arange(len(sizes)), sizes)
    arm = _choose(families, sizes, rng)
    criteria = _criteria(families, which, arm, rng)
    criteria = _second_criterion(families, criteria, arm, rng, sizes=sizes)
    consent = pick(rng, len(sizes), (_PARTICIPATION_SHARES[0], _PARTICIPATION_SHARES[3]))
    own = pick(rng, people, _PARTICIPATION_SHARES)
    family_word = np.where(consent[which] == 0, 0, 3)
    return Lives(
        criteria=criteria,
        arm=arm[which],
        participation=np.where(np.isin(own, (1, 2)), own, family_word),
        protected=(chance(rng, len(sizes), _PROTECTED) & (arm > 0))[which],
    )


def _choose(families: Families, sizes: Ints, rng: np.random.Generator) -> Ints:
    """Return the arm of each family: families with children, until enough people are in."""
    young = (families.relation == CHILD) & (families.age < 18)
    eligible = np.add.reduceat(young.astype(np.int64), families.starts) > 0
    order = rng.permutation(np.flatnonzero(eligible))
    before = np.cumsum(sizes[order]) - sizes[order]
    chosen = order[before < register_target(len(families.family))]
    arm = np.zeros(len(sizes), dtype=np.int64)
    arm[chosen] = 1 + pick(rng, len(chosen), _ARM_SHARES)
    return arm


def _able(age: Ints) -> tuple[Flags, ...]:
    """Return for each criterion whose own evidence can exist, by age."""
    anyone = np.ones(len(age), dtype=np.bool_)
    return age >= 10, (age >= 5) & (age <= 16), age < 18, age >= 16, anyone, anyone


def _criteria(families: Families, which: Ints, arm: Ints, rng: np.random.Generator) -> Ints:
    """Return each person's bits: the family has the problem, one or more members show it."""
    people = len(which)
    bits = np.zeros(people, dtype=np.int64)
    for number, able in enumerate(_able(families.age)):
        p = np.where(arm > 0, _ON_PROGRAMME[number], _IN_GENERAL[number])
        burdened = chance(rng, len(arm), p)
        luck = np.where(able, rng.random(people), 2.0)
        least = np.minimum.reduceat(luck, families.starts)[which]
        shown = able & burdened[which] & ((luck < _EACH_MEMBER[number]) | (luck == least))
        bits |= shown.astype(np.int64) << number
    return bits


def _second_criterion(
    families: Families, criteria: Ints, arm: Ints, rng: np.random.Generator, *, sizes: Ints
) -> Ints:
    """Return bits with which every programme and comparison family has two criteria or more."""
    union = np.bitwise_or.reduceat(criteria, families.starts)
    short = np.isin(arm, (PROG, COMP)) & (_bit_count(union) < 2)
    health_first = chance(rng, len(sizes), 0.5)
    added = np.where(union == 0, C4 | C6, np.where(union & (C4 | C6), C5, C4))
    added = np.where((union == C5) & health_first, C6, added)
    criteria = criteria.copy()
    criteria[families.starts[short]] |= added[short]
    return criteria


def _bit_count(bits: Ints) -> Ints:
    counted: Ints = np.sum((bits[:, None] >> np.arange(6)) & 1, axis=1)
    return counted
