"""The fast answer about identifiers is never another one than the expressions give."""

from __future__ import annotations

import datetime as dt
import re

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.identity import identifiers, sound
from gateway.intake.patterns import date_pattern

BOTH = pytest.mark.parametrize("synthetic", [True, False])
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def selected(texts: pl.Series, expression: pl.Expr) -> pl.Series:
    return texts.alias("text").to_frame().select(expression).to_series()


def shaped(pattern: str, *more: st.SearchStrategy[str]) -> st.SearchStrategy[list[str | None]]:
    one = st.one_of(st.none(), st.from_regex(pattern, fullmatch=True), st.text(max_size=14), *more)
    return st.lists(one, max_size=30)


def agree(kind: str, texts: list[str | None], valid: pl.Expr, *, synthetic: bool) -> None:
    column = pl.Series("text", texts, pl.String)
    answers = sound.soundness(column, kind, synthetic=synthetic)
    truth = selected(column, valid)
    for text, answer, really in zip(texts, answers, truth, strict=True):
        assert (text is None) == (answer == sound.MISSING)
        assert answer != sound.SOUND or really, text


@BOTH
@given(texts=shaped("[0-9]{10}|999[0-9]{7}|([0-9])\\1{9}"))
def test_an_nhs_number_that_is_vouched_for_is_valid(
    texts: list[str | None], synthetic: bool
) -> None:
    # Every number with one of eleven last digits right: so most draws meet a sound one.
    every = [
        text[:9] + last if text and re.fullmatch("[0-9]{10}", text) else text
        for text in texts
        for last in "0123456789"
    ]
    valid = identifiers.nhs_number_valid("text", synthetic=synthetic)
    agree("nhs_number", every, valid, synthetic=synthetic)


@given(texts=shaped("[A-Z][0-9]{12}|[a-z][0-9]{12}|[A-Z][0-9]{11}[A-Z]"))
def test_a_upn_that_is_vouched_for_is_valid(texts: list[str | None]) -> None:
    every = [
        letter + text[1:] if text and re.fullmatch("[A-Z][0-9]{12}", text) else text
        for text in texts
        for letter in LETTERS
    ]
    agree("upn", every, identifiers.upn_valid("text"), synthetic=False)


@BOTH
def test_every_prefix_and_suffix_of_a_nino_is_judged_as_by_the_expression(synthetic: bool) -> None:
    texts = [
        first + second + "123456" + suffix
        for first in LETTERS
        for second in LETTERS
        for suffix in ("", "A", "D", "E", "1")
    ]
    column = pl.Series("text", texts)
    vouched = pl.Series(
        sound.soundness(column, "nino", synthetic=synthetic) == sound.SOUND, dtype=pl.Boolean
    )
    truth = selected(column, identifiers.nino_valid("text", synthetic=synthetic))
    assert vouched.equals(truth) or sound.kernel is None
    assert not (vouched & ~truth).any()


@given(texts=shaped("[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}|[A-Z0-9 ]{4,9}"))
def test_a_postcode_that_is_vouched_for_is_valid(texts: list[str | None]) -> None:
    agree("postcode", texts, identifiers.postcode_valid("text"), synthetic=False)


def test_usual_spellings_are_vouched_for_so_that_nobody_waits() -> None:
    if sound.kernel is None:
        pytest.skip("built without a compiler")
    usual = {
        "nhs_number": ["9991234000", "9990000018"],
        "nino": ["QQ123456A", "QQ123456", "AB123456C"],
        "postcode": ["ZA7 2EU", "ZA72EU", "M1 1AA", "EC1A 1BB", "W1A 0AX", "CR2 6XH", "DN55 1PT"],
    }
    for kind, texts in usual.items():
        given = pl.Series("text", texts)
        wanted = {
            "nhs_number": identifiers.nhs_number_valid("text", synthetic=True),
            "nino": identifiers.nino_valid("text", synthetic=True),
            "postcode": identifiers.postcode_valid("text"),
        }[kind]
        truth = selected(given, wanted).to_numpy()
        assert ((sound.soundness(given, kind, synthetic=True) == sound.SOUND) == truth).all()


@given(texts=shaped("[=+@\\t\\r-]?[a-z]{0,3}"))
def test_only_texts_that_begin_like_a_formula_are_in_doubt(texts: list[str | None]) -> None:
    column = pl.Series("text", texts, pl.String)
    rows = sound.doubtful(column, "no-formula").to_list()
    if sound.kernel is not None:
        starts = [at for at, text in enumerate(texts) if text and text[0] in "=+-@\t\r"]
        assert rows == starts


def test_a_column_of_another_type_and_a_slice_are_read_as_they_stand() -> None:
    numbers = pl.Series("text", [1, None])
    assert sound.soundness(numbers, "upn").tolist() == [sound.DOUBT, sound.MISSING]
    texts = pl.Series("text", ["AB123456C", None, "nothing", "AB123456D"] * 40)
    whole = sound.soundness(texts, "nino").tolist()
    assert sound.soundness(texts[3:77], "nino").tolist() == whole[3:77]


@given(texts=shaped("AB[0-9]{6}[A-E]|ab 12 34 56 c"))
def test_a_form_is_the_same_whoever_vouched(texts: list[str | None]) -> None:
    column = pl.Series("text", texts, pl.String)
    form = identifiers.nino_form("text", synthetic=False)
    quick = sound.formed(
        column,
        "nino",
        quick=lambda each: each.str.slice(0, 8),
        slow=lambda each: selected(each, form),
    )
    assert quick.to_list() == selected(column, form).to_list()


@pytest.fixture(params=["kernel", "plain"])
def _path(request, monkeypatch):
    if request.param == "plain":
        monkeypatch.setattr(sound, "kernel", None)


DAYS = st.dates(dt.date(1000, 1, 1), dt.date(9999, 12, 31)).map(str)
SHAPED = st.from_regex(r"[12][0-9]{3}-[0-3][0-9]-[0-3][0-9]", fullmatch=True)
NEARLY_DAYS = SHAPED | st.text("0123-", min_size=8, max_size=11)


@pytest.mark.usefixtures("_path")
@given(texts=st.lists(st.none() | DAYS | NEARLY_DAYS, max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_iso_days_are_the_days_that_the_calendar_knows(texts):
    found = sound.iso_days(pl.Series("day", texts, pl.String)).to_list()
    assert found == [_day(text) for text in texts]


def _day(text):
    if text is None or not re.fullmatch(r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}", text, re.ASCII):
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


@given(texts=st.lists(st.none() | DAYS | NEARLY_DAYS, max_size=30))
def test_a_sound_iso_date_is_one_that_the_rule_admits(texts):
    column = pl.Series("text", texts, pl.String)
    rule = pl.col("text").str.contains(date_pattern(("%Y-%m-%d",)))
    admitted = selected(column, rule).to_list()
    for answer, yes in zip(sound.soundness(column, "iso-date"), admitted, strict=True):
        assert (answer == sound.SOUND) == bool(yes)
