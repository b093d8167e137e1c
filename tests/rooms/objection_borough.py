"""A borough of people, and how the same people are written down when they object.

The errors are those that hide an objector from an exact comparison: typing
slips, nicknames, a second name used as the first, swapped names, swapped or
mistyped dates, a new address, a new surname, things left out.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable

import polars as pl

from gateway import objections
from gateway.synth.words_names import FORENAMES, SURNAMES

Person = dict[str, str | None]

LETTERS = "abcdefghijklmnoprstuvwy"
NICKNAMES = {
    "Elizabeth": "Liz",
    "Michael": "Mike",
    "William": "Bill",
    "Robert": "Bob",
    "Margaret": "Peggy",
    "Katherine": "Kate",
    "Thomas": "Tom",
    "James": "Jim",
    "Christopher": "Chris",
    "Rebecca": "Becky",
    "Samantha": "Sam",
    "Edward": "Ted",
}


def borough(size: int, chance: random.Random) -> list[Person]:
    """Families of one to five at one address, most with one surname."""
    people: list[Person] = []
    while len(people) < size:
        heritage = chance.choices(list(SURNAMES), k=1)[0]
        surname = _common(SURNAMES[heritage], chance)
        home = an_address(chance)
        members = range(chance.randint(1, 5))
        people.extend(_member(heritage, surname, chance) | home for _ in members)
    return people[:size]


def _member(heritage: str, surname: str, chance: random.Random) -> Person:
    sex = chance.choice("12")
    lists = [names for (kind, of, _), names in FORENAMES.items() if (kind, of) == (heritage, sex)]
    names = chance.choice(lists or list(FORENAMES.values()))
    born = dt.date(1940, 1, 1) + dt.timedelta(days=chance.randrange(28_000))
    return {
        "forename": _common(names, chance),
        "middle_names": _common(names, chance) if chance.random() < 0.5 else None,
        "surname": surname if chance.random() < 0.8 else _common(SURNAMES[heritage], chance),
        "date_of_birth": born.isoformat(),
        "sex": sex if chance.random() < 0.98 else None,
    }


def an_address(chance: random.Random) -> Person:
    """A house in one of 400 postcodes of an area that was never allocated."""
    number = chance.randrange(400)
    letters = f"{'ABDEFGHJLN'[number % 10]}{'ABDEFGHJLN'[number // 10 % 10]}"
    return {
        "postcode": f"Z{'ABCD'[number // 100]}{number % 7 + 1} {number % 9}{letters}",
        "house_number": str(chance.randint(1, 60)),
    }


def _common(names: tuple[str, ...], chance: random.Random) -> str:
    """The first names of a list are met more often than the last; "Na" reads as missing."""
    weights = [1 / (rank + 4) for rank in range(len(names))]
    return next(
        name for name in iter(lambda: chance.choices(names, weights)[0], "") if name != "Na"
    )


def _slip(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    letter = chance.choice(LETTERS)
    return chance.choice(
        [
            text[:at] + letter + text[at + 1 :],
            text[:at] + text[at + 1 :],
            text[:at] + letter + text[at:],
            text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :],
        ]
    )


def _typed(field: str) -> Callable[[Person, random.Random], Person]:
    return lambda p, chance: p | {field: _slip(str(p[field]), chance)}


def _nickname(p: Person, chance: random.Random) -> Person:
    return p | {"forename": NICKNAMES.get(str(p["forename"]), p["forename"])}


def _second_name_first(p: Person, chance: random.Random) -> Person:
    if p["middle_names"] is None:
        return p
    return p | {"forename": p["middle_names"], "middle_names": None}


def _names_swapped(p: Person, chance: random.Random) -> Person:
    return p | {"forename": p["surname"], "surname": p["forename"]}


def _birth_swapped(p: Person, chance: random.Random) -> Person:
    year, month, day = str(p["date_of_birth"]).split("-")
    return p | {"date_of_birth": f"{year}-{day}-{month}"} if int(day) <= 12 else p


def _birth_mistyped(p: Person, chance: random.Random) -> Person:
    born = dt.date.fromisoformat(str(p["date_of_birth"]))
    try:
        changed = chance.choice(
            [
                born.replace(year=born.year + chance.choice([-10, -1, 1])),
                born.replace(month=chance.randint(1, 12)),
                born.replace(day=chance.randint(1, 28)),
            ]
        )
    except ValueError:
        return p
    return p | {"date_of_birth": changed.isoformat()}


def _moved(p: Person, chance: random.Random) -> Person:
    return p | an_address(chance)


def _new_surname(p: Person, chance: random.Random) -> Person:
    return p | {"surname": _common(SURNAMES["british"], chance)}


def _left_out(*fields: str) -> Callable[[Person, random.Random], Person]:
    return lambda p, chance: p | dict.fromkeys(fields)


ERRORS: dict[str, Callable[[Person, random.Random], Person]] = {
    "forename-slip": _typed("forename"),
    "surname-slip": _typed("surname"),
    "nickname": _nickname,
    "second-name-first": _second_name_first,
    "names-swapped": _names_swapped,
    "birth-swapped": _birth_swapped,
    "birth-mistyped": _birth_mistyped,
    "moved": _moved,
    "new-surname": _new_surname,
    "no-postcode": _left_out("postcode", "house_number"),
    "no-sex": _left_out("sex"),
    "no-birth": _left_out("date_of_birth"),
}


def standard(people: list[Person]) -> pl.DataFrame:
    """People in standard form."""
    rows = [{name: person.get(name) for name in objections.FIELDS} for person in people]
    schema = dict.fromkeys(objections.FIELDS, pl.String)
    return objections.standard_form(pl.DataFrame(rows, schema=schema))
