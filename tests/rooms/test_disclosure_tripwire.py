"""An unusual release waits for a person; a steady one does not."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from gateway.disclosure import Footprint, alarms
from gateway.disclosure.tripwire import distance

LAST = Footprint(
    rows=9_000,
    received=10_000,
    columns={"age_band": "age-band-5", "district": "postcode-district", "sex": "keep"},
    empty={"age_band": 90, "district": 450, "sex": 0},
    categories={"sex": {"F": 4_600, "M": 4_400}, "district": {"ZA1": 5_000, "ZA2": 3_550}},
    withheld={"objected": 300, "household": 200, "small-group": 500},
)


def codes(now: Footprint) -> set[tuple[str, str]]:
    return {(alarm.code, alarm.subject) for alarm in alarms(LAST, now)}


def test_the_same_release_again_passes() -> None:
    assert alarms(LAST, LAST) == ()


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (replace(LAST, rows=6_000), ("tripwire/rows", "rows")),
        (replace(LAST, rows=12_000), ("tripwire/rows", "rows")),
        (replace(LAST, columns=LAST.columns | {"gp": "keep"}), ("tripwire/columns", "gp")),
        (
            replace(LAST, columns=LAST.columns | {"district": "postcode-sector"}),
            ("tripwire/columns", "district"),
        ),
        (
            replace(LAST, columns={"age_band": "age-band-5", "sex": "keep"}),
            ("tripwire/columns", "district"),
        ),
        (replace(LAST, empty=LAST.empty | {"district": 3_000}), ("tripwire/empty", "district")),
        (
            replace(LAST, categories=LAST.categories | {"sex": {"F": 7_500, "M": 1_500}}),
            ("tripwire/categories", "sex"),
        ),
        (
            replace(LAST, categories=LAST.categories | {"sex": {"F": 4_600, "M": 4_000, "1": 400}}),
            ("tripwire/value-new", "sex"),
        ),
        (
            replace(LAST, categories=LAST.categories | {"sex": {"F": 9_000}}),
            ("tripwire/value-gone", "sex"),
        ),
        (
            replace(LAST, withheld=LAST.withheld | {"small-group": 1_600}),
            ("tripwire/withheld", "small-group"),
        ),
        (replace(LAST, withheld={"small-group": 500}), ("tripwire/withheld", "objected")),
    ],
)
def test_each_unusual_change_is_named(now: Footprint, expected: tuple[str, str]) -> None:
    assert expected in codes(now)


def test_a_sentence_gives_shares_and_no_value_of_a_row() -> None:
    now = replace(LAST, categories=LAST.categories | {"sex": {"F": 4_600, "M": 4_000, "1": 400}})
    (found,) = [alarm for alarm in alarms(LAST, now) if alarm.code == "tripwire/value-new"]
    assert found.sentence == "1 value of sex is new."


def test_a_small_release_is_not_held_for_what_chance_explains() -> None:
    small = Footprint(
        rows=40,
        received=44,
        columns={"sex": "keep"},
        empty={"sex": 2},
        categories={"sex": {"F": 22, "M": 16}},
        withheld={"objected": 2, "small-group": 2},
    )
    next_month = replace(
        small,
        rows=46,
        received=50,
        empty={"sex": 0},
        categories={"sex": {"F": 21, "M": 25}},
        withheld={"objected": 3, "small-group": 1},
    )
    assert alarms(small, next_month) == ()


def test_a_year_of_steady_months_raises_no_alarm() -> None:
    random = np.random.default_rng(20_150_401)
    for families in (60, 600, 6_000):
        months = [_month(random, families) for _ in range(13)]
        found = [alarms(last, now) for last, now in itertools.pairwise(months)]
        assert not any(found), f"false alarms at {families} families"


def _month(random: np.random.Generator, families: int) -> Footprint:
    """One month of one population: about 3 % come and go, shares vary by chance."""
    received = int(random.normal(families, 0.03 * families))
    objected, small = random.binomial(received, [0.03, 0.04])
    rows = received - int(objected) - int(small)
    sex = random.multinomial(rows, [0.5, 0.48, 0.02])
    district = random.multinomial(rows, [0.3, 0.3, 0.2, 0.15, 0.05])
    return Footprint(
        rows=rows,
        received=received,
        columns={"sex": "keep", "district": "postcode-district"},
        empty={"sex": int(sex[2]), "district": int(random.binomial(rows, 0.05))},
        categories={
            "sex": {"F": int(sex[0]), "M": int(sex[1])},
            "district": {f"ZA{n}": int(count) for n, count in enumerate(district)},
        },
        withheld={"objected": int(objected), "small-group": int(small)},
    )


def test_distance_is_none_for_one_distribution_and_one_for_two_apart() -> None:
    assert distance({"a": 10, "b": 30}, {"a": 1, "b": 3}) == 0
    assert distance({"a": 10}, {"b": 3}) == 1
