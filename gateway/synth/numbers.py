"""National numbers, postcodes and UPRNs out of the ranges that no living person has.

    NHS number   999 nnn nnnn with a true check digit; when they run out, empty
    NINO         QQ nnnnnn A-D, a prefix that is never issued
    UPN          pseudo authority 001-005 with a true check letter
    postcode     areas ZA-ZD in the BS 7666 grammar
    UPRN         999 000 000 000 and up

Source: style.md, tests, reserved ranges; NHS data dictionary (mod 11); DfE UPN
guidance (mod 23); HMRC NIM39110; BS 7666.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from gateway.synth.draw import Ints

NHS_NUMBERS = 909_090  # of 909,091 with a true check digit, 999 999 9999 repeats one digit
NINO_NUMBERS = 1_000_000
UPRN_FIRST = 999_000_000_000
UNITS_IN_SECTOR = 400
UNITS_IN_DISTRICT = 10 * UNITS_IN_SECTOR
AREAS = ("ZA", "ZB", "ZC", "ZD")
_INWARD = "ABDEFGHJLNPQRSTUWXYZ"
_UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
_UPN_WEIGHTS = np.arange(2, 14)


def _digits(numbers: Ints, width: int) -> Ints:
    """Return one row of decimal digits for each number, most significant first."""
    return (numbers[:, None] // 10 ** np.arange(width - 1, -1, -1)) % 10


def nhs_numbers(n: int, rng: np.random.Generator) -> pl.Series:
    """Return n different NHS numbers in random order; beyond the range, empty.

    Raises:
        Nothing: numbers that run out are missing, never repeated.
    """
    stems = np.arange(999_000_000, 1_000_000_000, dtype=np.int64)
    check = 11 - (_digits(stems, 9) @ np.arange(10, 1, -1)) % 11
    check[check == 11] = 0
    valid = (stems * 10 + check)[check != 10]
    valid = valid[valid != 9_999_999_999]
    some = rng.permutation(valid)[:n]
    given = pl.Series(some).cast(pl.String)
    return given.extend_constant(None, n - len(some)) if n > len(some) else given


def ninos(n: int, rng: np.random.Generator) -> pl.Series:
    """Return n different QQ numbers with a suffix; beyond the range, empty."""
    some = rng.permutation(NINO_NUMBERS)[:n]
    suffix = pl.Series("suffix", list("ABCD")).gather(rng.integers(0, 4, len(some)))
    given = "QQ" + pl.Series(some).cast(pl.String).str.zfill(6) + suffix
    return given.extend_constant(None, n - len(some)) if n > len(some) else given


def upns(school: Ints, year: Ints, serial: Ints) -> pl.Series:
    """Return the UPN of each pupil.

    Args:
        school: 0 to 49,999; the pseudo authority and the school's number come of it.
        year: the two-digit year of first admission.
        serial: 0 to 999, different for pupils of the same school and year.
    """
    number = ((school % 5 + 1) * 10_000 + school // 5) * 100_000 + year * 1000 + serial
    check = (_digits(number, 12) @ _UPN_WEIGHTS) % 23
    letter = pl.Series(list(_UPN_LETTERS)).gather(check)
    return letter + pl.Series(number).cast(pl.String).str.zfill(12)


def postcodes(district: Ints, unit: Ints) -> pl.Series:
    """Return unit postcodes with their space.

    Args:
        district: 0 to 395; the areas take turns, so that each holds some.
        unit: 0 to 3,999 within the district: ten sectors of 400 units.
    """
    outward = pl.Series(AREAS).gather(district % 4) + pl.Series(district // 4 + 1).cast(pl.String)
    letters = [a + b for a in _INWARD for b in _INWARD]
    sector = pl.Series(unit // UNITS_IN_SECTOR).cast(pl.String)
    return outward + " " + sector + pl.Series(letters).gather(unit % UNITS_IN_SECTOR)


def uprns(home: Ints) -> pl.Series:
    """Return the 12-digit UPRN of each home."""
    return pl.Series(home + UPRN_FIRST).cast(pl.String)
