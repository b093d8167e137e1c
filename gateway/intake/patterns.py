"""Regular expressions that stock Great Expectations and the compiled pass both read.

Every expression is made here from a closed set of named forms, so no contract
carries a pattern of its own that could backtrack; the compiled pass runs them on
a linear-time engine. They are anchored at both ends of the text.

Source: security point 14; docs/reference/contracts.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_YEAR: Final = "(?:1[89]|20|21)[0-9]{2}"
# Years divisible by 4 and not by 100, or by 400, from 1800 to 2199.
_LEAP: Final = "(?:(?:1[89]|20|21)(?:0[48]|[2468][048]|[13579][26])|2000)"

# How days are written elsewhere: a text in one of these is a date in another form.
DAY_FORMS: Final = ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%Y%m%d", "%d-%m-%Y", "%d.%m.%Y")

LATIN: Final = "[A-Za-z\u00c0-\u024f]"
GREEK_OR_CYRILLIC: Final = "[\u0370-\u052f]"
MIXED_SCRIPT: Final = f"(?:{LATIN}.*{GREEK_OR_CYRILLIC}|{GREEK_OR_CYRILLIC}.*{LATIN})"
SPREADSHEET_NUMBER: Final = r"^[0-9]+(?:\.[0-9]+)?[Ee][+-]?[0-9]+$|^[0-9]+\.0$|^#[A-Z/0!?]+$"
# What nobody sees: C1 controls, soft hyphen, direction marks and overrides, zero-width spaces,
# invisible operators, annotation marks and tags (Unicode TR 36, 2.10). The two joiners, U+200C
# and U+200D, are orthography in several scripts and stay.
HIDDEN: Final = (
    "\\x80-\\x9f\\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f"
)
HIDDEN_LETTER: Final = f"[{HIDDEN}]"
_SEEN: Final = f"[^\\x00-\\x1f\\x7f{HIDDEN}]*"
TEXT: Final = f"^{_SEEN}[^\\x00-\\x20\\x7f{HIDDEN}]{_SEEN}$"

# Forms of texts that a contract may name beside the national identifiers.
NAMED: Final = {
    "academic-year": "^(?:19|20)[0-9]{2}/[0-9]{2}$",
    "digits": "^[0-9]+$",
    "school-urn": "^[0-9]{6}$",
    "letters-and-digits": "^[A-Za-z0-9]+$",
    "reference": "^[A-Za-z0-9][A-Za-z0-9/_.:-]*$",
}


def whole(pattern: str) -> str:
    """Write an expression for Python's engine, where `$` would admit a last newline."""
    return re.sub(r"\$(?=$|\|)", r"\\Z", pattern)


def date_pattern(forms: Sequence[str]) -> str:
    """Make an expression for real dates, 1800 to 2199, in any of these strptime forms."""
    return "^(?:" + "|".join(_date(form) for form in forms) + ")$"


def codes_pattern(codes: Sequence[str]) -> str:
    """Make an expression for a semicolon-separated list over a code list."""
    one = "(?:" + "|".join(re.escape(code) for code in codes) + ")"
    return f"^{one}(?:;{one})*$"


def number_pattern(*, decimals: int, minimum: float | None, maximum: float | None) -> str:
    """Make an expression for numbers in plain notation, within whole-number bounds.

    Bounds are inclusive. Without them, up to 15 digits before the point.
    """
    point = f"(?:\\.[0-9]{{1,{decimals}}})?" if decimals else ""
    if minimum is None and maximum is None:
        return f"^-?(?:0|[1-9][0-9]{{0,14}}){point}$"
    low = -(10**15) + 1 if minimum is None else int(minimum)
    high = 10**15 - 1 if maximum is None else int(maximum)
    parts = []
    if high >= 0:
        parts.append(_bounded(max(low, 0), high, decimals, point))
    if low < 0:
        least = 0 if decimals else 1
        parts.append("-" + _bounded(max(-high, least), -low, decimals, point))
    return "^(?:" + "|".join(parts) + ")$"


def _bounded(low: int, high: int, decimals: int, point: str) -> str:
    """From low to high, both >= 0; at the upper bound the fraction may only be zero."""
    if not decimals:
        return "(?:" + "|".join(_between(low, high)) + ")"
    zeros = f"(?:\\.0{{1,{decimals}}})?"
    below = [f"(?:{'|'.join(_between(low, high - 1))}){point}"] if low < high else []
    return "(?:" + "|".join([*below, f"{high}{zeros}"]) + ")"


def _between(low: int, high: int) -> Iterator[str]:
    """Whole numbers from low to high without leading zeros, as alternatives."""
    while low <= high:
        block = 1
        while low % (block * 10) == 0 and low + block * 10 - 1 <= high and low > 0:
            block *= 10
        # A run of up to ten blocks of this size that share their leading digits.
        digit = low // block % 10
        last = min(9, digit + (high - low + 1) // block - 1)
        head = str(low // block)[:-1]
        tail = "[0-9]" * (len(str(block)) - 1)
        yield f"{head}[{digit}-{last}]{tail}"
        low += (last - digit + 1) * block


def _date(form: str) -> str:
    if "%b" in form:
        months = {number + 1: f"(?:{name}|{name.upper()})" for number, name in enumerate(_MONTHS)}
    else:
        months = {number: f"{number:02}" for number in range(1, 13)}
    long = "|".join(months[number] for number in (1, 3, 5, 7, 8, 10, 12))
    short = "|".join(months[number] for number in (4, 6, 9, 11))
    cases = (
        ("(?:0[1-9]|[12][0-9]|3[01])", f"(?:{long})", _YEAR),
        ("(?:0[1-9]|[12][0-9]|30)", f"(?:{short})", _YEAR),
        ("(?:0[1-9]|1[0-9]|2[0-8])", months[2], _YEAR),
        ("29", months[2], _LEAP),
    )
    return "|".join(_filled(form, day, month, year) for day, month, year in cases)


def _filled(form: str, day: str, month: str, year: str) -> str:
    parts = {"%d": day, "%m": month, "%b": month, "%Y": year}
    pieces = re.findall("%[dmbY]|[^%]", form)
    return "".join(parts.get(piece) or re.escape(piece) for piece in pieces)
