"""Family progress: 58 made-up items for each person, before, during and after support.

The items are ours (domain research 11.4), not the department's. A need shows up
as long as the person has its criterion, and fades over the waves: faster for
people of the programme than for people of the comparison group.

Source: domain research 11.4; UK GDPR Art 5(1)(c) decides what of it may leave.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from gateway.synth.draw import Flags, Ints, days, pick, stream, whole, words, yes_no
from gateway.synth.extract import Extract
from gateway.synth.families import EXTRACT_DAY
from gateway.synth.lives import COMP, PROG
from gateway.synth.people import People

WAVES = ("T0", "T1", "T2")
_ITEMS_OF = ((1, 9), (10, 19), (20, 29), (30, 40), (41, 46), (47, 58))
_COUNTED = frozenset((1, 2, 3, 4, 5, 6, 7, 9, 11, 12, 13, 15, 17, 25, 26, 31, 41))
_ADULTS_ONLY = frozenset((3, 4, 5, 18, 30, 31, 32, 33, 36, 37, 38, 39, 40, 47, 48, 51, 57))
_MINORS_ONLY = frozenset((2, *range(10, 18), 19, *range(21, 30), 49))
# These go well when yes; need makes them rarer.
_GOOD = frozenset((27, 32, 40, 45, 54, 55))
_WORDS: dict[int, tuple[str, ...]] = {
    19: ("BELOW", "AT", "ABOVE", "NK"),
    33: ("NONE", "UNDER16", "16TO30", "OVER30"),
    53: ("NONE", "ENGAGED", "COMPLETED", "DROPPED"),
    56: ("Y", "N", "NK"),
}
_LESS_EACH_WAVE = {PROG: 0.62, COMP: 0.85}


def family_progress(people: People) -> Extract:
    """One row for each person of programme and comparison and wave: person_id, wave, items."""
    rng = stream(people.seed, "family_progress")
    who = np.flatnonzero(np.isin(people.lives.arm, (PROG, COMP)))
    order = rng.permutation(len(who) * 3)
    rows, wave = np.repeat(who, 3)[order], np.tile(np.arange(3), len(who))[order]
    fade = np.where(people.lives.arm[rows] == PROG, *_LESS_EACH_WAVE.values()) ** wave
    columns = {
        "person_id": people.frame["person_id"].gather(rows),
        "wave": words(WAVES, wave),
    }
    for criterion, (first, last) in enumerate(_ITEMS_OF):
        needy = people.has(1 << criterion)[rows] & (rng.random(len(rows)) < fade)
        for number in range(first, last + 1):
            columns[f"FPD{number:02d}"] = _item(number, needy, people.age[rows], rng)
    columns["extract_date"] = days(np.full(len(rows), EXTRACT_DAY, dtype=np.int64))
    return Extract(dataset="family_progress", frame=pl.DataFrame(columns), who=rows)


def _item(number: int, needy: Flags, age: Ints, rng: np.random.Generator) -> pl.Series:
    """Return one item for each row."""
    n = len(needy)
    if number in _ADULTS_ONLY:
        needy = needy & (age >= 16)
    if number in _MINORS_ONLY:
        needy = needy & (age < 18)
    if number == 10:
        return pl.Series(np.where(needy, whole(rng, n, 45, 89), whole(rng, n, 91, 100)))
    if number in _WORDS:
        middle = np.where(needy, pick(rng, n, (2, 4, 2, 1)), pick(rng, n, (6, 2, 1, 1)))
        return words(_WORDS[number], middle.clip(0, len(_WORDS[number]) - 1))
    shown = rng.random(n) < np.where(needy, 0.4, 0.015)
    if number in _COUNTED:
        return pl.Series(np.where(shown, 1 + pick(rng, n, (6, 3, 2, 1, 1)), 0))
    if number in _GOOD:
        shown = rng.random(n) < np.where(needy, 0.6, 0.95)
    return yes_no(shown)
