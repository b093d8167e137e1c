"""How a value may leave: the closed set of treatments and what each is for.

Source: docs/reference/policy.md, "Treatments"; UK GDPR Art 5(1)(c).
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from gateway.model import FieldClass
from gateway.policy.vocabulary import FieldEntry

DATE_TREATMENTS: Final = ("year", "month", "quarter", "week-of-birth")
AGE_TREATMENTS: Final = ("age", "age-band-5", "age-band-10")
POSTCODE_TREATMENTS: Final = ("postcode-sector", "postcode-district", "postcode-area")
ANY_TREATMENTS: Final = ("keep", "flag", "pseudonym")
NUMBER_TREATMENTS: Final = ("threshold", "band", "top-code", "round")

# From a finer to a coarser treatment of the same value: what `coarsen` can do.
LADDERS: Final = (
    ("postcode-sector", "postcode-district", "postcode-area"),
    ("month", "quarter", "year"),
    ("age", "age-band-5", "age-band-10"),
)

TREATMENTS: Final = (
    *ANY_TREATMENTS,
    *DATE_TREATMENTS,
    *AGE_TREATMENTS,
    *POSTCODE_TREATMENTS,
    "threshold:N",
    "band:N,N...",
    "top-code:N",
    "round:N",
)

SAID: Final = {
    "keep": "as it is",
    "year": "as the year",
    "month": "as the month",
    "quarter": "as the quarter",
    "week-of-birth": "as the week",
    "age": "as the age in years",
    "age-band-5": "as a five-year age band",
    "age-band-10": "as a ten-year age band",
    "postcode-sector": "as the postcode sector",
    "postcode-district": "as the postcode district",
    "postcode-area": "as the postcode area",
    "flag": "as present or absent",
    "pseudonym": "as a pseudonym",
}

_NUMBER = {
    "threshold": re.compile(r"\d{1,9}(\.\d{1,6})?"),
    "top-code": re.compile(r"\d{1,9}"),
    "round": re.compile(r"[1-9]\d{0,8}"),
    "band": re.compile(r"\d{1,9}(,\d{1,9}){0,30}"),
}


def is_treatment(treat: str) -> bool:
    """Whether the text is one of the closed set, its number well formed."""
    name, colon, number = treat.partition(":")
    if not colon:
        return treat in SAID
    if name not in _NUMBER or not _NUMBER[name].fullmatch(number):
        return False
    return name != "band" or all(int(a) < int(b) for a, b in pairwise(number.split(",")))


def is_coarser(treat: str, than: str) -> bool:
    """Whether a value treated in one way can be made strictly coarser in another."""
    return any(than in steps and treat in steps[steps.index(than) + 1 :] for steps in LADDERS)


def fits(treat: str, column_type: str, entry: FieldEntry) -> bool:
    """Whether a treatment can be applied to a column of this type and field."""
    name = treat.partition(":")[0]
    if name in DATE_TREATMENTS or name in AGE_TREATMENTS:
        return column_type == "date"
    if name in POSTCODE_TREATMENTS:
        return entry.postcode
    if name in NUMBER_TREATMENTS:
        return column_type in {"integer", "decimal"}
    return True


def said(treat: str) -> str:
    """A treatment in plain words."""
    name, _, number = treat.partition(":")
    words = {
        "threshold": f"as whether it is {number} or more",
        "band": f"as a band (from {number.replace(',', ', ')})",
        "top-code": f"with {number} and more as one value",
        "round": f"rounded to {number}",
    }
    return SAID.get(treat) or words.get(name, "in another form")


def class_after(treat: str, field_class: FieldClass) -> FieldClass:
    """The class of what leaves: a coarsened direct identifier is a key variable."""
    if field_class is not FieldClass.DIRECT or treat == "keep":
        return field_class
    return FieldClass.PLAIN if treat in {"flag", "pseudonym"} else FieldClass.KEY_VARIABLE


def expand_names(name: str) -> tuple[str, ...]:
    """The single names that "FPD01..FPD03" means, both ends inclusive; another name is itself."""
    first, dots, last = name.partition("..")
    low, high = re.fullmatch(r"(.*?)(\d{1,6})", first), re.fullmatch(r"(.*?)(\d{1,6})", last)
    if not dots or low is None or high is None or low[1] != high[1] or len(low[2]) != len(high[2]):
        return (name,)
    numbers = range(int(low[2]), int(high[2]) + 1)
    if not 0 < len(numbers) <= 1000:
        return (name,)
    return tuple(f"{low[1]}{number:0{len(low[2])}d}" for number in numbers)
