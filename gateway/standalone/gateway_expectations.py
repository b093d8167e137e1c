r"""Expectations that a contract's suite uses beside the stock ones of Great Expectations.

Put this file beside the suite and import it before you run the suite on pandas:

    frame = pandas.read_csv("extract.csv", dtype=str, keep_default_na=False)
    frame = frame.apply(lambda column: column.str.strip(" \t\u00a0")).replace("", None)

Every column is text without blanks around it, and an empty cell is missing. The
file imports nothing of the gateway, so that it runs with stock Great Expectations
alone; it is also the slow second reader against which the fast one is tested.

Source: NHS Data Dictionary (modulus 11); DfE UPN guide (modulus 23); HMRC
NIM39110; BS 7666; docs/reference/contracts.md.
"""

# The library publishes no types for the classes that it wants extended.
# mypy: disable-error-code="misc, untyped-decorator, attr-defined, import-untyped"

from __future__ import annotations

import datetime as dt
import re
from typing import Any, ClassVar

import pandas as pd
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import (
    ColumnMapExpectation,
    ColumnPairMapExpectation,
    MulticolumnMapExpectation,
)
from great_expectations.expectations.metrics.map_metric_provider import (
    ColumnMapMetricProvider,
    ColumnPairMapMetricProvider,
    MulticolumnMapMetricProvider,
    column_condition_partial,
    column_pair_condition_partial,
    multicolumn_condition_partial,
)

_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
_POSTCODE = re.compile(
    "GIR0AA|(?:[A-PR-UWYZ](?:[0-9]{1,2}|[0-9][ABCDEFGHJKPSTUW]|[A-HK-Y][0-9]{1,2}"
    "|[A-HK-Y][0-9][ABEHMNPRVWXY]))[0-9][ABD-HJLNP-UW-Z]{2}"
)
_NINO = re.compile("[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]?|QQ[0-9]{6}[A-D]?")
_NOT_NINO = ("OO", "CR", "FY", "MW", "NC", "BG", "GB", "KN", "NK", "NT", "TN", "ZZ")


def _compact(text: str) -> str:
    return re.sub(f"[{_SPACE}-]+", "", text)


def _alphanumeric(text: str) -> str:
    return re.sub("[^A-Za-z0-9]", "", text).upper()


def nhs_number(text: str, *, synthetic: bool) -> bool:
    """Ten digits, modulus 11, not ten equal ones; 999 is for invented people."""
    code = _compact(text)
    if not re.fullmatch("[0-9]{10}", code) or len(set(code)) == 1:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(code, range(10, 0, -1), strict=True))
    return total % 11 == 0 and (synthetic or not code.startswith("999"))


def upn(text: str, *, synthetic: bool) -> bool:  # noqa: ARG001 - one signature for all
    """A check letter and twelve digits, modulus 23; temporary numbers are refused."""
    code = _compact(text).upper()
    if not re.fullmatch(f"[{_UPN_LETTERS}][0-9]{{12}}", code):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(code[1:], range(2, 14), strict=True))
    return _UPN_LETTERS[total % 23] == code[0]


def nino(text: str, *, synthetic: bool) -> bool:
    """HMRC's form; QQ is for invented people; the suffix may be absent."""
    code = _compact(text).upper()
    if not re.fullmatch(_NINO, code) or not code.isascii() or code.startswith(_NOT_NINO):
        return False
    return synthetic or not code.startswith("QQ")


def postcode(text: str, *, synthetic: bool) -> bool:  # noqa: ARG001 - one signature for all
    """The BS 7666 grammar, N1P admitted, and the ZZ99 codes for not known."""
    code = _alphanumeric(text)
    return re.fullmatch(_POSTCODE, code) is not None or code.startswith("ZZ99")


def uprn(text: str, *, synthetic: bool) -> bool:  # noqa: ARG001 - one signature for all
    """One to twelve digits after leading zeros."""
    return re.fullmatch(f"[{_SPACE}]*0*[1-9][0-9]{{0,11}}[{_SPACE}]*", text) is not None


IDENTIFIERS = {
    "nhs_number": nhs_number,
    "upn": upn,
    "nino": nino,
    "postcode": postcode,
    "uprn": uprn,
}


def _day(text: str, date_forms: list[str]) -> dt.date | None:
    for form in date_forms:
        try:
            day = dt.datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
        if day.strftime(form).upper() == text.upper() and 1800 <= day.year <= 2199:
            return day
    return None


def _measure(text: str, date_forms: list[str]) -> float | None:
    if date_forms:
        day = _day(text, date_forms)
        return None if day is None else float(day.toordinal())
    return float(text) if re.fullmatch(_NUMBER, text) else None


class ColumnValuesValidIdentifiers(ColumnMapMetricProvider):
    """Whether each value is a valid national or address identifier."""

    condition_metric_name = "column_values.valid_identifiers"
    condition_value_keys = ("identifier", "synthetic")

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: Any, identifier: str, synthetic: bool, **_: Any) -> Any:  # noqa: N805
        valid = IDENTIFIERS[identifier]
        return column.astype(str).map(lambda text: valid(text, synthetic=synthetic)).astype(bool)


class ExpectColumnValuesToBeValidIdentifiers(ColumnMapExpectation):
    """Every value is a valid identifier of the named kind."""

    identifier: str
    synthetic: bool = False

    map_metric: ClassVar[str] = "column_values.valid_identifiers"
    success_keys: ClassVar[tuple[str, ...]] = ("mostly", "identifier", "synthetic")
    args_keys: ClassVar[tuple[str, ...]] = ("column", "identifier", "synthetic")


class ColumnValuesDatesBetween(ColumnMapMetricProvider):
    """Whether each real date lies between two days, both included."""

    condition_metric_name = "column_values.dates_between"
    condition_value_keys = ("date_forms", "min_value", "max_value")

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(
        cls,  # noqa: N805
        column: Any,
        date_forms: list[str],
        min_value: str | None = None,
        max_value: str | None = None,
        **_: Any,
    ) -> Any:
        def inside(text: str) -> bool:
            day = _day(text, date_forms)
            if day is None:
                return True
            low = min_value is None or day.isoformat() >= min_value
            return low and (max_value is None or day.isoformat() <= max_value)

        return column.astype(str).map(inside).astype(bool)


class ExpectColumnValuesToBeDatesBetween(ColumnMapExpectation):
    """Every real date lies between two days; what is no date is another rule's affair."""

    date_forms: list[str]
    min_value: str | None = None
    max_value: str | None = None

    map_metric: ClassVar[str] = "column_values.dates_between"
    success_keys: ClassVar[tuple[str, ...]] = ("mostly", "date_forms", "min_value", "max_value")
    args_keys: ClassVar[tuple[str, ...]] = ("column", "date_forms", "min_value", "max_value")


class ColumnPairValuesAtLeast(ColumnPairMapMetricProvider):
    """Whether the first of two numbers or dates is at least the second."""

    condition_metric_name = "column_pair_values.at_least"
    condition_domain_keys = ("batch_id", "table", "column_A", "column_B", "ignore_row_if")
    condition_value_keys = ("date_forms_A", "date_forms_B")

    @column_pair_condition_partial(engine=PandasExecutionEngine)
    def _pandas(
        cls,  # noqa: N805
        column_A: Any,  # noqa: N803 - the library's name
        column_B: Any,  # noqa: N803 - the library's name
        date_forms_A: list[str],  # noqa: N803 - as the library names pairs
        date_forms_B: list[str],  # noqa: N803 - as the library names pairs
        **_: Any,
    ) -> Any:
        def holds(most: str, least: str) -> bool:
            upper, lower = _measure(most, date_forms_A), _measure(least, date_forms_B)
            return upper is None or lower is None or upper >= lower

        pairs = zip(column_A.astype(str), column_B.astype(str), strict=True)
        return pd.Series([holds(*pair) for pair in pairs], index=column_A.index, dtype=bool)


class ExpectColumnPairValuesAToBeAtLeastB(ColumnPairMapExpectation):
    """Wherever both are present and well formed, A is at least B."""

    date_forms_A: list[str]  # noqa: N815 - as the library names pairs
    date_forms_B: list[str]  # noqa: N815 - as the library names pairs
    ignore_row_if: str = "either_value_is_missing"

    map_metric: ClassVar[str] = "column_pair_values.at_least"
    success_keys: ClassVar[tuple[str, ...]] = (
        *("column_A", "column_B", "ignore_row_if"),
        *("mostly", "date_forms_A", "date_forms_B"),
    )
    args_keys: ClassVar[tuple[str, ...]] = ("column_A", "column_B", "date_forms_A", "date_forms_B")


class MulticolumnSumAtMostLast(MulticolumnMapMetricProvider):
    """Whether all columns but the last add up to at most the last."""

    condition_metric_name = "multicolumn_sum.at_most_last"
    condition_domain_keys = ("batch_id", "table", "column_list", "ignore_row_if")
    condition_value_keys = ()

    @multicolumn_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_list: Any, **_: Any) -> Any:  # noqa: N805
        def holds(row: Any) -> bool:
            numbers = [_measure(str(text), []) for text in row]
            known = [number for number in numbers if number is not None]
            return len(known) < len(numbers) or sum(known[:-1]) <= known[-1] + 1e-9

        return column_list.apply(holds, axis=1).astype(bool)


class ExpectMulticolumnSumToBeAtMostLast(MulticolumnMapExpectation):
    """Wherever all are present and well formed, the sum is at most the last."""

    ignore_row_if: str = "any_value_is_missing"

    map_metric: ClassVar[str] = "multicolumn_sum.at_most_last"
    args_keys: ClassVar[tuple[str, ...]] = ("column_list",)


class MulticolumnOnePresent(MulticolumnMapMetricProvider):
    """Whether at least one of the columns has a value."""

    condition_metric_name = "multicolumn_values.one_present"
    condition_domain_keys = ("batch_id", "table", "column_list", "ignore_row_if")
    condition_value_keys = ()

    @multicolumn_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_list: Any, **_: Any) -> Any:  # noqa: N805
        return column_list.notna().any(axis=1)


class ExpectMulticolumnOneToBePresent(MulticolumnMapExpectation):
    """At least one of the columns has a value in every row."""

    ignore_row_if: str = "never"

    map_metric: ClassVar[str] = "multicolumn_values.one_present"
    args_keys: ClassVar[tuple[str, ...]] = ("column_list",)
