"""Whole texts that look like a person's identifier, whatever column they stand in.

Stated here anew, apart from the rules of intake and of `std1`, because the last
gate must not repeat their mistakes: it looks wider, and can only say no.

Source: security point 18; NHS Data Dictionary (modulus 11); HMRC NIM39110;
DfE UPN guide; BS 7666.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

TEXT: Final = pl.col("text")

_SQUEEZED: Final = TEXT.str.replace_all(r"[\s\-./]", "").str.to_uppercase()

_YEAR, _MONTH, _DAY = r"(?:18|19|20)\d\d", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_MONTH_NAME = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATE_FORMS: Final = (
    rf"^{_YEAR}[-/. ]{_MONTH}[-/. ]{_DAY}(?:[T ]\d\d:.*)?$",
    rf"^{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$",
    rf"^{_DAY}[-/. ]{_MONTH}[-/. ](?:\d\d)?\d\d(?:[T ]\d\d:.*)?$",
    rf"(?i)^\d{{1,2}}[ \-]?{_MONTH_NAME}[ \-,]*(?:\d\d)?\d\d$",
)

DATE: Final = pl.any_horizontal([TEXT.str.contains(form) for form in _DATE_FORMS])

# Digests of MD5, SHA-1, SHA-224, SHA-256, SHA-384 and SHA-512; unpadded base64 mixes its letters.
_HEX: Final = (
    "(?i)^(?:0x)?(?:" + "|".join(f"[0-9a-f]{{{n}}}" for n in (32, 40, 56, 64, 96, 128)) + ")$"
)
_BASE64: Final = r"^(?:[\w+/\-]{22}==|[\w+/\-]{27}=|[\w+/\-]{43}=|[\w+/\-]{86}==)$"
_UNPADDED: Final = r"^(?:[\w+/\-]{22}|[\w+/\-]{27}|[\w+/\-]{43}|[\w+/\-]{86})$"
_MIXED: Final = pl.all_horizontal([TEXT.str.contains(kind) for kind in ("[a-z]", "[A-Z]", "[0-9]")])
DIGEST: Final = (
    TEXT.str.contains(_HEX) | TEXT.str.contains(_BASE64) | (TEXT.str.contains(_UNPADDED) & _MIXED)
)


def _nhs_number() -> pl.Expr:
    digits = _SQUEEZED.str.extract(r"^(\d{10})$")
    number = digits.cast(pl.Int64, strict=False)
    total = pl.sum_horizontal(
        [number // 10**place % 10 * (place + 1) for place in range(10)], ignore_nulls=False
    )
    return (total % 11 == 0).fill_null(value=False)


GRAMMARS: Final[Mapping[str, pl.Expr]] = {
    "nhs-number": _nhs_number(),
    "nino": _SQUEEZED.str.contains(r"^[A-Z]{2}\d{6}[A-D]?$"),
    "upn": _SQUEEZED.str.contains(r"^[A-Z]\d{11}[0-9A-Z]$"),
    "postcode": _SQUEEZED.str.contains(r"^(?:GIR0AA|[A-Z]{1,2}\d[A-Z\d]?\d[A-Z]{2})$"),
    "e-mail": TEXT.str.contains(r"^[^@\s]+@[^@\s]+\.[^@\s]+$"),
    "telephone": _SQUEEZED.str.contains(r"^(?:\+44|0044|0)[1237]\d{8,9}$"),
    "digest": DIGEST,
}


def grammars_of(columns: Sequence[pl.Series], *, dates: bool) -> list[dict[str, int]]:
    """How many texts of each column follow which identifier grammar.

    The rules are made ready once for all columns: that costs more than asking them.

    Args:
        columns: whole cells, each column apart.
        dates: whether the Plan lets these columns hold dates; else a full date counts.

    Returns:
        For each column the grammars that some of its texts follow, with their number.
    """
    wanted = dict(GRAMMARS) if dates else {**GRAMMARS, "full-date": DATE}
    every = pl.concat([texts.alias("text") for texts in columns]).to_frame()
    follows = every.select(rule.fill_null(value=False).alias(name) for name, rule in wanted.items())
    found, at = [], 0
    for texts in columns:
        counts = follows.slice(at, texts.len()).sum().row(0, named=True)
        found.append({name: int(count) for name, count in counts.items() if count})
        at += texts.len()
    return found
