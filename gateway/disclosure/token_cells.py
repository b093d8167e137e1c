"""Identifier cells at the last gate: each has the form of a token, and none is a bare digest.

The form is stated here anew, apart from the module that makes tokens. The C kernel
answers the same as the columns' library, some ten times as fast; a test holds it to that.

Source: security point 18; RFC 4648.
"""

from __future__ import annotations

from typing import Final

import polars as pl

try:
    from gateway.disclosure import _tokens as kernel

    fast = True
except ImportError:  # pragma: no cover - built wherever there is a compiler
    fast = False

# What an identifier that the Plan admits looks like: 16 bytes in lower-case base32.
TOKEN_FORM: Final = "^[a-z2-7]{25}[aeimquy4]$"


def of_token_form(texts: pl.Series) -> pl.Series:
    """Those of some texts that have the form of a token, in order and each once."""
    return texts.filter(texts.str.contains(TOKEN_FORM)).unique().sort()


def token_cells(cells: pl.Series, digests: pl.Series) -> tuple[int, int]:
    """How many cells have another form, or are missing; how many of the others are a digest.

    Args:
        cells: a text column.
        digests: as `of_token_form` gives them.
    """
    if fast:
        known = "".join(digests.to_list()).encode("ascii")
        return kernel.token_cells(cells.rechunk().__arrow_c_stream__(), known)
    formed = cells.filter(cells.str.contains(TOKEN_FORM))
    met = formed.is_in(digests.implode()).sum() if digests.len() else 0
    return cells.len() - formed.len(), int(met)
