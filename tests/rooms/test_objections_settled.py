"""What a person settled about a doubtful pair holds for that pair, and for nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl
import pytest

from gateway.model import Participation
from gateway.objections import (
    SETTLED_SCHEMA,
    Register,
    honour,
    in_force,
    match_id,
    references,
    resolution_of,
)
from gateway.objections.entries import ENTRY_SCHEMA
from tests.rooms.objection_people import a_cohort, elements, register_of

MATCHING = bytes(range(100, 132))
ANNA = {
    "fn1": "ANNA",
    "fnx": "ANNA",
    "nick": "ANN",
    "sn1": "TESTERSON",
    "snx": "TESTERSON",
    "dob": "2001-02-03",
    "sex": "2",
    "pc": "ZA11AA",
}
HANNA = ANNA | {"fn1": "HANNA", "fnx": "HANNA", "nick": "HANNA"}
JOANNA = ANNA | {"fn1": "JOANNA", "fnx": "JOANNA", "nick": "JO"}


def settled(register: Register, person: Mapping[str, str], *, entry: int, same: bool) -> Register:
    """The register after somebody settled one pair, as the person of the cohort stands now."""
    row = elements([person], prefix="std.")
    pair = (entry, references(row, MATCHING)[0], same)
    told = pl.DataFrame([pair], schema=dict(SETTLED_SCHEMA), orient="row")
    return replace(register, settled=pl.concat([register.settled, told]))


def register(*entries: tuple[str, Mapping[str, str]]) -> Register:
    return replace(register_of(*entries), matching=MATCHING)


def counts(people: list[Mapping[str, str]], held: Register) -> dict[str, int]:
    willing = honour(a_cohort(people, families=[None] * len(people)), held)
    return {reason: count for reason, count in willing.counts.items() if count}


def test_a_pair_told_apart_no_longer_withholds() -> None:
    held = register(("objection", HANNA))
    assert counts([ANNA], held) == {"doubtful-match": 1}
    assert counts([ANNA], settled(held, ANNA, entry=1, same=False)) == {}


def test_a_pair_settled_as_one_person_is_certain() -> None:
    held = settled(register(("objection", HANNA)), ANNA, entry=1, same=True)
    assert counts([ANNA], held) == {"objected": 1}


@pytest.mark.parametrize("changed", [{"pc": "ZB22BB"}, {"nhs": "9990000018"}, {"sn1": "TESTERSEN"}])
def test_a_settlement_ends_when_the_details_have_changed(changed: dict[str, str]) -> None:
    held = settled(register(("objection", HANNA)), ANNA, entry=1, same=False)
    assert counts([ANNA | changed], held) == {"doubtful-match": 1}


def test_what_was_settled_of_one_entry_says_nothing_of_another() -> None:
    held = settled(register(("objection", HANNA), ("objection", JOANNA)), ANNA, entry=1, same=False)
    resolution = resolution_of(a_cohort([ANNA], families=[None]), held)
    assert resolution.doubtful["sequence"].to_list() == [2]
    assert counts([ANNA], held) == {"doubtful-match": 1}


def test_stronger_evidence_of_a_settled_pair_does_not_hide_weaker_of_another() -> None:
    twins = [ANNA, ANNA | {"hn": "9"}]
    held = register(("objection", ANNA), ("opt-out", HANNA))
    both = held
    for number, person in enumerate(twins):
        row = elements([person], prefix="std.").with_columns(person=pl.lit(f"p{number}"))
        pair = (1, references(row, MATCHING)[0], False)
        told = pl.DataFrame([pair], schema=dict(SETTLED_SCHEMA), orient="row")
        both = replace(both, settled=pl.concat([both.settled, told]))
    assert counts(twins, held) == {"doubtful-match": 2}
    resolution = resolution_of(a_cohort(twins, families=[None] * 2), both)
    assert set(resolution.doubtful["sequence"]) == {2}
    assert counts(twins, both) == {"doubtful-match": 2}


def test_a_likeness_that_was_settled_does_not_hide_another_that_is_found_later() -> None:
    """Both entries are found by likeness alone, the first by its birth date and surname."""
    bare = ("pc", "sex")
    other = {name: value for name, value in HANNA.items() if name not in bare}
    own = {name: value for name, value in ANNA.items() if name not in bare} | {"dob": "2001-02-17"}
    held = register(("objection", other), ("opt-out", own))
    resolution = resolution_of(a_cohort([ANNA], families=[None]), held)
    assert resolution.doubtful["sequence"].to_list() == [1]
    told_apart = settled(held, ANNA, entry=1, same=False)
    resolution = resolution_of(a_cohort([ANNA], families=[None]), told_apart)
    assert resolution.doubtful["sequence"].to_list() == [2]
    assert counts([ANNA], told_apart) == {"doubtful-match": 1}
    assert counts([ANNA], settled(told_apart, ANNA, entry=2, same=False)) == {}


def test_a_reference_says_nothing_without_the_key_and_tells_people_apart() -> None:
    row = elements([ANNA], prefix="std.")
    ours, theirs = references(row, MATCHING)[0], references(row, bytes(32))[0]
    assert ours != theirs
    other = row.with_columns(person=pl.lit("p7"))
    assert references(other, MATCHING)[0] != ours
    names = {match_id("council", n, match=ours, key=MATCHING) for n in (1, 2)}
    assert len(names) == 2
    assert match_id("council", 1, match=ours, key=bytes(32)) not in names


def entries_of(*rows: tuple[int, str, str, str, list[int]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict(ENTRY_SCHEMA), orient="row")


def test_the_newest_answer_counts_and_only_for_its_purpose() -> None:
    entries = entries_of(
        (1, "objection", "*", "unanswered", []),
        (2, "answered", "study", "not-upheld", [1]),
    )
    assert in_force(entries, purpose="study").height == 0
    assert in_force(entries, purpose="other")["sequence"].to_list() == [1]
    again = pl.concat([entries, entries_of((3, "answered", "study", "upheld", [1]))])
    assert in_force(again, purpose="study")["sequence"].to_list() == [1]


def test_an_answer_does_not_count_backwards_or_where_nobody_may_be_refused() -> None:
    entries = entries_of(
        (1, "answered", "study", "not-upheld", [2]),
        (2, "objection", "study", "unanswered", []),
        (3, "answered", "study", "not-upheld", [2]),
    )
    assert in_force(entries.head(2), purpose="study")["sequence"].to_list() == [2]
    assert in_force(entries, purpose="study").height == 0
    for rule in (Participation.OPT_OUT, Participation.CONSENT):
        assert in_force(entries, purpose="study", participation=rule)["sequence"].to_list() == [2]
