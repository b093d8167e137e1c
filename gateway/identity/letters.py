"""Letters of names: sorted, and as they sound.

Source: docs/reference/pseudonyms.md, `alpha` and `soundex`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

_FILL: Final = "~"
_WIDEST: Final = 64
_CODES: Final = (
    ("[BFPV]+", "1"),
    ("[CGJKQSXZ]+", "2"),
    ("[DT]+", "3"),
    ("L+", "4"),
    ("[MN]+", "5"),
    ("R+", "6"),
)


def sorted_letters(first: pl.Series, second: pl.Series) -> pl.Series:
    """Sort the letters A to Z of two columns together; null where either is."""
    letters = (
        first.alias("a")
        .to_frame()
        .with_columns(second.alias("b"))
        .select(pl.col("a") + pl.col("b"))
    )
    texts = letters.to_series()
    width = min(int(texts.str.len_bytes().max() or 0), _WIDEST)  # type: ignore[arg-type]
    if width == 0:
        return texts
    short = pl.col("a").str.len_bytes() <= _WIDEST
    padded = letters.select(pl.when(short).then("a").fill_null("").str.pad_end(width, _FILL))
    flat = padded.to_series().cast(pl.Binary).cast(pl.List(pl.UInt8)).explode().to_numpy()
    # 16-bit numbers, because those are sorted several at a time.
    matrix = np.sort(flat.reshape(-1, width).astype(np.uint16), axis=1).astype(np.uint8)
    rows = pl.Series(matrix).cast(pl.List(pl.UInt8)).cast(pl.Binary).cast(pl.String)
    done = rows.str.strip_chars_end(_FILL).alias("done")
    frame = letters.with_columns(done)
    long = pl.col("a").map_elements(lambda text: "".join(sorted(text)), return_dtype=pl.String)
    if frame.select((~short).any()).item():
        return frame.select(
            pl.when(short).then("done").when(pl.col("a").is_not_null()).then(long)
        ).to_series()
    return frame.select(pl.when(short).then("done")).to_series()


def soundex(names: pl.Series) -> pl.Series:
    """Give the American Soundex of each name of letters A to Z: a letter and three digits.

    H and W do not separate equal codes; vowels and Y do.
    """
    each = names.unique()
    name = pl.col("name")
    first = name.str.slice(0, 1)
    coded = first + name.str.slice(1).str.replace_all("[HW]+", "")
    for letters, digit in _CODES:
        coded = coded.str.replace_all(letters, digit)
    digits = coded.str.slice(1).str.replace_all("[A-Z]+", "")
    sound = (first + digits + "000").str.slice(0, 4).alias("sound")
    table = each.alias("name").to_frame().with_columns(sound)
    joined = (
        names.alias("name").to_frame().join(table, on="name", how="left", maintain_order="left")
    )
    return joined["sound"]
