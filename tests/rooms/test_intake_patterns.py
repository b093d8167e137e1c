"""Expressions made from closed forms accept exactly what they say."""

from __future__ import annotations

import datetime as dt
import re

from hypothesis import given
from hypothesis import strategies as st

from gateway.intake.patterns import codes_pattern, date_pattern, number_pattern, whole

FORMS = ("%Y-%m-%d", "%d/%m/%Y", "%Y%m%d", "%d.%m.%Y", "%d %b %Y", "%d-%b-%Y")


def test_every_real_day_from_1800_to_2199_is_accepted_in_every_form() -> None:
    for form in FORMS:
        accepts = re.compile(whole(date_pattern((form,))))
        day = dt.date(1799, 12, 1)
        while day < dt.date(2200, 2, 1):
            assert bool(accepts.match(day.strftime(form))) == (1800 <= day.year <= 2199)
            day += dt.timedelta(days=1 if day.month in (2, 3) else 9)


@given(st.integers(1800, 2199), st.integers(0, 13), st.integers(0, 32))
def test_a_day_that_does_not_exist_is_refused(year: int, month: int, day: int) -> None:
    try:
        real = dt.date(year, month, day) is not None
    except ValueError:
        real = False
    accepts = re.compile(whole(date_pattern(("%Y-%m-%d",))))
    assert bool(accepts.match(f"{year:04}-{month:02}-{day:02}")) == real


@given(st.integers(-5_000, 5_000), st.integers(0, 5_000), st.integers(-6_000, 12_000))
def test_a_number_is_accepted_within_its_bounds_only(low: int, span: int, number: int) -> None:
    accepts = re.compile(whole(number_pattern(decimals=0, minimum=low, maximum=low + span)))
    assert bool(accepts.match(str(number))) == (low <= number <= low + span)


@given(st.integers(0, 2_000), st.integers(0, 99))
def test_pence_count_at_the_upper_bound(pounds: int, pence: int) -> None:
    accepts = re.compile(whole(number_pattern(decimals=2, minimum=0, maximum=1_000)))
    assert bool(accepts.match(f"{pounds}.{pence:02}")) == (pounds * 100 + pence <= 100_000)


def test_leading_zeros_exponents_spaces_and_line_ends_are_no_numbers() -> None:
    accepts = re.compile(whole(number_pattern(decimals=2, minimum=None, maximum=None)))
    for text in ("007", "1e5", " 1", "1 ", "1\n", "+1", "1.", ".5", "1,5", "\u0661"):
        assert not accepts.match(text), text


def test_a_list_of_codes_has_no_stranger_and_no_empty_part() -> None:
    accepts = re.compile(whole(codes_pattern(("C1", "C2.a"))))
    assert accepts.match("C1;C2.a")
    for text in ("", "C1;", "C1;C3", "C2xa", "C1,C2.a"):
        assert not accepts.match(text), text
