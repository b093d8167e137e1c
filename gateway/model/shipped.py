"""The tables of `std1`, read from the files that are shipped with it, and their digests.

A table is part of the specification: its SHA-256 stands in the test vectors, and a
changed table is another standard (`std2`), because every token would change with it.

Source: docs/reference/pseudonyms.md, "Tables".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

TABLES: Final = ("std1-fold.tsv", "nicknames-1.tsv", "sentinels-1.tsv", "streets-1.tsv")


def table_digests() -> Mapping[str, str]:
    """Give the SHA-256 of each shipped table, in hex."""
    return MappingProxyType({name: hashlib.sha256(_read(name)).hexdigest() for name in TABLES})


@cache
def fold_table() -> Mapping[int, str]:
    """Map a code point to its upper-case ASCII spelling; a letter that is not in it is deleted."""
    return MappingProxyType({int(code, 16): text for code, text in _rows("std1-fold.tsv")})


@cache
def script_table() -> Mapping[int, str]:
    """Map a lower-case letter of another script to A to Z, for likeness only; no part of `std1`."""
    return MappingProxyType({int(code, 16): text for code, text in _rows("scripts-1.tsv")})


@cache
def nicknames() -> Mapping[str, str]:
    """Map a forename to the form that it is short for."""
    return MappingProxyType(dict(_rows("nicknames-1.tsv")))


@cache
def streets() -> Mapping[str, str]:
    """Map the short last word of a street to the full one."""
    return MappingProxyType(dict(_rows("streets-1.tsv")))


@cache
def sentinels(scope: str) -> tuple[str, ...]:
    """List the values that mean missing: scope `any`, `not-surname` or `name`."""
    return tuple(value for value, where in _rows("sentinels-1.tsv") if where == scope)


def _read(name: str) -> bytes:
    return files("gateway").joinpath("identity", "tables", name).read_bytes()


def _rows(name: str) -> list[tuple[str, str]]:
    lines = _read(name).decode("utf-8").splitlines()
    pairs = [line.split("\t") for line in lines]
    return [(key, value) for key, value in pairs]
