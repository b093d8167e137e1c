"""The whole borough: every partner's extract, and the truth apart from them.

Source: domain research 11.1, 11.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import polars as pl

from gateway.synth.draw import words, yes_no
from gateway.synth.extract import Extract
from gateway.synth.extracts_adults import (
    domestic_abuse_services,
    dwp_out_of_work,
    health,
    housing,
)
from gateway.synth.extracts_children import (
    childrens_social_care,
    early_help,
    neet_ccis,
    school_attendance,
)
from gateway.synth.extracts_council import (
    RELATION_WORDS,
    family_register,
    nominations,
    objections,
)
from gateway.synth.extracts_justice import police_incidents, probation_custody, youth_justice
from gateway.synth.lives import ARM_WORDS, PARTICIPATION_WORDS
from gateway.synth.people import People, populate
from gateway.synth.progress import family_progress

_MAKERS: Mapping[str, Callable[[People], Extract]] = MappingProxyType(
    {
        maker.__name__: maker
        for maker in (
            school_attendance,
            childrens_social_care,
            early_help,
            neet_ccis,
            police_incidents,
            youth_justice,
            probation_custody,
            dwp_out_of_work,
            housing,
            health,
            domestic_abuse_services,
            nominations,
            family_register,
            family_progress,
        )
    }
)
DATASETS: tuple[str, ...] = tuple(_MAKERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Borough:
    """Frames by dataset as partners send them, objections, and the truth.

    `truth` holds `people` (everybody as they are, with the row ids of each
    dataset that are about them, joined by semicolons) and `objections` (which
    person each line of the objections list is).
    """

    size: int
    seed: int
    extracts: Mapping[str, pl.DataFrame] = field(repr=False)
    objections: pl.DataFrame = field(repr=False)
    truth: Mapping[str, pl.DataFrame] = field(repr=False)


def borough(size: int, seed: int) -> Borough:
    """Make a borough of `size` people who do not exist.

    Args:
        size: people, 1 or more.
        seed: 0 or more; the same two numbers give the same frames.

    Raises:
        ValueError: a number is out of its range.
    """
    people = settle(size, seed)
    made = {extract.dataset: extract for extract in send_all(people)}
    heard = objections(people)
    return Borough(
        size=size,
        seed=seed,
        extracts=MappingProxyType({name: extract.frame for name, extract in made.items()}),
        objections=heard.frame,
        truth=MappingProxyType(
            {
                "people": truth_of_people(people, [row_link(made[name]) for name in made]),
                "objections": truth_of_objections(people, heard),
            }
        ),
    )


def settle(size: int, seed: int) -> People:
    """Make the people only; `send_all` makes the extracts one after another."""
    if size < 1 or seed < 0:
        raise ValueError("a borough has one person or more, and a seed of 0 or more")
    return populate(size, seed)


def send_all(people: People) -> Iterator[Extract]:
    """Yield each partner's extract, so that a large borough needs room for one at a time."""
    for maker in _MAKERS.values():
        yield maker(people)


def row_link(extract: Extract) -> pl.DataFrame:
    """Return for each person met in an extract the row ids about them, joined by semicolons."""
    key = "src_row_id" if "src_row_id" in extract.frame.columns else "person_id"
    rows = pl.DataFrame({"who": extract.who, extract.dataset: extract.frame[key]})
    if key == "person_id":
        return rows.unique("who", keep="first", maintain_order=True)
    joined = pl.col(extract.dataset).str.join(";")
    return rows.sort("who", extract.dataset).group_by("who", maintain_order=True).agg(joined)


def truth_of_people(people: People, links: list[pl.DataFrame]) -> pl.DataFrame:
    """Return everybody as they are, one row each, with the rows about them by dataset."""
    homes, lives, who = people.homes, people.lives, np.arange(len(people))
    table = people.frame.rename({"person_id": "person_key", "family_id": "family_key"})
    table = table.drop("nickname").with_columns(
        *homes.homes[homes.now].select("house_no", "street", "town", "postcode", "uprn"),
        words(RELATION_WORDS, people.families.relation).alias("relation"),
        yes_no(people.families.twin).alias("twin"),
        yes_no(homes.communal).alias("communal"),
        yes_no(homes.before >= 0).alias("moved"),
        yes_no(homes.second >= 0).alias("two_households"),
        words(ARM_WORDS, lives.arm).alias("programme_arm"),
        words(PARTICIPATION_WORDS, lives.participation).alias("participation"),
        yes_no(lives.protected).alias("protected"),
        *(yes_no((lives.criteria >> c & 1) == 1).alias(f"c{c + 1}") for c in range(6)),
        who=who,
    )
    for link in links:
        table = table.join(link, on="who", how="left", maintain_order="left")
    return table.drop("who")


def truth_of_objections(people: People, heard: Extract) -> pl.DataFrame:
    """Return which person each row of the objections list is, rows counted from 1."""
    return pl.DataFrame(
        {
            "row": pl.Series(np.arange(1, len(heard.who) + 1)),
            "person_key": people.frame["person_id"].gather(heard.who),
        }
    )
