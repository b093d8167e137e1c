"""Rules answered fast: once for each of few texts, or first which rows could fail at all.

Where few texts of a column are distinct, a rule is asked about each of them. Elsewhere
a suspicion may be wrong about a good row, never about a bad one: what it does not
name is surely sound, and what it names the rule itself decides. So the answer
is always the rule's own, and most rows never meet its cost.

Source: docs/reference/contracts.md; NHS Data Dictionary (modulus 11); DfE UPN guide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import polars as pl

from gateway.identity.few import Few
from gateway.identity.sound import doubtful
from gateway.intake.rule import Rule

_VOUCHED: Final = frozenset({"nhs_number", "upn", "nino", "postcode", "iso-date"})


def flags_of(
    raw: pl.DataFrame, rules: Sequence[Rule], *, plain: bool, few: Mapping[str, Few]
) -> dict[str, pl.Series]:
    """Say for each rule that a row fails which rows fail it.

    Args:
        raw: contract columns as text.
        rules: rules with an expression of their own.
        plain: the block has neither quotes nor control or hidden characters.
        few: columns of which few texts are distinct.
    """
    flags = dict(_asked_once(rules, few))
    others = [rule for rule in rules if rule.column not in few]
    flags |= {rule.name: _vouched(raw, rule) for rule in others if rule.identifier in _VOUCHED}
    asked = [rule for rule in others if rule.identifier not in _VOUCHED]
    answers = raw.select(_first_answer(rule, plain=plain) for rule in asked) if asked else raw
    for rule in asked:
        rows = answers[rule.name]
        flags[rule.name] = _settled(raw, rule, rows.arg_true()) if _guessed(rule, plain) else rows
    return {name: rows for name, rows in flags.items() if rows.any()}


def _asked_once(rules: Sequence[Rule], few: Mapping[str, Few]) -> Iterator[tuple[str, pl.Series]]:
    for name, texts in few.items():
        own = [rule for rule in rules if rule.column == name]
        if own:
            table = texts.table.alias(name).to_frame()
            # `len` keeps answers that ask no column as long as the table.
            answers = table.select(pl.len().alias(""), *(_failing(r).alias(r.name) for r in own))
            for rule in own:
                if answers[rule.name].any():
                    yield rule.name, texts.spread(answers[rule.name])


def _first_answer(rule: Rule, *, plain: bool) -> pl.Expr:
    if _guessed(rule, plain):
        return _known(pl.col(rule.column).str.starts_with(" ")).alias(rule.name)
    return _failing(rule).alias(rule.name)


def _guessed(rule: Rule, plain: bool) -> bool:
    """Whether only blanks can fail, so that a first letter makes a suspect."""
    return plain and rule.blank_only


def _vouched(raw: pl.DataFrame, rule: Rule) -> pl.Series:
    kind, synthetic = rule.identifier, rule.synthetic
    return _settled(raw, rule, doubtful(raw[rule.column], kind, synthetic=synthetic))


def _settled(raw: pl.DataFrame, rule: Rule, suspects: pl.Series) -> pl.Series:
    """Let the rule itself decide about the rows that it may fail."""
    flags = np.zeros(raw.height, bool)
    if suspects.len():
        asked = raw[rule.column].gather(suspects).to_frame()
        flags[suspects.filter(asked.select(_failing(rule)).to_series()).to_numpy()] = True
    return pl.Series(rule.name, flags)


def _failing(rule: Rule) -> pl.Expr:
    return pl.lit(value=False) if rule.failing is None else _known(rule.failing)


def _known(answer: pl.Expr) -> pl.Expr:
    return answer.fill_null(value=False)
