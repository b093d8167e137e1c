"""The one door to the kernel: columns in, a binary column out, on the fastest path there is.

Every path gives the same bytes; a test or a benchmark may name one. The `hashlib`
path needs no compiler and is about twenty times slower.

Source: RFC 7693; docs/adr/0100-the-kernel-chooses-its-path-itself.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import polars as pl

from gateway.errors import REPORT, UsageError
from gateway.keyed_hash import fallback

try:
    from gateway.keyed_hash import _blake2b as kernel
except ImportError:
    _C_PATHS: tuple[str, ...] = ()
else:
    _C_PATHS = ("c/portable", "c/avx2", "c/avx512")[: kernel.best() + 1]

DIGEST_BYTES: Final = 16
KEY_BYTES: Final = 32
PERSON_BYTES: Final = 16

_SLOW_PATH: Final = "hashlib"
_TWO_THREADS_FROM: Final = 50_000


class _Column:
    """An Arrow column that the kernel made, on its way into polars without a copy."""

    def __init__(self, capsules: tuple[object, object]) -> None:
        self._capsules = capsules

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        return self._capsules


def paths() -> tuple[str, ...]:
    """Name the paths that this machine can take, the slowest first."""
    return (_SLOW_PATH, *_C_PATHS)


def path() -> str:
    """Name the path that is taken: `c/avx512`, `c/avx2`, `c/portable`, or the slow `hashlib`."""
    return paths()[-1]


def blake2b_column(
    messages: pl.Series, key: bytes, *, person: bytes, on_path: str = "", threads: int = 2
) -> pl.Series:
    """Hash the bytes of each row.

    Args:
        messages: text (its UTF-8 bytes) or binary column; null stays null.
        key: 32 bytes.
        person: 16 bytes, the domain.
        on_path: one of `paths()`; the fastest when empty.
        threads: how many cores a column of 50,000 rows or more may use.

    Returns:
        A binary column of 16-byte digests, same order.

    Raises:
        UsageError: key, person, column type or path is not as said.
    """
    return _hashed((messages,), key, person, on_path, threads, framed=False)


def blake2b_framed(
    components: Sequence[pl.Series],
    key: bytes,
    *,
    person: bytes,
    on_path: str = "",
    threads: int = 2,
) -> pl.Series:
    """Hash the framed components of each row: 0x01, then u16 big-endian length and bytes of each.

    No joined text is ever made as a column, so none can be kept by mistake. A row
    in which a component is null gives null.

    Args:
        components: 1 to 16 text or binary columns of equal length, in their order.
        key: 32 bytes.
        person: 16 bytes, the domain.
        on_path: one of `paths()`; the fastest when empty.
        threads: how many cores a column of 50,000 rows or more may use.

    Returns:
        A binary column of 16-byte digests, same order.

    Raises:
        UsageError: as `blake2b_column`; or a component is longer than 65,535 bytes.
    """
    return _hashed(tuple(components), key, person, on_path, threads, framed=True)


def base32_column(digests: pl.Series) -> pl.Series:
    """Write 16-byte values as 26 lower-case RFC 4648 base32 characters, unpadded.

    Raises:
        UsageError: a value is not 16 bytes long.
    """
    if digests.dtype != pl.Binary:
        raise UsageError(
            "keyed-hash/not-digests", "Base32 is written of a binary column only.", remedy=REPORT
        )
    if not _C_PATHS:
        return _checked(lambda: fallback.base32(digests))
    stream = digests.rechunk().__arrow_c_stream__()
    return _checked(lambda: _taken(digests.name, kernel.base32(stream)))


def _hashed(
    columns: tuple[pl.Series, ...],
    key: bytes,
    person: bytes,
    on_path: str,
    threads: int,
    *,
    framed: bool,
) -> pl.Series:
    chosen = _checked_arguments(columns, key, person, on_path)
    if chosen == _SLOW_PATH:
        return _checked(lambda: fallback.hashed(columns, key, person, framed=framed))
    streams = tuple(column.rechunk().__arrow_c_stream__() for column in columns)
    cores = threads if len(columns[0]) >= _TWO_THREADS_FROM else 1
    number = _C_PATHS.index(chosen)
    return _checked(
        lambda: _taken(columns[0].name, kernel.hash(streams, framed, key, person, number, cores))
    )


def _taken(name: str, capsules: tuple[object, object]) -> pl.Series:
    return pl.Series(_Column(capsules)).alias(name)


def _checked_arguments(
    columns: tuple[pl.Series, ...], key: bytes, person: bytes, on_path: str
) -> str:
    if len(key) != KEY_BYTES:
        raise UsageError(
            "keyed-hash/key-length", "A key has exactly 32 bytes.", remedy=REPORT, bytes=len(key)
        )
    if len(person) != PERSON_BYTES:
        raise UsageError(
            "keyed-hash/person-length",
            "A person has exactly 16 bytes.",
            remedy=REPORT,
            bytes=len(person),
        )
    if not columns or any(column.dtype not in {pl.String, pl.Binary} for column in columns):
        raise UsageError(
            "keyed-hash/not-text", "Only text and binary columns are hashed.", remedy=REPORT
        )
    chosen = on_path or path()
    if chosen not in paths():
        raise UsageError(
            "keyed-hash/no-such-path",
            "This machine has no such path.",
            remedy="`keyed_hash.paths()` names those that it has.",
            path=chosen,
        )
    return chosen


def _checked(work: Callable[[], pl.Series]) -> pl.Series:
    """Run the kernel, whose complaints name no value."""
    try:
        return work()
    except ValueError as fault:
        raise UsageError(
            "keyed-hash/refused", f"The kernel refused: {fault}.", remedy=REPORT
        ) from None
