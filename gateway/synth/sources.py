"""How partners write people down: the same person, spelt by six clerks.

Every source has its own habits (nicknames, capitals, old addresses) on top of
the common errors: a typing error in three names of a hundred, day and month
exchanged in one, four postcodes missing, one sex missing.

Source: domain research 11.3, error model per source.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from gateway.synth.draw import Flags, Ints, chance, only_where, stream, whole, words
from gateway.synth.families import EXTRACT_DATE
from gateway.synth.homes import NOWHERE
from gateway.synth.people import People
from gateway.synth.words_places import STREET_SHORT

TYPO = 0.03
DAY_MONTH_SWAPPED = 0.01
POSTCODE_MISSING = 0.04
SEX_MISSING = 0.01
_KEYS = tuple("abcdefghijklmnoprstuwy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The habits of one partner, each as a share of the people it writes down."""

    org: str
    nickname: float = 0.02
    capitals: float = 0.0
    untidy: float = 0.01
    old_name: float = 0.25
    old_address: float = 0.3
    middle: float = 0.6
    street_short: float = 0.1
    uprn: float = 0.7


def write_down(people: People, who: Ints, source: Source, *, name: str) -> pl.DataFrame:
    """Return the person header as a source has it, one row for each entry of `who`.

    Args:
        people: the truth.
        who: person numbers, in the order wanted; the same person may come twice.
        source: the partner's habits.
        name: of the dataset, for its own stream of chance.

    Returns:
        forename, middle_names, surname, former_surname, dob, sex, house_no,
        street, town, postcode, uprn, extract_date, source_org.
    """
    rng = stream(people.seed, f"source/{name}")
    truth = people.frame[who]
    return pl.DataFrame(
        {
            **_names(truth, source, rng),
            "dob": _births(truth["dob"], rng),
            "sex": _sex(truth["sex"], rng),
            **_address(people, who, source, rng),
            "extract_date": pl.Series([EXTRACT_DATE]).new_from_index(0, len(who)),
            "source_org": words((source.org,), np.zeros(len(who), dtype=np.int64)),
        }
    )


def _names(truth: pl.DataFrame, source: Source, rng: np.random.Generator) -> dict[str, pl.Series]:
    """Return the four name columns with this source's habits and slips."""
    n = len(truth)
    had = truth["former_surname"].is_not_null().to_numpy()
    old = had & chance(rng, n, source.old_name)
    surname = truth["surname"].zip_with(pl.Series(~old), truth["former_surname"])
    told = had & ~old & chance(rng, n, 0.5)
    short = truth["nickname"].is_not_null().to_numpy() & chance(rng, n, source.nickname)
    forename = truth["forename"].zip_with(pl.Series(~short), truth["nickname"])
    slip, which = chance(rng, n, TYPO), chance(rng, n, 0.5)
    forename = mistype(forename, np.flatnonzero(slip & which), rng)
    surname = mistype(surname, np.flatnonzero(slip & ~which), rng)
    loud = pl.Series(chance(rng, n, source.capitals))
    surname = surname.str.to_uppercase().zip_with(loud, surname)
    messy = pl.Series(chance(rng, n, source.untidy))
    forename = (" " + forename.str.to_lowercase() + " ").zip_with(messy, forename)
    return {
        "forename": forename,
        "middle_names": only_where(chance(rng, n, source.middle), truth["middle_names"]),
        "surname": surname,
        "former_surname": only_where(told, truth["former_surname"]),
    }


def mistype(names: pl.Series, rows: Ints, rng: np.random.Generator) -> pl.Series:
    """Return the names with one slip in each of the rows: left out, doubled, swapped, wrong."""
    some = names.gather(rows)
    length = some.str.len_chars().to_numpy().astype(np.int64)
    place = np.minimum((rng.random(len(rows)) * length).astype(np.int64), (length - 2).clip(0))
    frame = pl.DataFrame(
        {
            "w": some,
            "p": place,
            "k": words(_KEYS, whole(rng, len(rows), 0, len(_KEYS) - 1)),
            "o": whole(rng, len(rows), 0, 3),
        }
    )
    w, p = pl.col("w").str, pl.col("p")
    head, here, after = w.slice(0, p), w.slice(p, 1), w.slice(p + 1, 1)
    slips = {
        0: head + w.slice(p + 1),
        1: head + here + w.slice(p),
        2: head + after.str.to_lowercase() + here.str.to_lowercase() + w.slice(p + 2),
    }
    wrong = head + pl.col("k") + w.slice(p + 1)
    short = w.len_chars() < 3
    kind = pl.col("o")
    made = (
        pl.when(kind == 0, ~short)
        .then(slips[0])
        .when(kind == 1)
        .then(slips[1])
        .when(kind == 2, ~short)
        .then(slips[2])
        .otherwise(wrong)
    )
    return names.scatter(rows, frame.select(made).to_series())


def _births(born: pl.Series, rng: np.random.Generator) -> pl.Series:
    """Return dates of birth; some with day and month exchanged, where that is a date."""
    may = (born.dt.day() <= 12) & (born.dt.day() != born.dt.month())
    may &= pl.Series(chance(rng, len(born), DAY_MONTH_SWAPPED * 365 / 132))
    rows = may.arg_true()
    some = pl.DataFrame({"b": born.gather(rows)})
    swapped = some.select(
        pl.date(pl.col("b").dt.year(), pl.col("b").dt.day(), pl.col("b").dt.month())
    ).to_series()
    kept = swapped.is_null() | (swapped > EXTRACT_DATE)
    return born.scatter(rows, some["b"].zip_with(kept, swapped))


def _sex(sex: pl.Series, rng: np.random.Generator) -> pl.Series:
    """Return 1 or 2; 0 or 9 where the source does not know."""
    n = len(sex)
    unknown: Flags = chance(rng, n, SEX_MISSING)
    instead = np.where(chance(rng, n, 0.5), 0, 9)
    return pl.Series(np.where(unknown, instead, sex.to_numpy())).cast(pl.String)


def _address(
    people: People, who: Ints, source: Source, rng: np.random.Generator
) -> dict[str, pl.Series]:
    """Return the address columns: sometimes the old address, or the other household's."""
    n, homes = len(who), people.homes
    old = (homes.before[who] != NOWHERE) & chance(rng, n, source.old_address)
    other = (homes.second[who] != NOWHERE) & chance(rng, n, 0.35)
    home = np.where(old, homes.before[who], np.where(other, homes.second[who], homes.now[who]))
    at = homes.homes[home]
    lost = chance(rng, n, POSTCODE_MISSING)
    tight = pl.Series(chance(rng, n, source.untidy * 3))
    postcode = at["postcode"]
    postcode = postcode.str.replace(" ", "", literal=True).zip_with(tight, postcode)
    street = at["street"]
    hurried = street
    for long, short in STREET_SHORT:
        hurried = hurried.str.replace(long + "$", short)
    street = hurried.zip_with(pl.Series(chance(rng, n, source.street_short)), street)
    return {
        "house_no": at["house_no"],
        "street": street,
        "town": at["town"],
        "postcode": only_where(~lost, postcode),
        "uprn": only_where(chance(rng, n, source.uprn), at["uprn"]),
    }
