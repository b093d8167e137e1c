"""What the batch knows about its own people, kept only to recognise it at the last gate.

Names, dates of birth and postcodes as sets of distinct values; of national
numbers the unsalted digests of a sample, because a program that leaks digests
leaks those of everyone.

Source: security point 18.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import polars as pl

SHORTEST_NAME = 4
SHORTEST_POSTCODE = 6
SAMPLE_NUMBERS = 1000

_NAMES: Final = ("fn1", "fn2", "fnx", "sn1", "sn2", "snx", "mn", "nick", "st", "town")
_NUMBERS: Final = ("nhs", "upn", "nino", "uprn")

_HASHES: Final[tuple[Callable[[bytes], bytes], ...]] = (
    lambda text: hashlib.sha256(text).digest(),
    lambda text: hashlib.sha1(text, usedforsecurity=False).digest(),
    lambda text: hashlib.md5(text, usedforsecurity=False).digest(),
)
_SPELLINGS: Final[tuple[Callable[[bytes], str], ...]] = (
    lambda digest: digest.hex(),
    lambda digest: digest.hex().upper(),
    lambda digest: base64.b64encode(digest).decode(),
    lambda digest: base64.b64encode(digest).decode().rstrip("="),
    lambda digest: base64.urlsafe_b64encode(digest).decode(),
    lambda digest: base64.urlsafe_b64encode(digest).decode().rstrip("="),
    lambda digest: base64.b32encode(digest).decode().rstrip("=").lower(),
)


@dataclass(frozen=True, slots=True)
class Directs:
    """The batch's own direct identifiers: `texts` folded, `numbers` a sample."""

    texts: pl.Series = field(repr=False)
    numbers: pl.Series = field(repr=False)


def no_directs() -> Directs:
    """Nothing seen yet."""
    empty = pl.Series("text", [], dtype=pl.String)
    return Directs(empty, empty)


def directs(frame: pl.DataFrame) -> Directs:
    """Summarise one block of the cohort.

    Args:
        frame: columns `std.ELEMENT` as far as they are there.
    """
    return Directs(
        texts=_distinct([*_names(frame), *_postcodes(frame), *_dates(frame)]),
        numbers=_distinct(_elements(frame, _NUMBERS)).sort().head(SAMPLE_NUMBERS),
    )


def merge_directs(first: Directs, second: Directs) -> Directs:
    """The summary of both blocks."""
    return Directs(
        _distinct([first.texts, second.texts]),
        _distinct([first.numbers, second.numbers]).sort().head(SAMPLE_NUMBERS),
    )


def digests_of(numbers: pl.Series) -> frozenset[str]:
    """Unsalted SHA-256, SHA-1 and MD5 of each number, in every usual spelling."""
    texts = [text.encode() for number in numbers.to_list() for text in {number, number.lower()}]
    made = [digest(text) for text in texts for digest in _HASHES]
    return frozenset(spell(digest) for digest in made for spell in _SPELLINGS)


def folded(texts: pl.Expr) -> pl.Expr:
    """Letters and digits in upper case: how cells and direct identifiers are compared."""
    return texts.str.to_uppercase().str.replace_all(r"[^A-Z0-9]", "")


def _elements(frame: pl.DataFrame, names: Iterable[str]) -> list[pl.Series]:
    wanted = set(names)
    return [
        frame[column].unique()
        for column in frame.columns
        if column.startswith("std.") and column.rsplit(".", 1)[-1] in wanted
    ]


def _names(frame: pl.DataFrame) -> list[pl.Series]:
    return [s.filter(s.str.len_bytes() >= SHORTEST_NAME) for s in _elements(frame, _NAMES)]


def _postcodes(frame: pl.DataFrame) -> list[pl.Series]:
    return [s.filter(s.str.len_bytes() >= SHORTEST_POSTCODE) for s in _elements(frame, ("pc",))]


def _dates(frame: pl.DataFrame) -> list[pl.Series]:
    """Each date of birth in its year-first and day-first digits."""
    born = [s.str.replace_all("-", "") for s in _elements(frame, ("dob",))]
    return [*born, *(s.str.slice(6, 2) + s.str.slice(4, 2) + s.str.slice(0, 4) for s in born)]


def _distinct(series: Iterable[pl.Series]) -> pl.Series:
    parts = [part.rename("text").drop_nulls().cast(pl.String) for part in series]
    return pl.concat(parts).unique() if parts else no_directs().texts
