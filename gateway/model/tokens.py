"""The names of the tokens and the components that each is made of: words only.

A token is never made of one attribute alone, national numbers apart, and every
composite key holds the date of birth or most of it. A number is never reused.

Source: docs/reference/pseudonyms.md, "Components".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from gateway.errors import UsageError

SCHEME: Final = "sfg1"
STANDARD: Final = "std1"

# The elements of `std1` in the order of the reference; alias slots add "former1.sn1" and so on.
ELEMENTS: Final[tuple[str, ...]] = (
    "fn1",
    "fn2",
    "fnx",
    "sn1",
    "sn2",
    "snx",
    "mn",
    "alpha",
    "nick",
    "dob",
    "sex",
    "pc",
    "hn",
    "st",
    "town",
    "uprn",
    "nhs",
    "upn",
    "nino",
)

# "x[:3]" first letters, "x[-3:]" last ones, "soundex(x)", "{a,b}" the two sorted and joined by
# 0x1F; sector, district and area are parts of pc; year, month and day are parts of dob.
COMPONENTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        name: tuple(recipe.split())
        for name, recipe in (
            ("T01", "fnx snx dob sex pc"),
            ("T02", "fn1 sn1 dob sex uprn"),
            ("T03", "fn1 sn1 dob pc"),
            ("T04", "{fn1,sn1} dob sex pc"),
            ("T05", "nick sn1 dob sex pc"),
            ("T06", "mn sn1 dob sex pc"),
            ("T07", "soundex(fn1) soundex(sn1) dob pc"),
            ("T08", "alpha dob"),
            ("T09", "fn1 sn1 dob sex"),
            ("T10", "fn1[:1] dob sex pc"),
            ("T11", "sn1[:1] dob sex pc"),
            ("T12", "fn1[:1] sn1[:1] dob sex district"),
            ("T13", "fn1[:2] sn1[:2] dob sex area"),
            ("T14", "fn1 sn1 year sex area"),
            ("T15", "fn1 sn1 year month district"),
            ("T16", "fn1 sn1 year day district"),
            ("T17", "fn1 sn1 month day district"),
            ("T18", "fn1 sn1 year {day,month}"),
            ("T19", "fn1 dob pc hn"),
            ("T20", "sn1 dob pc hn"),
            ("T21", "dob pc hn"),
            ("T22", "fn1[:3] sn1[:3] dob"),
            ("T23", "fn1[-3:] sn1[-3:] dob sector"),
            ("T24", "fn1[:3] sn1 year month pc"),
            ("T25", "fn1[:3] sn1 month day pc"),
            ("T26", "fn1[:3] sn1 year day pc"),
            ("T27", "fn1 year month pc hn"),
            ("T28", "fn1 month day pc hn"),
            ("T29", "fn1 year day pc hn"),
            ("T30", "sn1 year month pc hn"),
            ("T31", "sn1 month day pc hn"),
            ("T32", "soundex(fn1) sn1 dob district"),
            ("T33", "fn1 soundex(sn1) dob district"),
            ("T34", "fn1 dob st"),
            ("T35", "sn1 dob st"),
            ("T36", "fn1[:1] sn1 dob"),
            ("T37", "fn1 sn1[:1] dob area"),
            ("T38", "dob hn st"),
            ("T39", "fn1 dob town"),
            ("TN-nhs", "nhs"),
            ("TN-upn", "upn"),
            ("TN-nino", "nino"),
        )
    }
)

TOKEN_NAMES: Final[tuple[str, ...]] = tuple(COMPONENTS)

# Keys without a forename: they join twins when one of them is absent, and are flagged.
WEAK_TOKENS: Final[frozenset[str]] = frozenset({"T11", "T20", "T21", "T30", "T31", "T35", "T38"})

_PARTS: Final[Mapping[str, str]] = MappingProxyType(
    {"year": "dob", "month": "dob", "day": "dob", "sector": "pc", "district": "pc", "area": "pc"}
)

SURNAME_ELEMENTS: Final = frozenset({"sn1", "sn2", "snx", "alpha"})


def component_elements(component: str) -> tuple[str, ...]:
    """The standardised elements that one component of the table is made of."""
    words = re.findall(r"[a-z][a-z0-9]*", component.replace("soundex(", "("))
    return tuple(dict.fromkeys(_PARTS.get(word, word) for word in words))


def token_elements(name: str) -> tuple[str, ...]:
    """The standardised elements that a token is made of, in the order of the table.

    Raises:
        UsageError: no token has this name.
    """
    if name not in COMPONENTS:
        raise unknown_token(name)
    return tuple(
        dict.fromkeys(
            element for component in COMPONENTS[name] for element in component_elements(component)
        )
    )


def of_surname(name: str) -> bool:
    """Whether a token is made of a surname, so that another surname makes another token."""
    return not SURNAME_ELEMENTS.isdisjoint(token_elements(name))


def expand_token_names(names: Iterable[str]) -> tuple[str, ...]:
    """The single tokens that names and ranges ("T01..T39") mean, in the order of the table.

    Args:
        names: token names, and ranges "first..last" of T-numbers, both ends inclusive.

    Raises:
        UsageError: a name is unknown, a range runs backwards, or nothing is named.
    """
    wanted = {name for entry in names for name in _expand_entry(entry)}
    if not wanted:
        raise UsageError("identity/no-tokens", "No token is named.", remedy="Name at least one.")
    return tuple(name for name in TOKEN_NAMES if name in wanted)


def unknown_token(name: str) -> UsageError:
    """The error for a name that is not in the table."""
    return UsageError(
        "identity/unknown-token",
        f'No token is called "{name}".',
        remedy="Tokens are T01 to T39, TN-nhs, TN-upn and TN-nino.",
        token=name,
    )


def _expand_entry(entry: str) -> tuple[str, ...]:
    first, dots, last = entry.partition("..")
    if not dots:
        last = first
    if first not in COMPONENTS:
        raise unknown_token(first)
    if last not in COMPONENTS or (dots and "TN-" in entry):
        raise unknown_token(last)
    start, end = TOKEN_NAMES.index(first), TOKEN_NAMES.index(last)
    if end < start:
        raise unknown_token(entry)
    return TOKEN_NAMES[start : end + 1]
