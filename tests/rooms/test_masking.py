"""Masked people: nothing of an address and no former name leaves; a gap marks nobody."""

import polars as pl
import pytest

from gateway.minimise import Masking

NOBODY_DRAWN = 1 << 62


def masked(columns, **settings):
    frame = pl.DataFrame(columns)
    settings = {"seed": 1, "one_in": NOBODY_DRAWN} | settings
    return frame.select(Masking(**settings).masked(frame.columns).alias("m"))["m"].to_list()


PEOPLE = {"person": ["p1", "p2", "p3"], "spine.protected": ["Y", "N", None]}


def test_a_protected_person_is_masked():
    assert masked(PEOPLE) == [True, False, False]


def test_a_person_whom_another_register_protects_is_masked():
    assert masked(PEOPLE, protected=frozenset({"p2"})) == [True, True, False]


def test_people_at_listed_communal_postcodes_are_masked():
    columns = PEOPLE | {"std.pc": ["ZA11AA", None, "ZB22BB"]}
    assert masked(columns, communal=frozenset({"ZB22BB"})) == [True, False, True]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_about_one_in_fifty_others_is_drawn_the_same_whenever_it_is_the_same_controller(seed):
    columns = {"person": [f"p{n}" for n in range(20_000)], "spine.protected": [None] * 20_000}
    columns["spine.protected"] = pl.Series(columns["spine.protected"], dtype=pl.String)
    drawn = masked(columns, seed=seed, one_in=50)
    assert 280 <= sum(drawn) <= 520
    assert drawn == masked(columns, seed=seed, one_in=50)
    assert drawn != masked(columns, seed=seed + 10, one_in=50)
