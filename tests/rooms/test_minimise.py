"""Minimum necessary: each treatment gives what the policy page says, and nothing else passes."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import RefusedError
from gateway.minimise import coarser, treat, treated
from gateway.model import ColumnRule, FieldClass

DAY = dt.date(2026, 4, 1)


def rule(treatment: str, at: dt.date | str | None = None) -> ColumnRule:
    return ColumnRule(
        name="out",
        field="f",
        dataset="d",
        column="c",
        treat=treatment,
        clause="1",
        field_class=FieldClass.PLAIN,
        at=at,
    )


def apply(treatment: str, values: list, dtype=None) -> list:
    frame = pl.DataFrame({"in.d.c": pl.Series(values, dtype=dtype)})
    return frame.select(treat(pl.col("in.d.c"), treatment).alias("x"))["x"].to_list()


@pytest.mark.parametrize(
    ("treatment", "given_", "expected"),
    [
        ("keep", ["a", None], ["a", None]),
        ("year", [dt.date(2012, 2, 29), None], ["2012", None]),
        ("month", [dt.date(2012, 2, 29), None], ["2012-02", None]),
        ("quarter", [dt.date(2012, 2, 29), dt.date(2012, 12, 31)], ["2012-Q1", "2012-Q4"]),
        ("week-of-birth", [dt.date(2021, 1, 3)], ["2020-W53"]),
        ("postcode-sector", ["za1 2bc", "ZB12 3CD", None], ["ZA12", "ZB123", None]),
        ("postcode-district", ["za1 2bc", "ZB123CD"], ["ZA1", "ZB12"]),
        ("postcode-area", ["za1 2bc", "Z1 2AB"], ["ZA", "Z"]),
        ("flag", ["x", None], ["Y", "N"]),
        ("threshold:3", [2, 3, None], ["N", "Y", None]),
        (
            "band:10,20,30",
            [9, 10, 19, 29, 30, None],
            ["<10", "10-19", "10-19", "20-29", "30+", None],
        ),
        ("top-code:5", [4, 5, 6, None], ["4", "5+", "5+", None]),
        ("round:10", [14, 16, -4, None], [10, 20, 0, None]),
    ],
)
def test_each_treatment_gives_what_the_policy_page_says(treatment, given_, expected):
    assert apply(treatment, given_) == expected


def test_a_person_turns_a_year_older_on_the_birthday_and_not_before():
    born = [
        dt.date(2010, 4, 1),
        dt.date(2010, 4, 2),
        dt.date(2012, 2, 29),
        dt.date(2027, 1, 1),
        None,
    ]
    frame = pl.DataFrame({"in.d.c": born})
    assert frame.select(treated(rule("age", DAY)).alias("x"))["x"].to_list() == [
        16,
        15,
        14,
        None,
        None,
    ]


def test_an_age_may_be_taken_at_a_date_column_of_the_spine():
    frame = pl.DataFrame(
        {
            "in.d.c": [dt.date(2000, 6, 1)] * 2,
            "in.d.started": [dt.date(2010, 5, 31), dt.date(2010, 6, 1)],
        }
    )
    assert frame.select(treated(rule("age", "started")).alias("x"))["x"].to_list() == [9, 10]


@given(st.integers(0, 120))
def test_age_bands_hold_the_age_and_the_oldest_share_one(years):
    frame = pl.DataFrame({"in.d.c": [dt.date(2026 - years, 4, 1)]})
    five = frame.select(treated(rule("age-band-5", DAY)).alias("x"))["x"][0]
    ten = frame.select(treated(rule("age-band-10", DAY)).alias("x"))["x"][0]
    if years >= 90:
        assert five == ten == "90+"
    else:
        low, high = map(int, five.split("-"))
        assert low <= years <= high
        assert high - low == 4
        assert pl.select(coarser(pl.lit(five), "age-band-5", "age-band-10")).item() == ten


@pytest.mark.parametrize(
    ("present", "wanted", "value", "expected"),
    [
        ("postcode-sector", "postcode-district", "ZA12", "ZA1"),
        ("postcode-district", "postcode-area", "ZA1", "ZA"),
        ("month", "quarter", "2012-11", "2012-Q4"),
        ("quarter", "year", "2012-Q4", "2012"),
        ("month", "year", "2012-11", "2012"),
        ("age", "age-band-5", 17, "15-19"),
        ("year", "year", "2012", "2012"),
    ],
)
def test_a_treated_column_can_be_coarsened_further(present, wanted, value, expected):
    assert pl.select(coarser(pl.lit(value), present, wanted)).item() == expected


@pytest.mark.parametrize(
    ("present", "wanted"), [("year", "month"), ("keep", "year"), ("month", "age")]
)
def test_a_column_is_never_made_finer(present, wanted):
    with pytest.raises(RefusedError, match="minimise/not-coarser"):
        coarser(pl.col("x"), present, wanted)


@pytest.mark.parametrize("treatment", ["kept", "threshold", "keep:3", "band", ""])
def test_an_unknown_treatment_is_refused(treatment):
    with pytest.raises(RefusedError, match="minimise/unknown-treatment"):
        treat(pl.col("x"), treatment)
