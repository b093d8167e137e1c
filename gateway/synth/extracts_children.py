"""What schools, children's services and careers services send.

C2 is written as attendance, exclusion, provision or a place off roll; C3 as an
open episode, missing episodes or repeated requests; C4 of 16 to 18 as NEET.
A child without the criterion stays clear of each threshold.

Source: domain research 11.1 DS1-DS4, 11.2 C2-C4; CIN census codes.
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
from gateway.synth.families import CHILD, EXTRACT_DAY, PARENT
from gateway.synth.homes import NOWHERE
from gateway.synth.lives import C2, C3, C4, C6
from gateway.synth.people import People
from gateway.synth.sources import Source

_TERMS = ("AUT", "SPR", "SUM")
_SCHOOLS = Source(org="trafford-schools", nickname=0.01, old_address=0.2, middle=0.8)
_CARE = Source(org="trafford-council", nickname=0.04, untidy=0.02)
_EARLY = Source(org="trafford-council", nickname=0.08, untidy=0.03, old_address=0.4)
_CAREERS = Source(org="trafford-council", nickname=0.06, capitals=0.05)
_FACTORS_HARMLESS = ("3A", "3B", "5A", "6A", "10A", "12A", "13A", "16A", "21")
_FACTORS_HEALTH = ("1A", "1B", "2A", "2B", "4A", "4B")
CARE_OPEN, CARE_MISSING, CARE_REQUESTS = range(3)


def school_attendance(people: People) -> Extract:
    """DS1: one row for each pupil of 5 to 16 and term of the last school year."""
    rng = stream(people.seed, "school_attendance")
    pupils = np.flatnonzero((people.age >= 5) & (people.age <= 16))
    trouble = np.where(people.has(C2)[pupils], 1 + pick(rng, len(pupils), (70, 10, 4, 10, 6)), 0)
    who, trouble = np.repeat(pupils, 3), np.repeat(trouble, 3)
    rows, term = len(who), np.tile(np.arange(3), len(pupils))
    provision = np.where(trouble == 4, 1 + pick(rng, rows, (5, 4, 1)), 0)
    off_roll = (trouble == 5) & (term == 2)
    columns = {
        "school_urn": pl.Series(people.school[who] + 100_000).cast(pl.String),
        "term": words(_TERMS, term),
        "academic_year": words(("2025/26",), np.zeros(rows, dtype=np.int64)),
        **_sessions(trouble, term, rng),
        "on_roll": yes_no(~off_roll),
        "provision": words(("MAIN", "PRU", "AP", "CME"), provision),
        "leave_date": only_where(off_roll, days(EXTRACT_DAY - whole(rng, rows, 90, 150))),
        "former_upn": _nothing(rows),
    }
    extract = compose(
        people,
        who,
        columns,
        dataset="school_attendance",
        source=_SCHOOLS,
        numbers=("upn",),
    )
    unknown = extract.frame["upn"].is_null().to_numpy()
    reason = only_where(unknown, pick_word(rng, rows, {f"UN{i}": 1.0 for i in range(1, 8)}))
    frame = extract.frame.with_columns(reason.alias("upn_unknown"))
    return Extract(dataset=extract.dataset, frame=frame, who=extract.who)


def _sessions(trouble: Ints, term: Ints, rng: np.random.Generator) -> dict[str, pl.Series]:
    """Return absence and exclusion: above a tenth away only for those with attendance trouble."""
    rows = len(trouble)
    possible = whole(rng, rows, 110, 140)
    share = np.where(trouble == 1, rng.uniform(0.13, 0.45, rows), rng.uniform(0, 0.07, rows))
    authorised = np.floor(possible * share * rng.uniform(0.2, 0.8, rows)).astype(np.int64)
    unauthorised = np.floor(possible * share).astype(np.int64) - authorised
    expelled = (trouble == 3) & (term == 2)
    exclusions = np.where(trouble == 2, whole(rng, rows, 1, 3), expelled.astype(np.int64))
    return {
        "possible_sessions": pl.Series(possible),
        "authorised": pl.Series(authorised),
        "unauthorised": pl.Series(unauthorised),
        "late_u": pl.Series(np.minimum(unauthorised, whole(rng, rows, 0, 6))),
        "fixed_exclusions": pl.Series(exclusions),
        "excl_sessions": pl.Series(exclusions * 3),
        "permanent_exclusion": yes_no(expelled),
    }


def _nothing(n: int) -> pl.Series:
    return pl.Series([None], dtype=pl.String).new_from_index(0, n)


def _care_routes(people: People) -> Ints:
    """Return by which evidence each child with C3 is known."""
    rng = stream(people.seed, "care_routes")
    return pick(rng, len(people), (0.8, 0.1, 0.1))


def childrens_social_care(people: People) -> Extract:
    """DS2: one row for each episode; open ones of children in need, closed ones of others."""
    rng = stream(people.seed, "childrens_social_care")
    child = people.age < 18
    route = _care_routes(people)
    known = people.has(C3) & child & (route != CARE_REQUESTS)
    others = child & ~people.has(C3) & chance(rng, len(people), 0.006)
    who = np.flatnonzero(known | others)
    n = len(who)
    is_open = people.has(C3)[who] & (route[who] == CARE_OPEN)
    absconds = people.has(C3)[who] & (route[who] == CARE_MISSING)
    status = np.where(is_open, pick(rng, n, (0.62, 0.12, 0.14, 0.12)), 4 + pick(rng, n, (1, 3)))
    columns = {
        "la_child_id": "LAC" + people.frame["person_id"].gather(who).str.slice(1),
        **_episode(status, rng),
        "prev_cpp": pl.Series(pick(rng, n, (0.8, 0.15, 0.05))),
        "factors": _factors(people, who, rng),
        "missing_episodes_12m": pl.Series(np.where(absconds, whole(rng, n, 2, 6), 0)),
    }
    return compose(
        people,
        who,
        columns,
        dataset="childrens_social_care",
        source=_CARE,
        numbers=("upn", "nhs_number"),
    )


def _episode(status: Ints, rng: np.random.Generator) -> dict[str, pl.Series]:
    """Return referral, status, and what belongs to that status only."""
    n = len(status)
    referred = EXTRACT_DAY - whole(rng, n, 100, 360)
    started = referred + whole(rng, n, 1, 45)
    sources = {"1A": 2.0, "2B": 1.0, "3A": 2.0, "5A": 1.0, "6": 3.0, "7": 1.0, "10": 1.0}
    abuse = {"NEG": 5.0, "PHY": 1.0, "SAB": 0.5, "EMO": 4.0, "MUL": 0.4}
    orders = {"S20": 4.0, "S31": 4.0, "SGO": 1.0, "KIN": 1.0}
    reasons = {f"RC{i}": 1.0 for i in range(1, 10)}
    return {
        "referral_date": days(referred),
        "referral_source": pick_word(rng, n, sources),
        "primary_need": pick_word(rng, n, {f"N{i}": 6.0 if i == 1 else 1.0 for i in range(1, 9)}),
        "status": words(("CIN", "S47", "CPP", "CLA", "REF", "CLOSED"), status),
        "status_start": days(started),
        "status_end": only_where(status == 5, days(started + whole(rng, n, 10, 50))),
        "abuse_category": only_where(np.isin(status, (1, 2)), pick_word(rng, n, abuse)),
        "legal_order": only_where(status == 3, pick_word(rng, n, orders)),
        "closure_reason": only_where(status == 5, pick_word(rng, n, reasons)),
    }


def _factors(people: People, who: Ints, rng: np.random.Generator) -> pl.Series:
    """Return assessment factors; drink, drugs and mental health only of children with C6."""
    n = len(who)
    plain = words(_FACTORS_HARMLESS, whole(rng, n, 0, len(_FACTORS_HARMLESS) - 1))
    health = words(_FACTORS_HEALTH, whole(rng, n, 0, len(_FACTORS_HEALTH) - 1))
    return (health + ";" + plain).zip_with(pl.Series(people.has(C6)[who]), plain)


def early_help(people: People) -> Extract:
    """DS3: most families of the register, and some children with repeated requests."""
    rng = stream(people.seed, "early_help")
    asked = people.has(C3) & (people.age < 18) & (_care_routes(people) == CARE_REQUESTS)
    family = people.families.family
    seen = chance(rng, int(family[-1]) + 1, 0.6)[family] & people.in_register
    others = chance(rng, int(family[-1]) + 1, 0.004)[family]
    once = np.flatnonzero(asked | seen | others)
    # A child of two households is in the episodes of both.
    twice = once[people.homes.second_family[once] != NOWHERE]
    who = np.concatenate([once, twice])
    n = len(who)
    where = np.concatenate([family[once], people.homes.second_family[twice]])
    first = np.full(int(family[-1]) + 1, -1, dtype=np.int64)
    starts = people.families.starts
    first[family[starts]] = starts
    began = EXTRACT_DAY - whole(rng, n, 60, 400)
    over = chance(rng, n, 0.4)
    relation = people.families.relation[who]
    role = np.select([relation == PARENT, relation == CHILD], [0, 1], 2 + pick(rng, n, (1, 1)))
    columns = {
        "eh_episode_id": "EH" + pl.Series(np.arange(1, n + 1)).cast(pl.String).str.zfill(8),
        "family_id": people.frame["family_id"].gather(first[where]),
        "role": words(("PARENT", "CHILD", "CARER", "OTHER"), role),
        "start": days(began),
        "end": only_where(over, days(np.minimum(began + whole(rng, n, 20, 300), EXTRACT_DAY))),
        "reason": pick_word(rng, n, {"PARENTING": 4.0, "EDUCATION": 3.0, "HOUSING": 2.0}),
        "end_reason": only_where(
            over,
            pick_word(rng, n, {"OUTCOMES_MET": 5.0, "STEP_UP": 1.0, "NFA": 2.0, "DISENGAGED": 2.0}),
        ),
        "organisation": pick_word(rng, n, {"Family Hub North": 1.0, "Family Hub South": 1.0}),
        "lead_practitioner_role": pick_word(rng, n, {"FAMILY_WORKER": 4.0, "SCHOOL_NURSE": 1.0}),
        "requests_for_service_12m": pl.Series(
            np.where(asked[who], whole(rng, n, 2, 4), whole(rng, n, 0, 1))
        ),
    }
    return compose(people, who, columns, dataset="early_help", source=_EARLY)


def neet_ccis(people: People) -> Extract:
    """DS4: everybody of 16 to 18; those with C4 are not in education, work or training."""
    rng = stream(people.seed, "neet_ccis")
    who = np.flatnonzero((people.age >= 16) & (people.age <= 18))
    n = len(who)
    neet = people.has(C4)[who]
    risky = neet & chance(rng, n, 0.2)
    out = neet & ~risky
    activity = np.where(out, 5 + pick(rng, n, (5, 2, 1)), pick(rng, n, (55, 25, 10, 8, 2)))
    since = EXTRACT_DAY - whole(rng, n, 30, 300)
    columns = {
        "yp_id": "YP" + people.frame["person_id"].gather(who).str.slice(1),
        "activity_code": words(
            (
                "EET:SCHOOL",
                "EET:COLLEGE",
                "EET:APPRENTICE",
                "EET:WORK",
                "NK",
                "NEET:AVAILABLE",
                "NEET:ILL",
                "NEET:CARER",
            ),
            activity,
        ),
        "activity_start": days(since),
        "neet_since": only_where(out, days(since)),
        "risk_of_neet": words(
            ("N", "L", "M", "H"), np.where(risky, 3, pick(rng, n, (0.7, 0.2, 0.1)))
        ),
        "intended_destination": pick_word(rng, n, {"SCHOOL": 4.0, "COLLEGE": 4.0, "WORK": 1.0}),
        "last_contact": days(EXTRACT_DAY - whole(rng, n, 1, 60)),
    }
    return compose(people, who, columns, dataset="neet_ccis", source=_CAREERS, numbers=("upn",))
