"""What the benefits office, landlords, health and abuse services send.

C4 of adults is a benefit or a landlord's notice, C5 of some a conference or a
sanctuary scheme, C6 a health fact. Others' rows stay clear of each threshold.

Source: domain research 11.1 DS8-DS11, 11.2 C1, C4-C6.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from gateway.synth.draw import (
    Flags,
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
from gateway.synth.extracts_justice import (
    CONFERENCE,
    HOUSING,
    SANCTUARY,
    abuse_route,
    trouble_route,
)
from gateway.synth.families import EXTRACT_DAY
from gateway.synth.lives import C4, C6
from gateway.synth.people import People
from gateway.synth.sources import Source

_BENEFITS = Source(org="dwp", nickname=0.01, capitals=0.3, middle=0.9, uprn=0.0)
_LANDLORD = Source(org="trafford-housing-trust", nickname=0.06, untidy=0.03, old_address=0.05)
_HEALTH = Source(org="nhs-trusts", nickname=0.01, old_address=0.4, middle=0.7, uprn=0.3)
_SUPPORT = Source(org="domestic-abuse-services", nickname=0.10, untidy=0.02, old_name=0.4)
_PENSION_AGE = 66


def _works(people: People) -> Flags:
    return (people.age >= 19) & (people.age < _PENSION_AGE)


def _poor_by_rent(people: People) -> Flags:
    """Return adults whose C4 is told by the landlord, not by a benefit."""
    rng = stream(people.seed, "hardship_route")
    rent = chance(rng, len(people), 0.35) | ~_works(people)
    return people.has(C4) & (people.age >= 19) & rent


def dwp_out_of_work(people: People) -> Extract:
    """DS8: the answer about the register's adults and a share of all others."""
    rng = stream(people.seed, "dwp_out_of_work")
    on = people.has(C4) & _works(people) & ~_poor_by_rent(people)
    asked = _works(people) & (people.in_register | chance(rng, len(people), 0.08))
    who = np.flatnonzero(on | asked)
    n, claims = len(who), on[who]
    kinds = {"JSA": 1.0, "ESA": 2.0, "IS": 1.0, "UC_NOWORK": 6.0, "UC_PREP": 2.0}
    began = EXTRACT_DAY - whole(rng, n, 60, 1500)
    stopped = ~claims & chance(rng, n, 0.2)
    ended = np.minimum(began + whole(rng, n, 30, 400), EXTRACT_DAY - 14)
    weeks = (EXTRACT_DAY - ended) // 7
    none = words(("NONE",), np.zeros(n, dtype=np.int64))
    columns = {
        "on_oow": yes_no(claims),
        "benefit_class": pick_word(rng, n, kinds).zip_with(pl.Series(claims), none),
        "start": only_where(claims | stopped, days(began)),
        "end": only_where(stopped, days(ended)),
        "weeks_off": only_where(stopped, pl.Series(weeks)),
        "match_grade": pick_word(rng, n, {"A": 0.85, "B": 0.12, "C": 0.03}),
    }
    return compose(
        people, who, columns, dataset="dwp_out_of_work", source=_BENEFITS, numbers=("nino",)
    )


def housing(people: People) -> Extract:
    """DS9: everybody of about a quarter of the tenancies."""
    rng = stream(people.seed, "housing")
    family = people.families.family
    perpetrator = trouble_route(people) == HOUSING
    owing = _poor_by_rent(people)
    guarded = abuse_route(people) == SANCTUARY
    rents = chance(rng, int(family[-1]) + 1, 0.22)
    rents[family[perpetrator | owing | guarded]] = True
    who = np.flatnonzero(rents[family])
    n, owes = len(who), owing[who]
    by_notice = owes & chance(rng, n, 0.6)
    late = np.where(owes & ~by_notice, whole(rng, n, 8, 40), whole(rng, n, 0, 5))
    notice = np.where(by_notice, 1 + pick(rng, n, (5, 3, 2, 1)), 0)
    cost = np.minimum(late * rng.uniform(60, 160, n), 19_999.0).round(2)
    bad, victim = perpetrator[who], chance(rng, n, 0.01) & ~perpetrator[who]
    household = np.bincount(family)
    columns = {
        "tenancy_ref": "TEN" + people.frame["family_id"].gather(who).str.slice(1),
        "tenure": pick_word(rng, len(rents), {"SOCIAL": 6.0, "PRIVATE": 3.0, "TEMP": 0.5}).gather(
            family[who]
        ),
        "arrears_gbp": pl.Series(cost),
        "arrears_weeks": pl.Series(late),
        "notice": words(("NONE", "NSP", "COURT", "SUSP_PO", "EVICT"), notice),
        "asb_cases_12m": pl.Series(np.where(bad | victim, whole(rng, n, 1, 4), 0)),
        "asb_open": yes_no((bad | victim) & chance(rng, n, 0.5)),
        "asb_role": only_where(bad | victim, words(("VICTIM", "PERP"), bad.astype(np.int64))),
        "sanctuary_scheme": yes_no(guarded[who]),
        "household_size": pl.Series(household[family[who]].clip(1, 12)),
    }
    return compose(people, who, columns, dataset="housing", source=_LANDLORD)


def health(people: People) -> Extract:
    """DS10: people with a health fact, and others seen for something else."""
    rng = stream(people.seed, "health")
    burdened = people.has(C6)
    who = np.flatnonzero(burdened | chance(rng, len(people), 0.08))
    n, age, has = len(who), people.age[who], burdened[who]
    grown = age >= 18
    fertile = (people.families.sex[who] == 2) & (age >= 17) & (age < 46)
    route = pick(rng, n, (0.6, 0.3, 0.1))
    mother = has & fertile & (route == 2)
    drinks = has & ~mother & (route == 1) & (age >= 14)
    mental = has & ~mother & ~drinks
    substance = np.where(drinks, 1 + pick(rng, n, (5, 3, 2)), 0)
    adult_mind = np.where(mental & grown, 2 + pick(rng, n, (7, 3)), chance(rng, n, 0.05) & grown)
    child_mind = np.where(mental & ~grown, 1 + pick(rng, n, (4, 3, 3)), 0)
    none = pl.Series([None], dtype=pl.String).new_from_index(0, n)
    columns = {
        "hv_flag": yes_no((age < 5) & chance(rng, n, 0.7)),
        "mh_adult": words(
            ("NONE", "REFERRED", "IN_TREATMENT", "UNMET"), adult_mind.astype(np.int64)
        ),
        "mh_child": words(("NONE", "SCHOOL", "CAMHS_REF", "CAMHS"), child_mind),
        "substance": words(("NONE", "ALC", "DRUG", "BOTH"), substance),
        "treatment": words(
            ("NONE", "STRUCTURED", "COMPLETED", "DROPPED"),
            np.where(drinks, pick(rng, n, (3, 4, 2, 2)), 0),
        ),
        "perinatal": yes_no(mother),
        "gp_registered": yes_no(chance(rng, n, 0.97)),
        "dental_access": yes_no(chance(rng, n, 0.7)),
        "imms_up_to_date": pick_word(rng, n, {"Y": 0.86, "N": 0.06, "NK": 0.08}),
        "ndo_status_check_ref": none,
    }
    return compose(people, who, columns, dataset="health", source=_HEALTH, numbers=("nhs_number",))


def domestic_abuse_services(people: People) -> Extract:
    """DS11: conference cases of adults with C5, and people who were only advised."""
    rng = stream(people.seed, "domestic_abuse_services")
    route = abuse_route(people)
    conference = route == CONFERENCE
    others = (route >= 0) & ~conference & chance(rng, len(people), 0.2)
    who = np.flatnonzero(conference | others)
    n, case, grown = len(who), conference[who], people.age[who] >= 18
    male = people.families.sex[who] == 1
    role = np.where(~grown, 2, male & chance(rng, n, 0.8))
    columns = {
        "marac_case": yes_no(case),
        "marac_date": only_where(case, days(EXTRACT_DAY - whole(rng, n, 5, 350))),
        "repeat": yes_no(case & chance(rng, n, 0.3)),
        "idva_support": yes_no((role == 0) & chance(rng, n, 0.6)),
        "role": words(("VICTIM", "PERP", "CHILD"), role.astype(np.int64)),
        "refuge": yes_no(people.lives.protected[who] & (role != 1)),
    }
    return compose(people, who, columns, dataset="domestic_abuse_services", source=_SUPPORT)
