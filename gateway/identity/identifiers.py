"""National and address identifiers: which texts are well formed, and their standard form.

Every function takes a text column and answers for each row; null stays null.
The text is trimmed, and white space and hyphens inside are ignored, exactly as
`std1` reads it, so that what intake accepts is what becomes a token. `synthetic`
admits the ranges that are reserved for invented people; a contract about
residents refuses them.

Source: docs/reference/pseudonyms.md; domain rules of NHS number (modulus 11),
UPN (modulus 23), HMRC NIM39110 and BS 7666.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import polars as pl

# The characters of Unicode's White_Space property, listed so that every reader trims the same.
WHITE_SPACE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680"
    + "".join(map(chr, range(0x2000, 0x200B)))
    + "\u2028\u2029\u202f\u205f\u3000"
)

_GAPS: Final = "[" + WHITE_SPACE + "-]+"
_UPN_LETTERS: Final = "ABCDEFGHJKLMNPQRTUVWXYZ"
_ADMINISTRATIVE: Final = "OO|CR|FY|MW|NC"
_UNUSED_PREFIXES: Final = "BG|GB|KN|NK|NT|TN|ZZ"

NHS_FORM: Final = "^[0-9]{10}$"
UPN_FORM: Final = f"^[{_UPN_LETTERS}{_UPN_LETTERS.lower()}][0-9]{{12}}$"
NINO_FORM: Final = (
    "^(?:[A-CEGHJ-PR-TW-Za-ceghj-pr-tw-z][A-CEGHJ-NPR-TW-Za-ceghj-npr-tw-z]|[Qq]{2})"
    "[0-9]{6}[A-Da-d]?$"
)
POSTCODE_FORM: Final = (
    "^(?:GIR0AA|(?:[A-PR-UWYZ](?:[0-9][0-9]?|[0-9][ABCDEFGHJKPSTUW]"
    "|[A-HK-Y][0-9][0-9]?|[A-HK-Y][0-9][ABEHMNPRVWXY]))[0-9][ABD-HJLNP-UW-Z]{2})$"
)
UPRN_FORM: Final = "^0*[1-9][0-9]{0,11}$"


def nhs_number_valid(text: pl.Expr | str, *, synthetic: bool) -> pl.Expr:
    """Whether each text is an NHS number: ten digits, modulus 11, not ten equal digits.

    Args:
        text: a text column or its name.
        synthetic: admit numbers that begin with 999, which no person has.
    """
    return _column(text).map_batches(
        partial(_nhs_numbers, synthetic=synthetic), return_dtype=pl.Boolean, is_elementwise=True
    )


def upn_valid(text: pl.Expr | str) -> pl.Expr:
    """Whether each text is a permanent UPN: check letter (modulus 23) and twelve digits.

    Temporary numbers, which end in a letter, are refused: they name nobody for long.
    """
    return _column(text).map_batches(_upns, return_dtype=pl.Boolean, is_elementwise=True)


def nino_valid(text: pl.Expr | str, *, synthetic: bool) -> pl.Expr:
    """Whether each text is a national insurance number; the suffix may be absent.

    Administrative prefixes and those never used are refused.

    Args:
        text: a text column or its name.
        synthetic: admit the prefix QQ, which HMRC gives to nobody.
    """
    code = _compact(text)
    refused = f"(?i)^(?:{_ADMINISTRATIVE}|{_UNUSED_PREFIXES}{'' if synthetic else '|QQ'})"
    return code.str.contains(NINO_FORM) & ~code.str.contains(refused)


def postcode_valid(text: pl.Expr | str) -> pl.Expr:
    """Whether each text is a postcode by the BS 7666 grammar, N1P admitted.

    ZZ99 and other not-known forms are no postcodes: see `postcode_not_known`.
    """
    return _letters_and_digits(text).str.contains(POSTCODE_FORM)


def postcode_not_known(text: pl.Expr | str) -> pl.Expr:
    """Whether each text is one of the ZZ99 codes that say that the postcode is not known."""
    return _letters_and_digits(text).str.starts_with("ZZ99")


def uprn_valid(text: pl.Expr | str) -> pl.Expr:
    """Whether each text is a UPRN: 1 to 12 digits after leading zeros."""
    return _trimmed(text).str.contains(UPRN_FORM)


def nhs_number_form(text: pl.Expr | str, *, synthetic: bool) -> pl.Expr:
    """The ten digits of each valid NHS number, else null."""
    return pl.when(nhs_number_valid(text, synthetic=synthetic)).then(_compact(text))


def upn_form(text: pl.Expr | str) -> pl.Expr:
    """The thirteen characters of each valid UPN in upper case, else null."""
    return pl.when(upn_valid(text)).then(_compact(text).str.to_uppercase())


def nino_form(text: pl.Expr | str, *, synthetic: bool) -> pl.Expr:
    """The first eight characters of each valid national insurance number, else null."""
    eight = _compact(text).str.slice(0, 8).str.to_uppercase()
    return pl.when(nino_valid(text, synthetic=synthetic)).then(eight)


def postcode_unit(text: pl.Expr | str) -> pl.Expr:
    """The unit without space in upper case of each valid postcode, else null."""
    return pl.when(postcode_valid(text)).then(_letters_and_digits(text))


def uprn_form(text: pl.Expr | str) -> pl.Expr:
    """The digits of each valid UPRN without leading zeros, else null."""
    return pl.when(uprn_valid(text)).then(_trimmed(text).str.strip_chars_start("0"))


def _column(text: pl.Expr | str) -> pl.Expr:
    return pl.col(text) if isinstance(text, str) else text


def _trimmed(text: pl.Expr | str) -> pl.Expr:
    return _column(text).str.strip_chars(WHITE_SPACE)


def _compact(text: pl.Expr | str) -> pl.Expr:
    return _column(text).str.replace_all(_GAPS, "")


def _letters_and_digits(text: pl.Expr | str) -> pl.Expr:
    """ASCII letters and digits only, then upper case: no locale, no look-alikes."""
    return _column(text).str.replace_all("[^A-Za-z0-9]+", "").str.to_uppercase()


def _nhs_numbers(texts: pl.Series, *, synthetic: bool) -> pl.Series:
    """Judge a block in steps, so that each is worked out once."""
    digits = texts.alias("is").to_frame().select(_compact("is")).to_series()
    shaped = digits.str.contains(NHS_FORM)
    numbers = digits.zip_with(shaped.fill_null(value=False), _nulls(digits)).cast(pl.Int64)
    total = _weighted(numbers, places=range(10), weights=range(1, 11))
    checked = (total % 11 == 0) & (numbers % 1_111_111_111 != 0)
    well = _null_for_null(shaped & checked.fill_null(value=False), texts)
    return well if synthetic else well & ~digits.str.starts_with("999")


def _upns(texts: pl.Series) -> pl.Series:
    codes = texts.alias("is").to_frame().select(_compact("is")).to_series()
    shaped = codes.str.contains(UPN_FORM)
    kept = codes.zip_with(shaped.fill_null(value=False), _nulls(codes))
    total = _weighted(kept.str.slice(1).cast(pl.Int64), places=range(12), weights=range(13, 1, -1))
    letters = kept.str.slice(0, 1).str.to_uppercase()
    values = letters.replace_strict(
        list(_UPN_LETTERS), list(range(23)), default=None, return_dtype=pl.Int64
    )
    return _null_for_null(shaped & (total % 23 == values).fill_null(value=False), texts)


def _null_for_null(verdict: pl.Series, texts: pl.Series) -> pl.Series:
    """Missing is neither valid nor invalid."""
    unknown = pl.repeat(None, len(texts), dtype=pl.Boolean, eager=True)
    return verdict.zip_with(texts.is_not_null(), unknown)


def _nulls(like: pl.Series) -> pl.Series:
    return pl.repeat(None, len(like), dtype=pl.String, eager=True)


def _weighted(numbers: pl.Series, *, places: range, weights: range) -> pl.Series:
    """The sum of decimal digits, the last one first, each times its weight."""
    digits = [
        pl.col("n") // 10**place % 10 * weight
        for place, weight in zip(places, weights, strict=True)
    ]
    total = pl.sum_horizontal(digits, ignore_nulls=False)
    return numbers.alias("n").to_frame().select(total).to_series()
