"""Rules answered fast: first which rows could fail at all, then the rule itself for those.

A suspicion may be wrong about a good row, never about a bad one: what it does not
name is surely sound, and what it names the rule itself decides. So the answer
is always the rule's own, and most rows never meet its cost.

Source: docs/reference/contracts.md; NHS Data Dictionary (modulus 11); DfE UPN guide.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gateway.identity import identifiers
from gateway.intake.rule import Rule

Octets = NDArray[np.int32]

_UPN_LETTERS: Final = np.frombuffer(b"ABCDEFGHJKLMNPQRTUVWXYZ", np.uint8).astype(np.int32)
# One upper-case spelling, with or without its space.
_POSTCODE: Final = identifiers.POSTCODE_FORM.replace(")[0-9][ABD-H", ") ?[0-9][ABD-H")


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
    if rule.identifier in _BY_ARITHMETIC:
        return pl.lit(value=False).alias(rule.name)
    if rule.identifier == "postcode":
        return _known(~pl.col(rule.column).str.contains(_POSTCODE)).alias(rule.name)
    if plain and rule.blank_only:
        return _known(pl.col(rule.column).str.starts_with(" ")).alias(rule.name)
    return _failing(rule).alias(rule.name)


def _suspects(
    raw: pl.DataFrame, rule: Rule, flags: pl.DataFrame, *, plain: bool
) -> pl.Series | None:
    """Rows that the rule itself has to decide; none where it already has."""
    if rule.identifier in _BY_ARITHMETIC:
        rows = _doubtful(raw[rule.column], rule)
        return rows if rows.len() else None
    if rule.identifier == "postcode" or (plain and rule.blank_only):
        rows = flags[rule.name].arg_true()
        return rows if rows.len() else None
    return None


def _settled(raw: pl.DataFrame, rule: Rule, suspects: pl.Series) -> pl.Series:
    asked = raw[rule.column].gather(suspects).to_frame()
    wrong = suspects.filter(asked.select(_failing(rule)).to_series())
    flags = np.zeros(raw.height, bool)
    flags[wrong.to_numpy()] = True
    return pl.Series(rule.name, flags)


def _doubtful(text: pl.Series, rule: Rule) -> pl.Series:
    """Rows with a value that is not, in its common spelling, surely right."""
    length, right = _BY_ARITHMETIC[rule.identifier]
    usual = (text.str.len_bytes() == length).fill_null(value=False)
    picked = text if usual.all() else text.filter(usual)
    joined = picked.str.join("")[0] if picked.len() else ""
    octets = np.frombuffer((joined or "").encode(), np.uint8).astype(np.int32)
    doubtful = text.is_not_null().to_numpy().copy()
    sure = right(octets.reshape(-1, length), rule.synthetic)
    doubtful[usual.arg_true().to_numpy()[sure]] = False
    return pl.Series(np.flatnonzero(doubtful), dtype=pl.UInt32)


def _nhs_right(octets: Octets, synthetic: bool) -> NDArray[np.bool_]:
    digits = octets - ord("0")
    right = ((digits >= 0) & (digits <= 9)).all(axis=1)
    right &= digits @ np.arange(10, 0, -1, dtype=np.int32) % 11 == 0
    right &= (digits != digits[:, :1]).any(axis=1)
    if not synthetic:
        right &= ~(digits[:, :3] == 9).all(axis=1)
    return np.asarray(right, bool)


def _upn_right(octets: Octets, _synthetic: bool) -> NDArray[np.bool_]:
    digits = octets[:, 1:] - ord("0")
    right = ((digits >= 0) & (digits <= 9)).all(axis=1)
    total = digits @ np.arange(2, 14, dtype=np.int32) % 23
    return np.asarray(right & (_UPN_LETTERS[total % 23] == octets[:, 0]), bool)


_BY_ARITHMETIC: Final[dict[str, tuple[int, Callable[[Octets, bool], NDArray[np.bool_]]]]] = {
    "nhs_number": (10, _nhs_right),
    "upn": (13, _upn_right),
}


def _failing(rule: Rule) -> pl.Expr:
    return pl.lit(value=False) if rule.failing is None else _known(rule.failing)


def _known(answer: pl.Expr) -> pl.Expr:
    return answer.fill_null(value=False)
