"""Each agreed rule once: as a column expression, and as a Great Expectation.

The pair is what keeps the promise that a partner who runs the published suite
with stock Great Expectations finds what the gateway finds. Rules read the raw
text columns, where a null is a missing cell; a missing cell breaks no rule but
`required`. `tolerated` is a share of the rows to which a rule applies, as
Great Expectations' `mostly` counts it.

Source: UK GDPR Art 5(1)(d); requirement R14, R18; docs/reference/contracts.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import polars as pl

from gateway.errors import UsageError
from gateway.identity import identifiers
from gateway.intake import patterns
from gateway.intake.patterns import whole
from gateway.intake.rule import Effect, Rule
from gateway.model import Contract, ContractColumn, Role

NAME_ROLES: Final = frozenset({Role.FORENAME, Role.MIDDLE_NAMES, Role.SURNAME, Role.FORMER_SURNAME})
RESERVED: Final = frozenset({"nhs_number", "nino"})
IDENTIFIERS: Final = frozenset({"nhs_number", "upn", "nino", "postcode", "uprn"})
ISO: Final = ("%Y-%m-%d",)
AMBIGUOUS: Final = ({"%d/%m/%Y", "%m/%d/%Y"}, {"%Y%m%d", "%d%m%Y"})


def column_rules(column: ContractColumn, contract: Contract) -> Iterator[Rule]:
    """Give the rules of one column, the strictest question first."""
    if column.required:
        yield _rule(
            column,
            "required",
            "intake/value-missing",
            ("expect_column_values_to_not_be_null", {}),
            failing=pl.col(column.name).is_null(),
            applies=pl.lit(value=True),
        )
    yield _form_rule(column, contract)
    if column.type == "text" and not column.codes and not identifier_of(column):
        yield _length(column)
    if column.type == "date" and (column.earliest or column.latest):
        yield _date_range(column)
    if column.role in NAME_ROLES:
        yield _rule(
            column,
            "one-script",
            "intake/mixed-script",
            ("expect_column_values_to_not_match_regex", {"regex": patterns.MIXED_SCRIPT}),
            failing=pl.col(column.name).str.contains(patterns.MIXED_SCRIPT),
            scripts=True,
        )
    if column.unique:
        yield _rule(
            column,
            "unique",
            "intake/value-repeated",
            ("expect_column_values_to_be_unique", {}),
            together=(column.name,),
        )


def identifier_of(column: ContractColumn) -> str:
    """Name the national or address identifier that a text column holds, or ""."""
    for word in (
        column.form.replace("-", "_"),
        column.role.value if column.role else "",
        column.field,
    ):
        if word in IDENTIFIERS:
            return word
    return ""


def _form_rule(column: ContractColumn, contract: Contract) -> Rule:
    if column.type in ("integer", "decimal"):
        return _number(column)
    if column.type == "date":
        return _date(column)
    if column.type == "boolean" or (column.codes and column.type == "text"):
        codes = list(column.codes or ("Y", "N"))
        return _rule(
            column,
            "codes",
            "intake/code-unknown",
            ("expect_column_values_to_be_in_set", {"value_set": codes}),
            failing=~pl.col(column.name).is_in(codes),
            looks_like=_damage(column),
        )
    if column.type == "codes":
        pattern = patterns.codes_pattern(column.codes)
        return _matching(column, "code-list", "intake/code-unknown", pattern)
    name = identifier_of(column)
    digits = name == "postcode" and contract.postcode_form == "digits"
    if name and not digits:
        return _identifier(column, name, contract)
    return _text(column)


def _number(column: ContractColumn) -> Rule:
    for bound in (column.minimum, column.maximum):
        if bound is not None and bound != int(bound):
            raise UsageError(
                "intake/contract-bound",
                f'Column "{column.name}": the bounds of a number are whole numbers.',
                remedy="Mend the contract.",
                column=column.name,
            )
    decimals = column.decimals if column.type == "decimal" else 0
    plain = patterns.number_pattern(decimals=decimals, minimum=None, maximum=None)
    pattern = patterns.number_pattern(
        decimals=decimals, minimum=column.minimum, maximum=column.maximum
    )
    outside = (("intake/out-of-range", pl.col(column.name).str.contains(plain)),)
    return _matching(column, "number", "intake/number-malformed", pattern, outside)


def _date(column: ContractColumn) -> Rule:
    if any(pair <= set(column.date_forms) for pair in AMBIGUOUS):
        raise UsageError(
            "intake/contract-dates",
            f'Column "{column.name}": day and month cannot be told apart.',
            remedy="Declare one of the two date forms.",
            column=column.name,
        )
    other = (
        (
            "intake/date-form",
            pl.col(column.name).str.contains(patterns.date_pattern(patterns.DAY_FORMS)),
        ),
        ("intake/spreadsheet-damage", pl.col(column.name).str.contains(r"^[0-9]{4,5}(\.[0-9]+)?$")),
    )
    pattern = patterns.date_pattern(column.date_forms)
    rule = _matching(column, "date", "intake/date-malformed", pattern, other)
    return replace(rule, identifier="iso-date") if column.date_forms == ISO else rule


def _date_range(column: ContractColumn) -> Rule:
    low = column.earliest.isoformat() if column.earliest else None
    high = column.latest.isoformat() if column.latest else None
    # The library turns text bounds into datetimes, which it cannot compare with text
    # cells: so the plug-in compares days. Here ISO days compare as the text they are.
    iso = column.date_forms == ISO
    day = pl.col(column.name) if iso else parsed_date(column).dt.to_string("%Y-%m-%d")
    early = day < low if low else pl.lit(value=False)
    late = day > high if high else pl.lit(value=False)
    real = pl.col(column.name).str.contains(patterns.date_pattern(column.date_forms))
    bounds = _given({"min_value": low, "max_value": high})
    return _rule(
        column,
        "date-range",
        "intake/date-out-of-range",
        (
            "expect_column_values_to_be_dates_between",
            {**bounds, "date_forms": list(column.date_forms)},
        ),
        failing=real & (early | late),
    )


def parsed_date(column: ContractColumn) -> pl.Expr:
    """Read a raw column as dates in the contract's forms; what fits none is null."""
    text = pl.col(column.name)
    real = text.str.contains(patterns.date_pattern(column.date_forms))
    forms = [text.str.to_date(form, strict=False) for form in column.date_forms]
    return pl.when(real).then(pl.coalesce(forms))


def _identifier(column: ContractColumn, name: str, contract: Contract) -> Rule:
    synthetic = contract.population == "synthetic"
    raw = pl.col(column.name)
    valid = {
        "nhs_number": identifiers.nhs_number_valid(raw, synthetic=synthetic),
        "upn": identifiers.upn_valid(raw),
        "nino": identifiers.nino_valid(raw, synthetic=synthetic),
        "postcode": identifiers.postcode_valid(raw) | identifiers.postcode_not_known(raw),
        "uprn": identifiers.uprn_valid(raw),
    }[name]
    kwargs: dict[str, Any] = {"identifier": name, "synthetic": synthetic}
    return _rule(
        column,
        name.replace("_", "-"),
        "intake/identifier-invalid",
        ("expect_column_values_to_be_valid_identifiers", kwargs),
        failing=~valid,
        identifier=name,
        synthetic=synthetic,
        looks_like=(*_test_number(name, raw, synthetic=synthetic), *_damage(column, name)),
    )


def _test_number(name: str, raw: pl.Expr, *, synthetic: bool) -> tuple[tuple[str, pl.Expr], ...]:
    """What is refused of residents only because the range is reserved for invented people."""
    if synthetic or name not in RESERVED:
        return ()
    valid = {"nhs_number": identifiers.nhs_number_valid, "nino": identifiers.nino_valid}[name]
    return (("intake/test-number", valid(raw, synthetic=True)),)


def _text(column: ContractColumn) -> Rule:
    pattern = patterns.NAMED.get(column.form, patterns.TEXT)
    if column.form and column.form not in patterns.NAMED and not identifier_of(column):
        raise UsageError(
            "intake/contract-form",
            f'Column "{column.name}": the form "{column.form}" is not known.',
            remedy=f"Use one of {', '.join(sorted({*patterns.NAMED, *IDENTIFIERS}))}.",
            column=column.name,
        )
    hidden = pl.col(column.name).str.contains(patterns.HIDDEN_LETTER)
    looks = (("intake/hidden-character", hidden),)
    rule = _matching(column, "text", "intake/text-malformed", pattern, looks)
    return replace(rule, blank_only=pattern == patterns.TEXT)


def _length(column: ContractColumn) -> Rule:
    bounds = {"min_value": 1, "max_value": column.max_length}
    return _rule(
        column,
        "length",
        "intake/text-too-long",
        ("expect_column_value_lengths_to_be_between", bounds),
        failing=pl.col(column.name).str.len_chars() > column.max_length,
    )


def _matching(
    column: ContractColumn,
    kind: str,
    code: str,
    pattern: str,
    looks_like: tuple[tuple[str, pl.Expr], ...] = (),
) -> Rule:
    return _rule(
        column,
        kind,
        code,
        ("expect_column_values_to_match_regex", {"regex": whole(pattern)}),
        failing=~pl.col(column.name).str.contains(pattern),
        looks_like=(*looks_like, *_damage(column)),
    )


def _damage(column: ContractColumn, identifier: str = "") -> tuple[tuple[str, pl.Expr], ...]:
    """Tell what a spreadsheet has rewritten: 1.23457E+12, a trailing .0, lost zeros, #REF!"""
    raw = pl.col(column.name)
    damaged = raw.str.contains(patterns.SPREADSHEET_NUMBER)
    if identifier == "nhs_number":
        damaged = damaged | raw.str.contains("^[0-9]{7,9}$")
    return (("intake/spreadsheet-damage", damaged),)


def _rule(
    column: ContractColumn,
    kind: str,
    code: str,
    expectation: tuple[str, dict[str, Any]],
    **parts: Any,
) -> Rule:
    kwargs = {"column": column.name, **expectation[1]}
    if column.tolerated:
        kwargs["mostly"] = 1 - column.tolerated
    clears = column.tolerated > 0 and not column.required and kind != "unique"
    return Rule(
        name=f"{column.name}.{kind}",
        column=column.name,
        code=code,
        expectation={"type": expectation[0], "kwargs": kwargs},
        tolerated=column.tolerated,
        effect=Effect.CLEAR if clears else Effect.QUARANTINE,
        **parts,
    )


def _given(bounds: Mapping[str, Any]) -> dict[str, Any]:
    return {name: bound for name, bound in bounds.items() if bound is not None}
