"""How a surname sounds, for loose blocks: its first letter and its next three consonant groups.

Source: the idea of Soundex (Russell 1918), without its rule about first letters of like sound.
"""

from __future__ import annotations

from typing import Final

import polars as pl

# Letters of one sound; H and W do not separate, vowels do and are then left out.
_GROUPS: Final = (
    ("BFPV", "1"),
    ("CGJKQSXZ", "2"),
    ("DT", "3"),
    ("L", "4"),
    ("MN", "5"),
    ("R", "6"),
)
_LIKE_FIRST: Final = (("^PH", "F"), ("^KN", "N"), ("^WR", "R"), ("^C", "K"), ("^Z", "S"))


def sound_of(names: pl.Series) -> pl.Series:
    """The sound of each name; missing stays missing.

    Args:
        names: A–Z only, as `std1` gives them.
    """
    distinct = names.unique().drop_nulls().alias("name").to_frame()
    sounds = distinct.with_columns(_sound(pl.col("name")).alias("sound"))
    return (
        names.alias("name")
        .to_frame()
        .join(sounds, on="name", how="left", maintain_order="left")
        .get_column("sound")
    )


def _sound(name: pl.Expr) -> pl.Expr:
    for form, letter in _LIKE_FIRST:
        name = name.str.replace(form, letter)
    tail = name.str.slice(1).str.replace_all("[HW]", "")
    for letters, digit in _GROUPS:
        tail = tail.str.replace_all(f"[{letters}]+", digit)
    return name.str.slice(0, 1) + tail.str.replace_all("[A-Z]", "").str.slice(0, 3)
