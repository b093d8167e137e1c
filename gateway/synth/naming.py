"""What people are called, were called, and are called by their neighbours.

Seven families in ten share one surname; in the others a partner keeps a name,
a child has the other parent's, or both joined by a hyphen. Two people in a
hundred had another surname; a few children carry a parent's forename.

Source: domain research 11.3.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from gateway.synth.draw import Flags, Ints, chance, only_where, pick, stream, zipf_weights
from gateway.synth.families import CHILD, EXTRACT_DATE, YEAR, Families
from gateway.synth.words_names import FORENAMES, HERITAGE_SHARES, NICKNAMES, SURNAMES

_HERITAGES = tuple(HERITAGE_SHARES)
_SURNAME_SHARED = 0.70
_NAME_CHANGED = 0.0225  # a tenth of those drawn had the same name before
_NAMED_AFTER_PARENT = 0.015


class _Shelves:
    """Word lists side by side, so that one search draws from any of them at once."""

    def __init__(self, lists: list[tuple[str, ...]]) -> None:
        self.words = pl.Series([word for words_ in lists for word in words_], dtype=pl.String)
        edges = [number + np.cumsum(zipf_weights(len(part))) for number, part in enumerate(lists)]
        self.edges = np.concatenate(edges)

    def draw(self, shelf: Ints, rng: np.random.Generator) -> pl.Series:
        """Return one word from each shelf named."""
        wanted = shelf + rng.random(len(shelf)) * (1 - 1e-9)
        return self.words.gather(np.searchsorted(self.edges, wanted, side="right"))


def _forename_shelves() -> tuple[_Shelves, dict[tuple[str, str, str], int]]:
    return _Shelves(list(FORENAMES.values())), {key: n for n, key in enumerate(FORENAMES)}


def name_people(families: Families, seed: int) -> pl.DataFrame:
    """Name everybody.

    Args:
        families: the people in order of family.
        seed: of the borough.

    Returns:
        One row for each person: forename, middle_names, surname,
        former_surname, nickname (null where none is used).
    """
    rng = stream(seed, "names")
    n, households = len(families.family), int(families.family[-1]) + 1
    heritage = pick(rng, households, tuple(HERITAGE_SHARES.values()))
    own = np.where(chance(rng, n, 0.06), pick(rng, n, (1,) * 6), heritage[families.family])
    forename = _forenames(families, own, rng)
    middle = _middle_names(families, own, rng)
    surname, other = _surnames(families, heritage, rng)
    changed = chance(rng, n, _NAME_CHANGED)
    former = only_where(changed & (surname != other).to_numpy(), other)
    nickname = forename.replace_strict(dict(NICKNAMES), default=None, return_dtype=pl.String)
    return pl.DataFrame(
        {
            "forename": forename,
            "middle_names": middle,
            "surname": surname,
            "former_surname": former,
            "nickname": nickname,
        }
    )


def _shelf(families: Families, heritage: Ints, places: dict[tuple[str, str, str], int]) -> Ints:
    """Return which forename list each person's name comes from."""
    born = EXTRACT_DATE.year - families.days_old / YEAR
    generation = np.digitize(born, (1962, 1993))
    table = np.empty((len(_HERITAGES), 3, 3), dtype=np.int64)
    for h, name in enumerate(_HERITAGES):
        for s in (1, 2):
            for g, label in enumerate(("older", "middle", "younger")):
                key = (name, str(s), label)
                table[h, s, g] = places[key if key in places else (name, str(s), "")]
    return table[heritage, families.sex, generation]


def _forenames(families: Families, heritage: Ints, rng: np.random.Generator) -> pl.Series:
    """Draw forenames; brothers or sisters do not share one, some children bear a parent's."""
    shelves, places = _forename_shelves()
    shelf = _shelf(families, heritage, places)
    names = shelves.draw(shelf, rng)
    child = families.relation == CHILD
    for _ in range(3):
        seen = pl.DataFrame({"f": families.family, "n": names, "c": child})
        again = ~seen.select(pl.struct("f", "n", "c").is_first_distinct()).to_series().to_numpy()
        again &= child
        names = names.scatter(np.flatnonzero(again), shelves.draw(shelf[again], rng))
    lead = np.repeat(families.starts, np.diff(families.starts, append=len(names)))
    after = child & (families.sex == families.sex[lead]) & _eldest(families)
    after &= chance(rng, len(names), _NAMED_AFTER_PARENT * 6)
    return names.scatter(np.flatnonzero(after), names.gather(lead[after]))


def _eldest(families: Families) -> Flags:
    """Return who is the eldest child of the family: the last of its children."""
    child = families.relation == CHILD
    following = np.append(child[1:] & (families.family[1:] == families.family[:-1]), False)
    eldest: Flags = child & ~following
    return eldest


def _middle_names(families: Families, heritage: Ints, rng: np.random.Generator) -> pl.Series:
    """Return none, one or two middle names; empty for about four in ten people."""
    shelves, places = _forename_shelves()
    shelf, n = _shelf(families, heritage, places), len(families.family)
    one, two = shelves.draw(shelf, rng), shelves.draw(shelf, rng)
    both = chance(rng, n, 0.08)
    named = one.zip_with(pl.Series(~both), one + " " + two)
    return only_where(chance(rng, n, 0.6), named)


def _surnames(
    families: Families, heritage: Ints, rng: np.random.Generator
) -> tuple[pl.Series, pl.Series]:
    """Return each person's surname, and another one of the family for a former name."""
    shelves = _Shelves([SURNAMES[name] for name in _HERITAGES])
    households = len(heritage)
    base, other = shelves.draw(heritage, rng), shelves.draw(heritage, rng)
    shared = chance(rng, households, _SURNAME_SHARED)
    style = pick(rng, households, (0.35, 0.40, 0.25))
    family, n = families.family, len(families.family)
    apart = ~shared[family]
    child = families.relation == CHILD
    child_style = np.where(chance(rng, n, 0.1), 1 - style[family].clip(0, 1), style[family])
    lone = chance(rng, n, 0.5) | (families.kind == 3)
    choice = np.where(apart & ~child & (families.position > 0), 1, 0)
    choice = np.where(apart & child, np.where(lone & (child_style == 0), 1, child_style), choice)
    first, second = base.gather(family), other.gather(family)
    joined = first + "-" + second
    options = pl.DataFrame({"a": first, "b": second, "c": joined, "w": choice})
    surname = options.select(
        pl.when(pl.col("w") == 0).then("a").when(pl.col("w") == 1).then("b").otherwise("c")
    ).to_series()
    return surname, second
