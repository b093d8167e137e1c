"""What the batch knows about its own people, kept only to recognise it at the last gate.

Names, dates of birth and postcodes as a set of hash values: the gate asks whether
a cell is among them and can tell nobody what they were. Of national numbers the
unsalted digests of a sample, because a program that leaks digests leaks those of
everyone.

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
# One set holds three kinds of text: each is hashed under a seed of its own.
_NAME, _POSTCODE, _BIRTH, _NUMBER = 1, 2, 3, 4
_KINDS: Final = ((_NAMES, _NAME), (("pc",), _POSTCODE), (("dob",), _BIRTH))
_SLOTS: Final = ("", *(f"former{slot}." for slot in range(1, 10)))

# The columns of a stored extract in which direct identifiers stand.
DIRECT_COLUMNS: Final = tuple(
    f"std.{slot}{element}" for slot in _SLOTS for element in (*_NAMES, "pc", "dob", *_NUMBERS)
)

# So many hash values wait before they are made distinct again.
_WAITING: Final = 1 << 20

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
    """The batch's own direct identifiers: `texts` as hash values, `numbers` a sample."""

    texts: tuple[pl.Series, ...] = field(repr=False)
    numbers: pl.Series = field(repr=False)

    def known(self, cells: pl.Series) -> int:
        """How many of these folded cells are one of the batch's own direct identifiers."""
        long = cells.filter(cells.str.len_bytes() >= SHORTEST_NAME)
        if not long.len():
            return 0
        spelled = long.alias("cell").to_frame().select(_spellings())
        asked = pl.concat([spelled[name] for name in spelled.columns]).drop_nulls().unique()
        met = [part.filter(part.is_in(asked.implode())) for part in self.texts]
        found = pl.concat([asked.clear(), *met]).implode()
        ours = long.is_in(self.numbers.implode())
        for name in spelled.columns:
            ours |= spelled[name].is_in(found).fill_null(value=False)
        return int(ours.sum())


def no_directs() -> Directs:
    """Nothing seen yet."""
    return Directs((), pl.Series("text", [], dtype=pl.String))


def directs(frame: pl.DataFrame) -> Directs:
    """Summarise one block of the cohort.

    Args:
        frame: columns `std.ELEMENT` as far as they are there.
    """
    hashed = [
        frame[column].hash(seed).alias("text")
        for elements, seed in _KINDS
        for column in _elements(frame, elements)
    ]
    numbers = [frame[column].alias("text") for column in _elements(frame, _NUMBERS)]
    return Directs(texts=tuple(hashed), numbers=_sampled(numbers))


def merge_directs(first: Directs, second: Directs) -> Directs:
    """The summary of both blocks."""
    return Directs(
        _settled((*first.texts, *second.texts)), _sampled([first.numbers, second.numbers])
    )


def digests_of(numbers: pl.Series) -> frozenset[str]:
    """Unsalted SHA-256, SHA-1 and MD5 of each number, in every usual spelling."""
    texts = [text.encode() for number in numbers.to_list() for text in {number, number.lower()}]
    made = [digest(text) for text in texts for digest in _HASHES]
    return frozenset(spell(digest) for digest in made for spell in _SPELLINGS)


def unsalted(found: Directs) -> pl.Series:
    """The unsalted digests of the numbers of a batch, as texts."""
    return pl.Series("text", list(digests_of(found.numbers)), dtype=pl.String)


def folded(texts: pl.Expr) -> pl.Expr:
    """Letters and digits in upper case: how cells and direct identifiers are compared."""
    return texts.str.to_uppercase().str.replace_all(r"[^A-Z0-9]", "")


def _spellings() -> list[pl.Expr]:
    """What a cell would be hashed as: a name, a postcode, a date written in two ways."""
    cell = pl.col("cell")
    size = cell.str.len_bytes()
    eight = size == 8
    forms = {
        "name": (_NAME, size >= SHORTEST_NAME, cell),
        "postcode": (_POSTCODE, size >= SHORTEST_POSTCODE, cell),
        "year-first": (_BIRTH, eight, _dashed(cell, (0, 4), (4, 2), (6, 2))),
        "day-first": (_BIRTH, eight, _dashed(cell, (4, 4), (2, 2), (0, 2))),
    }
    return [
        pl.when(fits).then(form.hash(seed)).alias(name)
        for name, (seed, fits, form) in forms.items()
    ]


def _dashed(cell: pl.Expr, *parts: tuple[int, int]) -> pl.Expr:
    """The digits of a date in the form of the element: year, month and day."""
    return pl.concat_str([cell.str.slice(at, size) for at, size in parts], separator="-")


def _elements(frame: pl.DataFrame, names: Iterable[str]) -> list[str]:
    wanted = set(names)
    return [
        column
        for column in frame.columns
        if column.startswith("std.") and column.rsplit(".", 1)[-1] in wanted
    ]


def _settled(parts: tuple[pl.Series, ...]) -> tuple[pl.Series, ...]:
    """The parts, made distinct when as many wait as are settled already."""
    waiting = sum(part.len() for part in parts[1:])
    if waiting < max(parts[0].len() if parts else 0, _WAITING):
        return parts
    return (pl.concat(parts).unique(),)


def _sampled(parts: Iterable[pl.Series]) -> pl.Series:
    """The numbers with the smallest hash values: the same sample in whatever order they come."""
    kept = []
    for part in parts:
        some = part.drop_nulls()
        if some.len() > SAMPLE_NUMBERS:
            hashed = some.hash(_NUMBER)
            limit = hashed.bottom_k(SAMPLE_NUMBERS).max()
            some = some.filter(hashed <= limit)
        kept.append(some)
    if not kept:
        return no_directs().numbers
    every = pl.concat(kept).unique()
    return every.gather(every.hash(_NUMBER).arg_sort()).head(SAMPLE_NUMBERS)
