"""Where people live, lived, and live on the other days of the week.

About fifteen homes share a postcode, one postcode in eight is a block of flats.
Five people in a thousand live at a communal address whose postcode is its own.

Source: domain research 11.3 (address shared 85 %, movers 8 % a year, communal 0.5 %).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from gateway.synth.draw import Flags, Ints, chance, stream, whole, words
from gateway.synth.families import CHILD, LONE_PARENT, SINGLE, Families
from gateway.synth.numbers import UNITS_IN_DISTRICT, postcodes, uprns
from gateway.synth.words_places import COMMUNAL_STREETS, STREET_KINDS, STREET_STEMS, TOWNS

_HOMES_IN_POSTCODE = 15
_APART = 0.15
_MOVED = 0.08
_COMMUNAL = 0.005
_COMMUNAL_HOLDS = 30
_TWO_HOUSEHOLDS = 0.03
_SPREAD = 1237  # shares no factor with 4,000: each unit is used once, all sectors are
NOWHERE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Homes:
    """The homes of the borough and who is where.

    `homes` has one row for each home; the others have one entry for each person
    and hold the row of a home, or -1 where there is none.
    """

    homes: pl.DataFrame = field(repr=False)
    now: Ints = field(repr=False)
    before: Ints = field(repr=False)
    second: Ints = field(repr=False)
    second_family: Ints = field(repr=False)
    communal: Flags = field(repr=False)


def district_count(size: int, register: int) -> int:
    """Return how many postcode districts the borough has.

    Few enough that groups by age band, sex and district hold several families
    of the register, many enough for the postcodes.
    """
    postcodes_needed = size / 1.7 / _HOMES_IN_POSTCODE
    return max(3, min(15, register // 240), int(postcodes_needed / (UNITS_IN_DISTRICT * 0.9)) + 1)


def house_people(families: Families, seed: int, *, districts: int) -> Homes:
    """Give everybody a home, and some a former or a second one."""
    rng = stream(seed, "homes")
    households, n = int(families.family[-1]) + 1, len(families.family)
    ordinary = int(households * 1.12) + _HOMES_IN_POSTCODE
    home_of = rng.permutation(ordinary)[:households]
    communal_family, places = _communal_families(families, rng)
    home_of = np.where(communal_family, ordinary + whole(rng, households, 0, places - 1), home_of)
    now = home_of[families.family]
    leaver = _leavers(families, rng) & ~communal_family[families.family]
    now = np.where(leaver, whole(rng, n, 0, ordinary - 1), now)
    moved = chance(rng, households, _MOVED)[families.family]
    before = np.where(moved, whole(rng, households, 0, ordinary - 1)[families.family], NOWHERE)
    shuttles = (families.relation == CHILD) & chance(rng, n, _TWO_HOUSEHOLDS) & ~leaver
    elsewhere = whole(rng, n, 0, households - 1)
    shuttles &= elsewhere != families.family
    return Homes(
        homes=_build(ordinary, places, rng, districts=districts),
        now=now,
        before=before,
        second=np.where(shuttles, home_of[elsewhere], NOWHERE),
        second_family=np.where(shuttles, elsewhere, NOWHERE),
        communal=communal_family[families.family],
    )


def _communal_families(families: Families, rng: np.random.Generator) -> tuple[Flags, int]:
    """Return which households live at a communal address, and how many of those there are."""
    n = len(families.family)
    may = np.isin(families.kind, (SINGLE, LONE_PARENT))
    share = _COMMUNAL * n / max(int(may.sum()), 1)
    households = int(families.family[-1]) + 1
    chosen = chance(rng, households, share)
    allowed = np.zeros(households, dtype=np.bool_)
    allowed[families.family[may]] = True
    return chosen & allowed, max(1, int(n * _COMMUNAL / _COMMUNAL_HOLDS))


def _leavers(families: Families, rng: np.random.Generator) -> Flags:
    """Return one member of every seventh family of two or more, who lives elsewhere."""
    sizes = np.diff(families.starts, append=len(families.family))
    apart = chance(rng, len(sizes), _APART) & (sizes > 1)
    who = families.starts + 1 + np.floor(rng.random(len(sizes)) * (sizes - 1)).astype(np.int64)
    flags = np.zeros(len(families.family), dtype=np.bool_)
    flags[who[apart]] = True
    return flags


def _build(ordinary: int, places: int, rng: np.random.Generator, *, districts: int) -> pl.DataFrame:
    """Return every home: house_no, street, town, postcode, uprn, district, communal."""
    home = np.arange(ordinary + places)
    common = home >= ordinary
    group = np.where(
        common, ordinary // _HOMES_IN_POSTCODE + 1 + home - ordinary, home // _HOMES_IN_POSTCODE
    )
    groups = int(group[-1]) + 1
    scatter = rng.permutation(groups)  # neighbours in number are not neighbours on the map
    district = scatter[group] % districts
    unit = scatter[group] // districts * _SPREAD % UNITS_IN_DISTRICT
    stem = whole(rng, groups, 0, len(STREET_STEMS) - 1)[group]
    kind = whole(rng, groups, 0, len(STREET_KINDS) - 1)[group]
    street = words(STREET_STEMS, stem) + " " + words(STREET_KINDS, kind)
    inside = words(COMMUNAL_STREETS, home % len(COMMUNAL_STREETS))
    return pl.DataFrame(
        {
            "house_no": _house_numbers(home, group, rng),
            "street": street.zip_with(pl.Series(~common), inside),
            "town": words(TOWNS, district % len(TOWNS)),
            "postcode": postcodes(district, unit),
            "uprn": uprns(home),
            "district": district,
            "communal": common,
        }
    )


def _house_numbers(home: Ints, group: Ints, rng: np.random.Generator) -> pl.Series:
    """Return odd or even numbers along a street, or 14A to 14O in a block of flats."""
    groups = int(group[-1]) + 1
    first = whole(rng, groups, 0, 40) * 2 + whole(rng, groups, 1, 2)
    flats = chance(rng, groups, 0.12)[group]
    place = home % _HOMES_IN_POSTCODE
    number = np.where(flats, first[group], first[group] + 2 * place)
    letter = words(tuple("ABCDEFGHIJKLMNO"), place)
    blank = pl.Series([""], dtype=pl.String)
    return pl.Series(number).cast(pl.String) + letter.zip_with(pl.Series(flats), blank)
