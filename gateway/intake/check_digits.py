"""NHS numbers, checked fast: ten plain digits by array arithmetic, the rest by the slow rule.

`gateway.identity` decides what a valid number is; this gives the same answer for
the common spelling about twenty times faster, and asks it for every other one.

Source: NHS Data Dictionary, "NHS NUMBER" (modulus 11); docs/reference/pseudonyms.md.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

_WEIGHTS: Final = np.array([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], np.int32)


def nhs_numbers_invalid(text: pl.Series, failing: pl.Expr, *, synthetic: bool) -> pl.Series:
    """Say for each text whether it is no NHS number; a missing one is not called invalid.

    Args:
        text: raw numbers.
        failing: the slow rule over the same column, by its name.
        synthetic: numbers that begin with 999 are admitted.
    """
    present = text.is_not_null()
    plain = present & (text.str.len_bytes() == 10).fill_null(value=False)
    flags = np.zeros(text.len(), bool)
    octets = np.frombuffer("".join(_joined(text, plain)).encode(), np.uint8)
    digits = octets.reshape(-1, 10).astype(np.int32) - ord("0")
    sure = ((digits >= 0) & (digits <= 9)).all(axis=1)
    total = digits @ _WEIGHTS
    good = sure & (total % 11 == 0) & (digits != digits[:, :1]).any(axis=1)
    if not synthetic:
        good &= ~(digits[:, :3] == 9).all(axis=1)
    doubtful = present.to_numpy().copy()
    doubtful[plain.arg_true().to_numpy()[good]] = False
    places = np.flatnonzero(doubtful)
    if places.size:
        # Every other spelling, and every number that looks wrong: the rule itself decides.
        slow = text.gather(places).to_frame().select(failing.fill_null(value=False))
        flags[places] = slow.to_series().to_numpy()
    return pl.Series(text.name, flags)


def _joined(text: pl.Series, plain: pl.Series) -> list[str]:
    numbers = text if plain.all() else text.filter(plain)
    joined = numbers.str.join("")
    return [joined[0] or ""] if joined.len() else []
