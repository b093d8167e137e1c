"""How often does a lone leaver stand out between two monthly releases, with and without the rule?

    python -m tests.benchmarks.lone_leaver [MONTHS]

A cohort of families in groups; each month one family objects, and a few come and go. An
attacker who holds both releases looks for groups that shrank by exactly one family and
guesses. Printed: in what share of pairs exactly one group shrank by one and it was the
objector's, and with what chance the attacker names the objector's group.
"""

from __future__ import annotations

import os
import sys

import numpy as np

from gateway.disclosure import Members, hidden
from gateway.disclosure.succession import members

FAMILIES, GROUPS, K = 4_000, 150, 5


def main(months: int = 400) -> None:
    random = np.random.default_rng(20_150_401)
    for churn in (0, 3):
        for protected in (False, True):
            alone, chance = simulated(random, months, churn=churn, protected=protected)
            rule = "with the rule   " if protected else "without the rule"
            print(
                f"{churn} others a month, {rule}: the leaver's group alone shrank by one in "
                f"{alone:.0%} of pairs; the attacker names it with a chance of {chance:.0%}"
            )


def simulated(
    random: np.random.Generator, months: int, *, churn: int, protected: bool
) -> tuple[float, float]:
    alone, chances = 0, 0.0
    for _ in range(months):
        groups = random.integers(0, GROUPS, FAMILIES + churn)
        before = as_members(np.arange(FAMILIES))
        leaver = int(random.integers(0, FAMILIES))
        others = random.choice(FAMILIES, churn, replace=False)
        staying = np.setdiff1d(np.arange(FAMILIES), [leaver, *others])
        joining = np.arange(FAMILIES, FAMILIES + churn)
        now = as_members(np.concatenate([staying, joining]))
        gone = hidden(now, [before], k=K, entropy=os.urandom) if protected else now.people[:0]
        left = np.setdiff1d(now.people, gone)
        shrank = np.bincount(groups[before.people], minlength=GROUPS) - np.bincount(
            groups[left], minlength=GROUPS
        )
        suspects = np.flatnonzero(shrank > 0)
        there = groups[leaver] in suspects
        alone += suspects.size == 1 and there
        chances += there / suspects.size if suspects.size else 0
    return alone / months, chances / months


def as_members(families: np.ndarray) -> Members:  # type: ignore[type-arg]
    marks = families.astype(np.uint64)
    return members(marks, marks)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
