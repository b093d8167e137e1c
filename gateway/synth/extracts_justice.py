"""What police, youth justice and probation send.

C1 is written by one of these routes (or as a housing case, see the adults'
extracts); C5 as incidents of the whole family, one row for each person in each
incident, so that counting rows instead of incidents gives the wrong answer.

Source: domain research 11.1 DS5-DS7, 11.2 C1 and C5.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from gateway.synth.draw import (
    Flags,
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
from gateway.synth.lives import C1, C5
from gateway.synth.people import People
from gateway.synth.sources import Source

_POLICE = Source(
    org="greater-manchester-police", nickname=0.12, capitals=0.6, untidy=0.02, middle=0.4
)
_YOUTH = Source(org="youth-justice-service", nickname=0.08)
_PROBATION = Source(org="probation-service", nickname=0.03, capitals=0.9, middle=0.7)
POLICE, YOUTH, PROBATION, HOUSING = range(4)
INCIDENT, CONFERENCE, SANCTUARY = range(3)
_VICTIM, _SUSPECT, _OFFENDER, _WITNESS, _CHILD_PRESENT = range(5)


def trouble_route(people: People) -> Ints:
    """Return by which evidence each person with C1 is known, -1 for the others."""
    rng = stream(people.seed, "trouble_route")
    n = len(people)
    adult = pick(rng, n, (0.65, 0.0, 0.15, 0.20))
    minor = np.where(chance(rng, n, 0.4), YOUTH, POLICE)
    return np.where(people.has(C1), np.where(people.age < 18, minor, adult), -1)


def abuse_route(people: People) -> Ints:
    """Return by which evidence each person with C5 is known, -1 for the others."""
    rng = stream(people.seed, "abuse_route")
    adult = pick(rng, len(people), (0.7, 0.2, 0.1))
    return np.where(people.has(C5), np.where(people.age < 18, INCIDENT, adult), -1)


def police_incidents(people: People) -> Extract:
    """DS5: disorder, abuse in the home, other crime and missing children."""
    rng = stream(people.seed, "police_incidents")
    parts = [_disorder(people, rng), _abuse(people, rng), _background(people, rng)]
    who = np.concatenate([part["who"] for part in parts])
    columns = {
        name: np.concatenate([part[name] for part in parts])
        for name in ("family", "number", "role", "class", "child")
    }
    n = len(who)
    incident = pl.Series(columns["family"] * 16 + columns["number"])
    date = _by_incident(incident, EXTRACT_DAY - people.families.days_old[who], rng)
    offended = np.isin(columns["role"], (_SUSPECT, _OFFENDER))
    abuse, crime = columns["class"] == 1, columns["class"] == 2
    outcome = {"NFA": 5.0, "CAUTION": 2.0, "CR": 2.0, "CHARGE": 2.0, "CONVICTED": 1.0}
    offence = {"VAP": 3.0, "THEFT": 3.0, "DRUG": 1.0, "PUBORD": 2.0, "SEX": 0.2, "OTHER": 1.0}
    risk = pick_word(rng, n, {"STD": 6.0, "MED": 3.0, "HIGH": 1.0})
    rows = {
        "incident_ref": _reference(incident, people.seed),
        "nominal_role": words(
            ("VICTIM", "SUSPECT", "OFFENDER", "WITNESS", "CHILD_PRESENT"), columns["role"]
        ),
        "incident_date": days(date),
        "class": words(("ASB", "DA", "CRIME", "MISSING"), columns["class"]),
        "offence_group": only_where(crime, pick_word(rng, n, offence)),
        "outcome": only_where(offended, pick_word(rng, n, outcome)),
        "da_flag": yes_no(abuse),
        "child_present": yes_no(columns["child"] == 1),
        "risk": only_where(abuse, risk),
    }
    return compose(people, who, rows, dataset="police_incidents", source=_POLICE)


def _part(
    people: People, who: Ints, *, number: Ints, role: Ints, kind: int | Ints, child: Ints
) -> dict[str, Ints]:
    """Return rows of police incidents: person, family, number in it, role, class, child there."""
    return {
        "who": who,
        "family": people.families.family[who],
        "number": number,
        "role": role,
        "class": np.broadcast_to(np.asarray(kind, dtype=np.int64), len(who)),
        "child": child,
    }


def _disorder(people: People, rng: np.random.Generator) -> dict[str, Ints]:
    who = np.repeat(np.flatnonzero(trouble_route(people) == POLICE), 2)
    who = who[chance(rng, len(who), 0.75) | (np.arange(len(who)) % 2 == 0)]
    role = np.where(chance(rng, len(who), 0.5), _SUSPECT, _OFFENDER)
    nothing = np.zeros(len(who), dtype=np.int64)
    return _part(people, who, number=whole(rng, len(who), 8, 11), role=role, kind=0, child=nothing)


def _abuse(people: People, rng: np.random.Generator) -> dict[str, Ints]:
    """Two incidents or more for each family: its people come again in each of them."""
    known = np.flatnonzero(abuse_route(people) == INCIDENT)
    family = people.families.family
    number_of = 2 + pick(rng, int(family[-1]) + 1, (5, 3, 1))
    child_seen = np.zeros(len(number_of), dtype=np.int64)
    child_seen[family[known[people.age[known] < 18]]] = 1
    times = number_of[family[known]]
    who = np.repeat(known, times)
    number = np.arange(len(who)) - np.repeat(np.cumsum(times) - times, times)
    male = people.families.sex[who] == 1
    grown = np.where(male & chance(rng, len(who), 0.8), _SUSPECT, _VICTIM)
    role = np.where(people.age[who] < 18, _CHILD_PRESENT, grown)
    return _part(people, who, number=number, role=role, kind=1, child=child_seen[family[who]])


def _background(people: People, rng: np.random.Generator) -> dict[str, Ints]:
    """Victims and witnesses of disorder and crime, offenders of crime: nothing that counts."""
    who = np.flatnonzero((people.age >= 10) & chance(rng, len(people), 0.03))
    n = len(who)
    kind = np.where(people.age[who] < 18, 3, pick(rng, n, (0.3, 0.0, 0.7)))
    bystander = np.where(chance(rng, n, 0.7), _VICTIM, _WITNESS)
    role = np.where((kind == 2) & chance(rng, n, 0.4), _OFFENDER, bystander)
    return _part(
        people,
        who,
        number=whole(rng, n, 12, 15),
        role=role,
        kind=kind,
        child=np.zeros(n, dtype=np.int64),
    )


def _by_incident(incident: pl.Series, born: Ints, rng: np.random.Generator) -> Ints:
    """Return one date for each incident, the same on all rows, after all of them were born."""
    once, which = np.unique(incident.to_numpy(), return_inverse=True)
    date = EXTRACT_DAY - whole(rng, len(once), 5, 350)
    np.maximum.at(date, which, born + 1)
    return date[which]


def _reference(incident: pl.Series, seed: int) -> pl.Series:
    """Return references that a source would have hashed: 16 hex digits, one for each incident."""
    mixed = incident.cast(pl.UInt64).to_numpy() * np.uint64(0x9E3779B97F4A7C15)  # odd: one to one
    mixed ^= np.uint64((seed * 0x2545F491 + 0xD6E8FEB8) % 2**64)
    parts = pl.DataFrame({"h": mixed >> np.uint64(32), "l": mixed & np.uint64(0xFFFFFFFF)})
    text = parts.select(pl.format("{}{}", _hex("h"), _hex("l")))
    return text.to_series()


def _hex(column: str) -> pl.Expr:
    digits = [(pl.col(column) // 16**place % 16) for place in range(7, -1, -1)]
    letters = pl.lit(pl.Series(["0123456789abcdef"])).str.slice
    return pl.concat_str([letters(digit, 1) for digit in digits])


def _grown(people: People, rng: np.random.Generator, share: float) -> Flags:
    return (people.age >= 18) & (people.age < 75) & chance(rng, len(people), share)


def youth_justice(people: People) -> Extract:
    """DS6: proven offences of those with C1, unproven ones of a few others."""
    rng = stream(people.seed, "youth_justice")
    proven = trouble_route(people) == YOUTH
    young = (people.age >= 10) & (people.age < 18)
    others = young & ~people.has(C1) & chance(rng, len(people), 0.0006)
    who = np.flatnonzero(proven | others)
    n = len(who)
    offence = EXTRACT_DAY - whole(rng, n, 120, 330)
    # Older than 10 at the offence: those who turned 10 since had it after their birthday.
    offence = np.maximum(offence, EXTRACT_DAY - people.families.days_old[who] + 3653)
    decided = np.minimum(offence + whole(rng, n, 20, 110), EXTRACT_DAY)
    kind = pick_word(
        rng, n, {"CAUTION": 3.0, "YCC": 3.0, "RO": 4.0, "YRO": 2.0, "CUSTODY": 0.3, "YRD": 1.0}
    )
    columns = {
        "yot_id": "YOT" + people.frame["person_id"].gather(who).str.slice(1),
        "offence_date": days(offence),
        "outcome_date": days(decided),
        "outcome_type": kind,
        "proven": yes_no(proven[who]),
        "first_time_entrant": yes_no(chance(rng, n, 0.6)),
        "order_end": only_where(
            kind.is_in(["RO", "YRO"]).to_numpy(), days(decided + whole(rng, n, 90, 360))
        ),
    }
    return compose(people, who, columns, dataset="youth_justice", source=_YOUTH)


def probation_custody(people: People) -> Extract:
    """DS7: orders and releases; parents released in the year are those with C1."""
    rng = stream(people.seed, "probation_custody")
    released = trouble_route(people) == PROBATION
    others = ~people.has(C1) & _grown(people, rng, 0.004)
    who = np.flatnonzero(released | others)
    n = len(who)
    left = released[who]
    began = EXTRACT_DAY - whole(rng, n, 200, 700)
    release = EXTRACT_DAY - whole(rng, n, 10, 190)
    order = np.where(left, 2 + pick(rng, n, (3, 1)), pick(rng, n, (5, 3, 0, 2)))
    columns = {
        "pnc_id": pl.Series([None], dtype=pl.String).new_from_index(0, n),
        "order_type": words(("COMM", "SUSP", "LICENCE", "CUSTODY"), order),
        "start": days(began),
        "expected_end": days(EXTRACT_DAY + whole(rng, n, 20, 500)),
        "release_date": only_where(left, days(release)),
        "parenting_responsibility": words(
            ("N", "Y", "NK"), np.where(left, 1, 2 * chance(rng, n, 0.3))
        ),
    }
    return compose(people, who, columns, dataset="probation_custody", source=_PROBATION)
