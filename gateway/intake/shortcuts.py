"""Rules answered fast: first which rows could fail at all, then the rule itself for those.

A suspicion may be wrong about a good row, never about a bad one: what it does not
name is surely sound, and what it names the rule itself decides. So the answer
is always the rule's own, and most rows never meet its cost.

Source: docs/reference/contracts.md; NHS Data Dictionary (modulus 11); DfE UPN guide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from gateway.identity.sound import doubtful
from gateway.intake.rule import Rule

_VOUCHED: Final = frozenset({"nhs_number", "upn", "nino", "postcode"})


def flags_of(raw: pl.DataFrame, rules: Sequence[Rule], *, plain: bool) -> pl.DataFrame:
    """Say for each rule which rows fail it.

    Args:
        raw: contract columns as text.
        rules: rules with an expression of their own.
        plain: the block has neither quotes nor control characters.
    """
    flags = raw.select(_first_answer(rule, plain=plain) for rule in rules)
    settled = [
        _settled(raw, rule, suspects)
        for rule in rules
        if (suspects := _suspects(raw, rule, flags, plain=plain)) is not None
    ]
    return flags.with_columns(settled) if settled else flags


def _first_answer(rule: Rule, *, plain: bool) -> pl.Expr:
    if rule.identifier in _VOUCHED:
        return pl.repeat(value=False, n=pl.len(), dtype=pl.Boolean).alias(rule.name)
    if plain and rule.blank_only:
        return _known(pl.col(rule.column).str.starts_with(" ")).alias(rule.name)
    return _failing(rule).alias(rule.name)


def _suspects(
    raw: pl.DataFrame, rule: Rule, flags: pl.DataFrame, *, plain: bool
) -> pl.Series | None:
    """Rows that the rule itself has to decide; none where it already has."""
    if rule.identifier in _VOUCHED:
        rows = doubtful(raw[rule.column], rule.identifier, synthetic=rule.synthetic)
        return rows if rows.len() else None
    if plain and rule.blank_only:
        rows = flags[rule.name].arg_true()
        return rows if rows.len() else None
    return None


def _settled(raw: pl.DataFrame, rule: Rule, suspects: pl.Series) -> pl.Series:
    asked = raw[rule.column].gather(suspects).to_frame()
    wrong = suspects.filter(asked.select(_failing(rule)).to_series())
    flags = np.zeros(raw.height, bool)
    flags[wrong.to_numpy()] = True
    return pl.Series(rule.name, flags)


def _failing(rule: Rule) -> pl.Expr:
    return pl.lit(value=False) if rule.failing is None else _known(rule.failing)


def _known(answer: pl.Expr) -> pl.Expr:
    return answer.fill_null(value=False)
