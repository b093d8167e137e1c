"""Identifiers are well formed exactly when the published grammar and check digit say so."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import identity
from tests.oracle import pseudonyms as oracle


def answer(rule: pl.Expr, *texts: str | None) -> list[bool | None]:
    return pl.DataFrame({"x": pl.Series(texts, dtype=pl.String)}).select(rule).to_series().to_list()


@given(st.lists(st.integers(0, 10**10 - 1).map("{:010d}".format), min_size=1, max_size=60))
def test_random_numbers_are_judged_as_the_second_implementation_judges_them(
    numbers: list[str],
) -> None:
    wanted = [oracle.nhs(number, synthetic=True) is not None for number in numbers]
    assert answer(identity.nhs_number_valid("x", synthetic=True), *numbers) == wanted
    codes = ["H" + number + "12" for number in numbers]
    assert answer(identity.upn_valid("x"), *codes) == [oracle.upn(c) is not None for c in codes]


def test_the_ten_repeated_digit_numbers_pass_the_check_and_are_refused() -> None:
    numbers = [digit * 10 for digit in "0123456789"]
    for synthetic in (True, False):
        refused = answer(identity.nhs_number_valid("x", synthetic=synthetic), *numbers)
        assert refused == [False] * 10


def test_reserved_ranges_are_for_synthetic_people_only() -> None:
    nhs, nino = "9990000018", "QQ123456C"
    assert answer(identity.nhs_number_valid("x", synthetic=True), nhs) == [True]
    assert answer(identity.nhs_number_valid("x", synthetic=False), nhs) == [False]
    assert answer(identity.nino_valid("x", synthetic=True), nino) == [True]
    assert answer(identity.nino_valid("x", synthetic=False), nino) == [False]


def test_a_temporary_upn_is_refused_and_a_permanent_one_of_either_case_is_not() -> None:
    texts = ("H801200001001", "h801200001001", "H80120000100A", "A801200001001", "H80120000100")
    assert answer(identity.upn_valid("x"), *texts) == [True, True, False, False, False]


def test_administrative_and_unused_nino_prefixes_are_refused() -> None:
    prefixes = ("OO", "CR", "FY", "MW", "NC", "BG", "GB", "KN", "NK", "NT", "TN", "ZZ", "DA", "AO")
    texts = [f"{prefix}123456A" for prefix in prefixes]
    assert answer(identity.nino_valid("x", synthetic=True), *texts) == [False] * len(texts)
    fine = ("AB123456A", "ab 12 34 56", "AB-12-34-56-D")
    assert answer(identity.nino_valid("x", synthetic=False), *fine) == [True] * 3


def test_the_postcode_of_n1p_is_real_and_zz99_says_not_known() -> None:
    texts = ("N1P 3AA", "m334dx", "EC1A 1BB", "GIR 0AA", "ZZ99 3VZ", "QA1 1AA", "M1 1CA", "BFPO 1")
    wanted = [True, True, True, True, False, False, False, False]
    assert answer(identity.postcode_valid("x"), *texts) == wanted
    unknown = answer(identity.postcode_not_known("x"), "zz99 3vz", "ZZ993VZ", "ZA1 1AA", None)
    assert unknown == [True, True, False, None]


def test_a_uprn_has_at_most_twelve_digits_after_leading_zeros() -> None:
    texts = ("1", "000000000000012", "0", "1234567890123", "12.0", " 7 ", "")
    wanted = [True, True, False, False, False, True, False]
    assert answer(identity.uprn_valid("x"), *texts) == wanted


@pytest.mark.parametrize(
    "rule",
    [
        identity.nhs_number_valid(pl.col("x"), synthetic=True),
        identity.nino_valid(pl.col("x"), synthetic=True),
        identity.upn_valid(pl.col("x")),
        identity.uprn_valid(pl.col("x")),
        identity.postcode_valid(pl.col("x")),
    ],
    ids=["nhs", "nino", "upn", "uprn", "postcode"],
)
def test_a_missing_text_is_neither_valid_nor_invalid(rule: pl.Expr) -> None:
    assert answer(rule, None, "nothing") == [None, False]
    assert answer(rule) == []
