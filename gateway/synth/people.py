"""Everybody of the borough, once, as the truth has it.

Source: domain research 11.3; the truth is written apart from the extracts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from gateway.synth.draw import Flags, Ints, days, stream
from gateway.synth.families import EXTRACT_DAY, Families, form_families
from gateway.synth.homes import Homes, district_count, house_people
from gateway.synth.lives import Lives, live, register_target
from gateway.synth.naming import name_people
from gateway.synth.numbers import nhs_numbers, ninos, upns

_PUPILS_IN_SCHOOL = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The truth about everybody; entry n of each part is person n."""

    seed: int
    families: Families = field(repr=False)
    homes: Homes = field(repr=False)
    lives: Lives = field(repr=False)
    frame: pl.DataFrame = field(repr=False)
    school: Ints = field(repr=False)
    age: Ints = field(repr=False)

    def __len__(self) -> int:
        return len(self.age)

    def has(self, criterion: int) -> Flags:
        """Return who shows a criterion, given as its bit."""
        return (self.lives.criteria & criterion) > 0

    @property
    def in_register(self) -> Flags:
        """Who belongs to a family of the register."""
        return self.lives.arm > 0


def populate(size: int, seed: int) -> People:
    """Make everybody: family, age, name, home, numbers, problems.

    Args:
        size: people, 1 or more.
        seed: the same seed and size give the same people.
    """
    families = form_families(size, seed)
    districts = district_count(size, register_target(size))
    school, upn = _schooling(families, seed)
    rng = stream(seed, "numbers")
    family_key = rng.permutation(int(families.family[-1]) + 1)[families.family]
    person_key = rng.permutation(size)
    nhs, nino = nhs_numbers(size, rng), ninos(size, rng)
    frame = pl.DataFrame(
        {
            "person_id": _key("P", person_key, size),
            "family_id": _key("F", family_key, size),
            **name_people(families, seed).to_dict(),
            "dob": days(EXTRACT_DAY - families.days_old),
            "sex": families.sex,
            "nhs_number": nhs,
            "upn": upn,
            "nino": nino.zip_with(
                pl.Series(families.age >= 16), pl.Series([None], dtype=pl.String)
            ),
        }
    )
    return People(
        seed=seed,
        families=families,
        homes=house_people(families, seed, districts=districts),
        lives=live(families, seed),
        frame=frame,
        school=school,
        age=families.age,
    )


def _key(letter: str, number: Ints, size: int) -> pl.Series:
    """Return the council's own ids: a letter and digits that say nothing about order."""
    width = max(7, len(str(size)))
    return letter + pl.Series(number).cast(pl.String).str.zfill(width)


def _schooling(families: Families, seed: int) -> tuple[Ints, pl.Series]:
    """Return each person's school and, from 4 to 18 years of age, the UPN."""
    rng, age = stream(seed, "schools"), families.age
    pupil = np.flatnonzero((age >= 4) & (age <= 18))
    schools = max(2, len(pupil) // _PUPILS_IN_SCHOOL)
    school = rng.integers(0, schools, len(age))
    year = (26 - (age - 4)) % 100
    groups = pl.DataFrame({"s": school[pupil], "y": year[pupil]})
    serial = groups.select(pl.int_range(pl.len()).over("s", "y")).to_series().to_numpy()
    given = upns(school[pupil], year[pupil], serial)
    everyone = pl.Series([None], dtype=pl.String).new_from_index(0, len(age))
    return school, everyone.scatter(pupil, given)
