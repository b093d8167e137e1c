"""One block of a file: raw text columns in, flags for each rule and typed columns out.

The block is checked in a single column pass; the rows of each failing rule are
looked up only where a rule has failed at all. Values that break a tolerated rule
of an optional column become missing, never guessed.

Source: requirement R18; docs/reference/contracts.md.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from gateway.identity.few import Few, few_texts
from gateway.identity.sound import doubtful, iso_days
from gateway.intake.rule import Effect, Rule
from gateway.intake.rules import ISO, parsed_date
from gateway.intake.shortcuts import flags_of
from gateway.model import Contract, ContractColumn, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What one block gave: counts for each rule, failing rows (0-based), the rows that pass.

    `codes` says of failing rows what they look like, as (code, row) lists for
    each rule. `notes` are rows worth a look, by code and column. `columns` holds
    the accepted rows, typed.
    """

    rows: int
    applied: Mapping[str, int]
    failing: Mapping[str, pl.Series]
    looks: Mapping[str, Mapping[str, pl.Series]]
    passed: pl.Series
    columns: pl.DataFrame = field(repr=False)
    nulls: Mapping[str, int]
    codes: Mapping[str, Mapping[str, int]]
    extract_dates: tuple[str, ...] = ()
    notes: Mapping[tuple[str, str], pl.Series] = field(default_factory=dict)


class Compiled:
    """A contract, compiled to one pass over a block of raw text columns."""

    def __init__(self, contract: Contract, rules: Sequence[Rule]) -> None:
        """Prepare the expressions once for all blocks."""
        self._contract = contract
        self._rules = tuple(rule for rule in rules if rule.failing is not None)
        self._extracted = next(
            (column for column in contract.columns if column.field == "extract_date"), None
        )
        self._texts = [column.name for column in contract.columns if _free_text(column)]

    def check(
        self,
        raw: pl.DataFrame,
        *,
        ascii_only: bool,
        plain: bool = False,
        signs: bool = True,
    ) -> Checked:
        """Check one block.

        Args:
            raw: contract columns as text, missing as null.
            ascii_only: no letter outside ASCII, so scripts cannot be mixed.
            plain: neither quotes nor control or hidden characters.
            signs: cells may begin like a formula of a spreadsheet.
        """
        rules = [rule for rule in self._rules if not (rule.scripts and ascii_only)]
        few = {s.name: found for s in raw.get_columns() if (found := few_texts(s)) is not None}
        flags = flags_of(raw, rules, plain=plain, few=few)
        failing = {rule.name: flags[rule.name].arg_true() for rule in rules if rule.name in flags}
        bad = [flags[rule.name] for rule in rules if _bars(rule) and rule.name in flags]
        barred = functools.reduce(operator.or_, bad) if bad else None
        passed = _passed(raw.height, barred)
        nulls = raw.null_count().row(0, named=True)
        broken = [rule for rule in rules if rule.name in failing]
        return Checked(
            rows=raw.height,
            applied=self._applied(raw, rules, nulls),
            failing=failing,
            looks={rule.name: _looks(raw, rule, failing[rule.name]) for rule in broken},
            passed=passed,
            columns=self._typed(raw, flags, broken, passed, few),
            nulls=nulls,
            codes=self._codes(few, raw),
            extract_dates=self._extract_dates(raw),
            notes=_formulas(raw, self._texts) if signs else {},
        )

    def _applied(
        self, raw: pl.DataFrame, rules: Sequence[Rule], nulls: Mapping[str, int]
    ) -> dict[str, int]:
        applied = {
            rule.name: raw.height - nulls[rule.column] for rule in rules if rule.applies is None
        }
        special = [rule for rule in rules if rule.applies is not None]
        counts = raw.select(
            pl.lit(raw.height).alias("") if not special else pl.len().alias(""),
            *(
                rule.applies.cast(pl.UInt32).sum().alias(rule.name)  # type: ignore[union-attr]
                for rule in special
                if rule.column == ""
            ),
        ).row(0, named=True)
        return applied | {rule.name: counts.get(rule.name, raw.height) for rule in special}

    def _typed(
        self,
        raw: pl.DataFrame,
        flags: Mapping[str, pl.Series],
        broken: Sequence[Rule],
        passed: pl.Series,
        few: Mapping[str, Few],
    ) -> pl.DataFrame:
        cleared = raw
        for rule in broken:
            if rule.effect is Effect.CLEAR:
                sound = pl.when(~flags[rule.name]).then(pl.col(rule.column))
                cleared = cleared.with_columns(sound.alias(rule.column))
        mended = {rule.column for rule in broken if rule.effect is Effect.CLEAR}
        read = [
            few[column.name].spread(_read(few[column.name].table.alias(column.name), column))
            if column.name in few and column.name not in mended and column.type != "text"
            else _read(cleared[column.name], column)
            for column in self._contract.columns
        ]
        whole = pl.DataFrame(read)
        return whole if passed.all() else whole.filter(passed)

    def _codes(self, few: Mapping[str, Few], raw: pl.DataFrame) -> dict[str, dict[str, int]]:
        coded = {
            column.name: column.codes or ("Y", "N")
            for column in self._contract.columns
            if column.type == "boolean" or (column.type == "text" and column.codes)
        }
        found = {}
        for name, codes in coded.items():
            if name in few:
                counts = dict(zip(few[name].table.to_list(), few[name].counts(), strict=True))
            else:
                counts = dict(raw[name].value_counts().iter_rows())
            found[name] = {code: counts[code] for code in codes if code in counts}
        return found

    def _extract_dates(self, raw: pl.DataFrame) -> tuple[str, ...]:
        column = self._extracted
        if column is None or column.type != "date":
            return ()
        days = raw.select(parsed_date(column).alias("day"))["day"]
        low, high = days.min(), days.max()
        return () if low is None else (str(low), str(high))


def _read(raw: pl.Series, column: ContractColumn) -> pl.Series:
    if column.type == "date" and column.date_forms == ISO:
        return iso_days(raw).alias(column.name)
    return raw.to_frame().select(typed(column)).to_series() if column.type != "text" else raw


def typed(column: ContractColumn) -> pl.Expr:
    """Read an accepted raw column as its type; text, boolean and codes stay text.

    Accepted values fit exactly one of the declared date forms: the rule has seen to it.
    """
    if column.type == "date":
        forms = [pl.col(column.name).str.to_date(form, strict=False) for form in column.date_forms]
        return pl.coalesce(forms).alias(column.name)
    if column.type == "integer":
        return pl.col(column.name).cast(pl.Int64, strict=False)
    if column.type == "decimal":
        return pl.col(column.name).cast(pl.Float64, strict=False)
    return pl.col(column.name)


def _bars(rule: Rule) -> bool:
    return rule.effect is Effect.QUARANTINE


def _passed(rows: int, barred: pl.Series | None) -> pl.Series:
    if barred is not None:
        return (~barred).alias("passed")
    return pl.repeat(value=True, n=rows, eager=True, dtype=pl.Boolean).alias("passed")


def _looks(raw: pl.DataFrame, rule: Rule, failing: pl.Series) -> dict[str, pl.Series]:
    """Sort failing rows by the first likeness that fits, else the rule's own code."""
    if not rule.looks_like:
        return {rule.code: failing}
    kind: pl.Expr = pl.lit(rule.code)
    for code, expression in reversed(rule.looks_like):
        kind = pl.when(expression).then(pl.lit(code)).otherwise(kind)
    kinds = raw[rule.column].gather(failing).to_frame().select(kind.alias("code"))["code"]
    return {str(code): failing.filter(kinds == code) for code in kinds.unique(maintain_order=True)}


def _formulas(raw: pl.DataFrame, texts: Sequence[str]) -> dict[tuple[str, str], pl.Series]:
    found = {}
    for name in texts:
        rows = doubtful(raw[name], "no-formula")
        asked = raw[name].gather(rows).to_frame()
        starts = (pl.col(name).str.starts_with(sign) for sign in FORMULA_SIGNS)
        running = rows.filter(asked.select(pl.any_horizontal(starts)).to_series())
        if running.len():
            found["intake/formula-text", name] = running
    return found


def _free_text(column: ContractColumn) -> bool:
    return column.type == "text" and not column.codes


def unusable(
    checked: Checked, elements: pl.DataFrame, contract: Contract
) -> dict[tuple[str, str], pl.Series]:
    """Find accepted names and births that say nothing about who a row is about.

    A name without a letter A to Z, a placeholder or a birth after the extract is
    kept as it came, but no match-key can be made of it: it is counted, not lost
    in silence.

    Args:
        checked: the block, with its accepted columns.
        elements: standard elements of the accepted rows.
        contract: roles of the columns.
    """
    rows = checked.passed.arg_true()
    found = {}
    for column in contract.columns:
        element = _ELEMENT.get(column.role) if column.role else None
        if element in elements.columns:
            given = checked.columns[column.name].is_not_null()
            lost = rows.filter(given & elements[element].is_null())
            if lost.len():
                found["intake/not-usable", column.name] = lost
    return found


# What a spreadsheet takes for the start of a formula (OWASP, "CSV injection").
FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")

_ELEMENT: Final = {Role.FORENAME: "fnx", Role.SURNAME: "snx", Role.DATE_OF_BIRTH: "dob"}
