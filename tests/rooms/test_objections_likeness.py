"""A slip of the pen does not bring back a person who objected; what that costs is stated.

The figures stand in docs/explanation/objections.md.
"""

from __future__ import annotations

import random

import polars as pl
import pytest

from gateway.model import Participation
from gateway.objections import compare, decide, resolve
from tests.rooms.objection_borough import ERRORS, Person, borough, standard
from tests.rooms.objection_people import register_from

PEOPLE = 20_000
OBJECTORS = 400

# Errors that are compatible: both together still leave the person recognisable.
PAIRS = (
    ("moved", "no-sex"),
    ("moved", "nickname"),
    ("moved", "forename-slip"),
    ("moved", "surname-slip"),
    ("moved", "birth-swapped"),
    ("moved", "names-swapped"),
    ("moved", "new-surname"),
    ("moved", "no-postcode"),
    ("no-postcode", "forename-slip"),
    ("no-postcode", "surname-slip"),
    ("no-postcode", "birth-mistyped"),
    ("no-sex", "birth-mistyped"),
    ("forename-slip", "surname-slip"),
    ("birth-mistyped", "nickname"),
    ("birth-mistyped", "surname-slip"),
    ("birth-mistyped", "forename-slip"),
    ("no-birth", "moved"),
    ("no-birth", "nickname"),
)


@pytest.fixture(scope="module")
def people() -> list[Person]:
    return borough(PEOPLE, random.Random(11))


@pytest.fixture(scope="module")
def cohort(people: list[Person]) -> pl.DataFrame:
    frame = standard(people).rename(lambda name: f"std.{name}")
    return frame.with_columns(pl.Series("person", range(len(people))))


def leaks_and_holds(
    people: list[Person], cohort: pl.DataFrame, errors: tuple[str, ...]
) -> tuple[list[int], float]:
    """Objectors who would be shared, and the share of the others who would be held."""
    chance = random.Random(".".join(errors))
    who = chance.sample(range(len(people)), OBJECTORS)
    written = []
    for number in who:
        person = people[number]
        for error in errors:
            person = ERRORS[error](person, chance)
        written.append(person)
    identities = standard(written).with_columns(
        pl.Series("sequence", range(1, OBJECTORS + 1), dtype=pl.Int64)
    )
    register = register_from(identities, ["objection"] * OBJECTORS, sequence=OBJECTORS)
    resolution = resolve(compare(cohort, register), register, participation=Participation.OBJECTION)
    withheld = set(decide(cohort, resolution).is_not_null().arg_true().to_list())
    return [n for n in who if n not in withheld], len(withheld - set(who)) / len(people)


@pytest.mark.parametrize("error", [name for name in ERRORS if name != "no-birth"])
def test_no_objector_leaks_by_one_error(
    people: list[Person], cohort: pl.DataFrame, error: str
) -> None:
    leaks, holds = leaks_and_holds(people, cohort, (error,))
    assert leaks == []
    assert holds < 0.02


@pytest.mark.parametrize("errors", PAIRS, ids="+".join)
def test_no_objector_leaks_by_two_errors(
    people: list[Person], cohort: pl.DataFrame, errors: tuple[str, str]
) -> None:
    leaks, holds = leaks_and_holds(people, cohort, errors)
    assert leaks == []
    assert holds < (0.25 if "no-birth" in errors else 0.02)
