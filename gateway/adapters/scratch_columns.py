"""Columns of a frame as bytes for the scratch room, and back, each column by itself.

What the bytes mean stays in memory, with the process that wrote them: nothing is parsed
when they are read, and a reader who needs three columns opens only those. Numbers stand
in as few bytes as they need, texts one after the other, sixteen bytes as they are.

Source: decision 0218.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl

from gateway.adapters.extract_blocks import packed_texts, unpacked_texts

Octets = bytes | memoryview
_ALIGNED: Final = 64
_PLAIN: Final = frozenset(
    {
        *(pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64),
        *(pl.Float32, pl.Float64, pl.Date),
    }
)
_SHORT: Final = (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32)
_DIGESTS: Final = pl.Array(pl.UInt8, 16)


@dataclass(frozen=True, slots=True)
class Place:
    """Where one column lies in a body, and how it is read again.

    `empty` is the column without a row: as long as it is held, a category keeps its number.
    """

    name: str
    start: int
    end: int
    empty: pl.Series = field(repr=False)
    read: Callable[[memoryview, int, pl.Series], pl.Series] = field(repr=False)


def packed(frame: pl.DataFrame) -> tuple[tuple[Place, ...], list[Octets]]:
    """The places of all columns, and the bytes that hold them, in their order."""
    at = 0
    places: list[Place] = []
    octets: list[Octets] = []
    for series in frame.get_columns():
        read, parts = _written(series)
        start = at
        for part in parts:
            octets.append(part)
            at += len(part)
        places.append(Place(series.name, start, at, series.clear(), read))
        octets.append(bytes(-at % _ALIGNED))
        at += -at % _ALIGNED
    return tuple(places), octets


def unpacked(places: Iterable[Place], body: memoryview, rows: int) -> pl.DataFrame:
    """The columns at some places of a body."""
    made = [
        place.read(body[place.start : place.end], rows, place.empty).alias(place.name)
        for place in places
    ]
    return pl.DataFrame(made)


_Read = Callable[[memoryview, int, pl.Series], pl.Series]


def _written(series: pl.Series) -> tuple[_Read, list[Octets]]:
    kind = series.dtype
    if kind == pl.String and (texts := packed_texts(series)) is not None:
        return _texts, [texts]
    if kind in _PLAIN or kind == pl.Categorical:
        return _numbers(series)
    if kind == _DIGESTS and not series.null_count():
        return _digests, [_bytes_of(series.rechunk().to_numpy())]
    if kind == pl.Null:
        return _nothing, []
    buffer = io.BytesIO()
    series.alias("").to_frame().write_ipc(buffer)
    return _other, [buffer.getbuffer()]


def _bytes_of(values: np.ndarray[Any, Any]) -> memoryview:
    return np.ascontiguousarray(values).reshape(-1).view(np.uint8).data


def _numbers(series: pl.Series) -> tuple[_Read, list[Octets]]:
    physical = series.to_physical().rechunk()
    missing: list[Octets] = []
    if physical.null_count():
        missing = [np.packbits(physical.is_null().to_numpy()).tobytes()]
        physical = physical.fill_null(0)
    values = physical.to_numpy()
    held = np.dtype(_shortest(values))
    return _Numbers(held, values.dtype, bool(missing)), [*missing, _bytes_of(values.astype(held))]


def _shortest(values: np.ndarray[Any, Any]) -> Any:
    """The shortest type that holds these whole numbers; any other keeps its own."""
    if values.dtype.kind not in "iu" or not values.size:
        return values.dtype
    low, high = int(values.min()), int(values.max())
    fitting: Iterator[Any] = (
        kind for kind in _SHORT if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max
    )
    found = np.dtype(next(fitting, values.dtype))
    return found if found.itemsize < values.dtype.itemsize else values.dtype


@dataclass(frozen=True, slots=True)
class _Numbers:
    """How numbers are held, what they were, and whether some are missing."""

    held: np.dtype[Any]
    were: np.dtype[Any]
    missing: bool

    def __call__(self, body: memoryview, rows: int, empty: pl.Series) -> pl.Series:
        at = -(-rows // 8) if self.missing else 0
        values = np.frombuffer(body[at:], self.held).astype(self.were, copy=False)
        series = pl.Series(values)
        if self.missing:
            absent = np.unpackbits(np.frombuffer(body[:at], np.uint8), count=rows)
            series = series.set(pl.Series(absent.view(np.bool_)), None)
        if empty.dtype == pl.Categorical:
            return series.cat.to(empty.dtype)
        return series.cast(empty.dtype)


def _texts(body: memoryview, rows: int, _empty: pl.Series) -> pl.Series:
    return unpacked_texts(body, rows)


def _digests(body: memoryview, rows: int, _empty: pl.Series) -> pl.Series:
    return pl.Series(np.frombuffer(body, np.uint8)).reshape((rows, 16))


def _nothing(_body: memoryview, rows: int, empty: pl.Series) -> pl.Series:
    return empty.extend_constant(None, rows)


def _other(body: memoryview, _rows: int, _empty: pl.Series) -> pl.Series:
    return pl.read_ipc(bytes(body)).to_series()
