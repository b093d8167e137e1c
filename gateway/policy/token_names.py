"""What a token gives away: the vocabulary fields that it is made of.

A prohibition of a field forbids the tokens made of it, and a notice that does
not name an identifier forbids them too.

Source: docs/reference/pseudonyms.md, "Components".
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from types import MappingProxyType
from typing import Final

from gateway.errors import UsageError
from gateway.model.tokens import expand_token_names, token_elements

ELEMENT_FIELDS: Final = MappingProxyType(
    {
        "fn1": ("forename",),
        "fn2": ("forename",),
        "fnx": ("forename",),
        "nick": ("forename",),
        "mn": ("middle_names",),
        "sn1": ("surname",),
        "sn2": ("surname",),
        "snx": ("surname",),
        "alpha": ("forename", "surname"),
        "dob": ("date_of_birth",),
        "sex": ("sex",),
        "pc": ("postcode",),
        "hn": ("house_number",),
        "st": ("street",),
        "town": ("town",),
        "uprn": ("uprn",),
        "nhs": ("nhs_number",),
        "upn": ("upn",),
        "nino": ("nino",),
    }
)

_NAMES = frozenset({"forename", "middle_names", "surname"})
_ADDRESS = frozenset({"postcode", "house_number", "street", "town", "uprn"})


def carried_fields(token: str, *, slots: int) -> frozenset[str]:
    """The fields whose values are inside a token; alias rows carry former surnames too."""
    fields = frozenset(token_fields(token))
    return fields | {"former_surname"} if slots and "surname" in fields else fields


def unknown_tokens(names: Iterable[str]) -> tuple[str, ...]:
    """The names and ranges that mean no token."""
    return tuple(each for each in names if not _known(each))


def _known(each: str) -> bool:
    try:
        return bool(expand_token_names([each]))
    except UsageError:
        return False


def expanded(names: Iterable[str]) -> tuple[str, ...]:
    """The single tokens meant, in the order of the table; unknown ones mean nothing."""
    known = [each for each in names if _known(each)]
    return expand_token_names(known) if known else ()


@cache
def token_fields(token: str) -> frozenset[str]:
    """The vocabulary fields that a token is made of."""
    return frozenset(field for e in token_elements(token) for field in ELEMENT_FIELDS[e])


def identifier_of(field: str) -> str:
    """What a notice calls the identifier that a token's field is."""
    if field in _NAMES:
        return "name"
    return "address" if field in _ADDRESS else field
