"""What the council holds: nominations, the register of families, their objections.

Source: domain research 11.1 DS12 and DS13, 11.2, 11.3.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from gateway.synth.draw import (
    Ints,
    chance,
    days,
    only_where,
    pick,
    pick_word,
    stream,
    whole,
    words,
    yes_no,
)
from gateway.synth.extract import Extract, compose
from gateway.synth.families import EXTRACT_DAY
from gateway.synth.lives import ARM_WORDS, ASSESSED, PARTICIPATION_WORDS, PROG
from gateway.synth.people import People
from gateway.synth.sources import Source

RELATION_WORDS = ("PARENT", "CHILD", "GRANDPARENT", "OTHER")
_REGISTER = Source(org="trafford-council", nickname=0.01, old_address=0.1, uprn=0.95, old_name=0.1)
_NOMINATOR = Source(org="trafford-schools", nickname=0.15, untidy=0.05, middle=0.2, uprn=0.0)
_OBJECTOR = Source(org="trafford-council", nickname=0.15, untidy=0.05, middle=0.4, old_name=0.5)
_WORKERS = tuple(f"Practitioner {number:02d}" for number in range(1, 41))
_SAID = (
    "School reports that mornings are hard and that the family asks for help.",
    "Two agencies see the same worries; the family has agreed to a visit.",
    "Housing officer and school nurse have both been in touch this term.",
    "The family would like one worker in place of five.",
    "Things were better last year; support ended too early.",
)


def _criteria_words(bits: Ints) -> pl.Series:
    """Return C1;C3 for bits 0 and 2; empty where there is none."""
    table = [";".join(f"C{n + 1}" for n in range(6) if code >> n & 1) for code in range(64)]
    return words([text or "-" for text in table], bits).replace("-", None)


def _by_family(people: People, who: Ints, values: Ints) -> Ints:
    """Return one value of `values` for each family, the same for all of its people."""
    return values[people.families.family[who]]


def family_register(people: People) -> Extract:
    """DS13: one row for each person of the families that the council works with or compares."""
    rng = stream(people.seed, "family_register")
    who = np.flatnonzero(people.in_register)
    lives, n = people.lives, len(who)
    households = int(people.families.family[-1]) + 1
    assessed = EXTRACT_DAY - _by_family(people, who, whole(rng, households, 120, 700))
    began = assessed + _by_family(people, who, whole(rng, households, 7, 60))
    over = began + _by_family(people, who, whole(rng, households, 90, 500))
    arm = lives.arm[who]
    supported = arm == PROG
    chosen = lives.participation[who] != PARTICIPATION_WORDS.index("NONE")
    intensity = pick_word(rng, households, {"LIGHT": 3.0, "MEDIUM": 5.0, "INTENSIVE": 2.0})
    family = people.families.family[who]
    columns = {
        "relation": words(RELATION_WORDS, people.families.relation[who]),
        "programme_arm": words(ARM_WORDS, arm),
        "criteria_met": _criteria_words(lives.criteria[who]),
        "assessed": days(assessed),
        "start": only_where(supported, days(began)),
        "end": only_where(supported & (over < EXTRACT_DAY), days(over)),
        "intensity": only_where(supported, intensity.gather(family)),
        "lead_practitioner": only_where(
            arm != ASSESSED, words(_WORKERS, _by_family(people, who, whole(rng, households, 0, 39)))
        ),
        "participation": words(PARTICIPATION_WORDS, lives.participation[who]),
        "participation_date": only_where(chosen, days(assessed + whole(rng, n, 0, 90))),
        "protected": yes_no(lives.protected[who]),
    }
    return compose(
        people,
        who,
        columns,
        dataset="family_register",
        source=_REGISTER,
        numbers=("nhs_number", "upn", "nino"),
        row_id=False,
    )


def nominations(people: People) -> Extract:
    """DS12: everybody of some register families, as an agency once nominated them."""
    rng = stream(people.seed, "nominations")
    households = int(people.families.family[-1]) + 1
    family = people.families.family
    who = np.flatnonzero(people.in_register & chance(rng, households, 0.2)[family])
    n, bits = len(who), people.lives.criteria[who]
    dated = EXTRACT_DAY - _by_family(people, who, whole(rng, households, 10, 85))
    agencies = ("Northside Academy", "Harbour Primary Care", "Trafford Housing Trust")
    said = _by_family(people, who, whole(rng, households, 0, len(_SAID) - 1))
    agency = _by_family(people, who, whole(rng, households, 0, len(agencies) - 1))
    grown = people.age[who] >= 18
    columns = {
        "nomination_date": days(dated),
        "nominating_agency": words(agencies, agency),
        "phone": only_where(
            grown, "01632 96" + pl.Series(whole(rng, n, 1000, 9999)).cast(pl.String)
        ),
        "relation": words(RELATION_WORDS, people.families.relation[who]),
        "other_agencies": only_where(
            chance(rng, n, 0.3), pick_word(rng, n, {"School nurse": 1.0, "Youth club": 1.0})
        ),
        **{f"indicator_c{c + 1}": yes_no((bits >> c & 1) == 1) for c in range(6)},
        "judgement_text": words(_SAID, said),
        "consent_parent": yes_no(_by_family(people, who, pick(rng, households, (0.1, 0.9))) == 1),
    }
    return compose(
        people, who, columns, dataset="nominations", source=_NOMINATOR, numbers=("nino",)
    )


def objections(people: People) -> Extract:
    """A list of people who object, as the rights office hears their names.

    Three in a hundred of the register and a few of all others; spelt with the
    slips of a form filled in by hand, with few numbers and no council id. The
    columns are those that `gateway object --file` reads; an unknown sex is empty.
    """
    rng = stream(people.seed, "objections")
    n = len(people)
    objects = chance(rng, n, np.where(people.in_register, 0.03, 0.001)) & (people.age >= 16)
    who = np.flatnonzero(objects)
    rows = len(who)
    extract = compose(
        people,
        who,
        {},
        dataset="objections",
        source=_OBJECTOR,
        numbers=("nhs_number", "nino"),
        ids=False,
    )
    rare, told = pl.Series(chance(rng, rows, 0.3)), extract.frame["sex"].is_in(["1", "2"])
    none = pl.Series([None], dtype=pl.String)
    frame = extract.frame.drop("src_row_id", "extract_date", "source_org").with_columns(
        extract.frame["nhs_number"].zip_with(rare, none),
        extract.frame["nino"].zip_with(rare, none),
        extract.frame["sex"].zip_with(told, none),
    )
    return Extract(dataset=extract.dataset, frame=frame, who=extract.who)
