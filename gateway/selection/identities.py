"""By what rows tell whom they are about, and which rows are about one person.

Two files seldom identify a person equally well: one has a number that the other lacks. So
a row has an identity of each kind that it can have, and two rows are of one person if any
of these agrees. Name and date of birth alone join them only if neither has a person id or
a number that the other has too: where both have one, and none agrees, they are two people.

Source: security point 16; docs/adr/0343-a-no-counts-wherever-it-stands.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

import polars as pl

from gateway.model import Role

PERSON, NAME = "person", "name"
STRONG: Final = (PERSON, "nhs", "upn", "nino")
KINDS: Final = (*STRONG, NAME)
ROW: Final = "~at"
_PARTS: Final = ("fn1", "sn1", "dob")
_KEPT, _ASKED = "~strong", "~strong.asked"
_ROLES: Final = {
    PERSON: (Role.PERSON_ID,),
    "nhs": (Role.NHS_NUMBER,),
    "upn": (Role.UPN,),
    "nino": (Role.NINO,),
    NAME: (Role.FORENAME, Role.SURNAME, Role.DATE_OF_BIRTH),
}


def kinds_of(roles: Collection[str]) -> frozenset[str]:
    """The kinds of identity that columns with these roles can tell."""
    return frozenset(kind for kind in KINDS if all(role in roles for role in _ROLES[kind]))


def stored_in(kinds: Collection[str]) -> list[str]:
    """The stored columns that tell these kinds, the person id's own column aside."""
    numbers = [f"std.{kind}" for kind in STRONG if kind in kinds and kind != PERSON]
    return [*numbers, *(f"std.{part}" for part in _PARTS if NAME in kinds)]


def identities(
    person: str | None, present: Collection[str], kinds: Iterable[str] = KINDS
) -> list[pl.Expr]:
    """A column `who.KIND` for each kind; null where a row does not tell it.

    Args:
        person: the column of the person id, if there is one.
        present: the columns that are there.
        kinds: those that are asked.
    """
    nothing = pl.lit(None, dtype=pl.String)
    parts = [f"std.{part}" for part in _PARTS]
    told = {
        kind: pl.col(f"std.{kind}").cast(pl.String)
        for kind in STRONG
        if kind != PERSON and f"std.{kind}" in present
    }
    if person and person in present:
        told[PERSON] = pl.col(person).cast(pl.String)
    if all(part in present for part in parts):
        told[NAME] = pl.format("{}:{}:{}", *parts)
    return [told.get(kind, nothing).alias(f"who.{kind}") for kind in kinds]


def by_kind(
    rows: pl.DataFrame, once: Callable[[], list[pl.Expr]], *, certain: bool
) -> Mapping[str, pl.DataFrame]:
    """What rows tell, once for each identity of a kind; kinds that none of them has are left out.

    Args:
        rows: with every `who.KIND` and what they tell.
        once: makes one of what several rows tell.
        certain: everybody who is looked for has a person id: the name of a row that has
            one too joins it with nobody.
    """
    rows = rows.with_columns(_strong(STRONG).alias(_KEPT))
    found: dict[str, pl.DataFrame] = {}
    for kind in KINDS:
        told = rows.filter(pl.col(f"who.{kind}").is_not_null())
        if kind == NAME and certain:
            told = told.filter(pl.col(f"who.{PERSON}").is_null())
        if told.height:
            keys = [f"who.{kind}", *([_KEPT] if kind == NAME else [])]
            found[kind] = told.group_by(keys).agg(once())
    return found


def met(
    block: pl.DataFrame, told: Mapping[str, pl.DataFrame], once: Callable[[], list[pl.Expr]]
) -> pl.DataFrame:
    """What is told of the rows of a block by any of their identities: once each, by `ROW`.

    Args:
        block: with `ROW` and `who.KIND` for each kind of `told`.
        told: of `by_kind`.
        once: as there.
    """
    found = []
    asked = block.select(ROW, *(f"who.{kind}" for kind in told))
    strong = [kind for kind in STRONG if kind in told]
    for kind, rows in told.items():
        whom = asked.select(ROW, f"who.{kind}", _strong(strong).alias(_ASKED))
        same = whom.join(rows, on=f"who.{kind}", how="inner")
        if kind == NAME:
            same = same.filter((pl.col(_KEPT) & pl.col(_ASKED)) == 0).drop(_KEPT)
        found.append(same.drop(f"who.{kind}", _ASKED))
    return pl.concat(found).group_by(ROW).agg(once())


def _strong(kinds: Collection[str]) -> pl.Expr:
    """Which of the strong kinds a row has, as the bits of a number."""
    bits = [
        pl.when(pl.col(f"who.{kind}").is_not_null()).then(1 << place).otherwise(0)
        for place, kind in enumerate(STRONG)
        if kind in kinds
    ]
    return pl.sum_horizontal([pl.lit(0), *bits]).cast(pl.Int32)
