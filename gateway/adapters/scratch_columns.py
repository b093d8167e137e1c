"""Columns of a frame as bytes for the scratch room, and back, each column by itself.

What the bytes mean stays in memory, with the process that wrote them: nothing is parsed
when they are read, and a reader who needs three columns opens only those. Numbers stand
in as few bytes as they need, texts one after the other, sixteen bytes as they are.

Source: decision 0218.
"""

from __future__ import annotations

import io
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl

from gateway.adapters.extract_blocks import packed_texts, unpacked_texts
from gateway.model.stages import Wanted

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


_Read = Callable[[memoryview, int, pl.Series], pl.Series]


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """What a column is called, and how it is read again; shared by all frames it fits.

    `empty` is the column without a row: as long as it is held, a category keeps its number.
    """

    name: str
    empty: pl.Series = field(repr=False)
    read: _Read = field(repr=False)


@dataclass(frozen=True, slots=True)
class Packed:
    """One frame as bytes: its columns, and where each one ends."""

    rows: int
    columns: tuple[Column, ...] = field(repr=False)
    ends: array[int]

    def places(self, wanted: Wanted) -> list[tuple[Column, int, int]]:
        """The wanted columns, where each begins and where it ends."""
        starts = (0, *(end + -end % _ALIGNED for end in self.ends))
        return [
            each
            for each in zip(self.columns, starts, self.ends, strict=False)
            if wanted(each[0].name)
        ]

    def unpacked(self, wanted: Wanted, body: memoryview) -> pl.DataFrame:
        """The wanted columns again."""
        return pl.DataFrame(
            [
                column.read(body[start:end], self.rows, column.empty).alias(column.name)
                for column, start, end in self.places(wanted)
            ]
        )


class Columns:
    """The columns of one spill, each held once: frames may be many and small."""

    def __init__(self) -> None:
        """None yet."""
        self._known: dict[Any, Column] = {}
        self._together: dict[tuple[Column, ...], tuple[Column, ...]] = {}

    def packed(self, frame: pl.DataFrame) -> tuple[Packed, list[Octets]]:
        """One frame: what its bytes mean, and the bytes in their order."""
        columns, ends, octets, at = [], array("Q"), [], 0
        for series in frame.get_columns():
            read, parts = _written(series)
            columns.append(self._column(series, read))
            at += sum(map(len, parts))
            ends.append(at)
            octets += [*parts, bytes(-at % _ALIGNED)]
            at += -at % _ALIGNED
        together = tuple(columns)
        return Packed(frame.height, self._together.setdefault(together, together), ends), octets

    def _column(self, series: pl.Series, read: _Read) -> Column:
        key = (series.name, series.dtype, read)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Column(series.name, series.clear(), read)
        return found


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
