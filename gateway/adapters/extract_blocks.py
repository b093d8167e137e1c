"""Blocks of a stored extract: each column as short as a quick look allows.

Compressing the columns cost a quarter of receiving, and the bytes that are saved need
not be encrypted, hashed, passed on and read back. So texts stand one after the other
without padding, few distinct texts as one byte a row, dates as days, numbers in as
many bytes as they need, and two columns that are equal are stored once.

A block is `GWB1`, u32 little-endian length of the head, the head in JSON (`rows`;
`columns`: name, type and number of the body; `bodies`: their sizes), then the bodies.
The process that wrote a block had read a partner's file, so whoever reads it trusts
nothing in it. A block of an older store is an Arrow IPC file, and is read too.

Source: decision 0220.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl

from gateway.adapters.extract_files import not_as_recorded
from gateway.adapters.extract_plain import unpacked_plainly
from gateway.identity.few import few_texts

try:
    from gateway.adapters import _packed as kernel

    fast = True
except ImportError:  # pragma: no cover - built wherever there is a compiler
    fast = False

MAGIC: Final = b"GWB1"
NO_DAY: Final = -(2**31)

_TYPES: Final[dict[str, pl.DataType]] = {"text": pl.String(), "date": pl.Date(), "int": pl.Int64()}
_NAMES: Final = {kind: name for name, kind in _TYPES.items()}
_WIDTHS: Final[dict[str, Any]] = {"1": np.int8, "2": np.int16, "4": np.int32, "8": np.int64}
_BROKEN: Final = (
    *(ValueError, TypeError, LookupError, OSError, OverflowError, RecursionError, struct.error),
    pl.exceptions.PolarsError,
)


def write_block(frame: pl.DataFrame) -> bytes:
    """Write one block."""
    if not fast:
        return _ipc(frame)
    bodies: list[bytes] = []
    columns = [
        (series.name, _NAMES.get(series.dtype, "other"), _placed(_body(series), bodies))
        for series in frame.get_columns()
    ]
    sizes = [len(body) for body in bodies]
    head = json.dumps({"rows": frame.height, "columns": columns, "bodies": sizes}).encode()
    return b"".join((MAGIC, struct.pack("<I", len(head)), head, *bodies))


def read_block(block: bytes, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Read one block, or those of the named columns that it has.

    Raises:
        IntegrityError: it is no block.
    """
    try:
        if not block.startswith(MAGIC):
            return _read_ipc(block, columns)
        return _opened(block).frame(columns)
    except _BROKEN:
        raise not_as_recorded() from None


def packed_texts(series: pl.Series) -> bytes | None:
    """The texts of a column without padding; None where there is no kernel to pack them."""
    return kernel.pack(series.rechunk().__arrow_c_stream__()) if fast else None


def unpacked_texts(body: memoryview, rows: int) -> pl.Series:
    """The texts of a packed column."""
    return _unpacked(body, rows)


def _placed(body: bytes, bodies: list[bytes]) -> int:
    """Keep a body, once if there is an equal one already."""
    if body not in bodies:
        bodies.append(body)
    return bodies.index(body)


def _body(series: pl.Series) -> bytes:
    if series.dtype == pl.String:
        return _texts(series)
    if series.dtype == pl.Date:
        days = series.to_physical().fill_null(NO_DAY).cast(pl.Int32)
        return b"D" + days.to_numpy().astype("<i4").tobytes()
    if series.dtype == pl.Int64:
        return _numbers(series)
    return b"A" + _ipc(series.alias("").to_frame())


def _texts(series: pl.Series) -> bytes:
    few = few_texts(series)
    if few is None:
        return kernel.pack(series.rechunk().__arrow_c_stream__())
    table = kernel.pack(few.table.rechunk().__arrow_c_stream__())
    return b"".join(
        (b"C", struct.pack("<HI", few.table.len(), len(table)), table, few.numbers.tobytes())
    )


def _numbers(series: pl.Series) -> bytes:
    nulls = np.packbits(series.is_null().to_numpy()).tobytes() if series.null_count() else b""
    values = series.fill_null(0).to_numpy()
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    width, kind = next(
        (width, kind)
        for width, kind in _WIDTHS.items()
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max
    )
    told = b"N" + width.encode() + (b"1" if nulls else b"0")
    return told + nulls + values.astype(np.dtype(kind).newbyteorder("<")).tobytes()


def _ipc(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc(buffer, compression="lz4")
    return buffer.getvalue()


def _read_ipc(block: bytes, columns: Sequence[str] | None) -> pl.DataFrame:
    if columns is None:
        return pl.read_ipc(block)
    present = pl.read_ipc_schema(io.BytesIO(block))
    return pl.read_ipc(block, columns=[name for name in columns if name in present])


@dataclass(frozen=True, slots=True)
class _Opened:
    """A block with its head read: which column is which of its bodies."""

    rows: int
    columns: dict[str, tuple[str, int]]
    bodies: tuple[memoryview, ...] = field(repr=False)

    def frame(self, names: Sequence[str] | None) -> pl.DataFrame:
        wanted = list(self.columns) if names is None else [n for n in names if n in self.columns]
        made = [self._column(name) for name in wanted]
        if any(series.len() != self.rows for series in made):
            raise ValueError
        return pl.DataFrame(made)

    def _column(self, name: str) -> pl.Series:
        kind, number = self.columns[name]
        body = self.bodies[number]
        if kind == "text":
            return _read_texts(body, self.rows).alias(name)
        if kind == "date":
            return _read_days(body).alias(name)
        if kind == "int":
            return _read_numbers(body, self.rows).alias(name)
        if bytes(body[:1]) != b"A":
            raise ValueError
        return pl.read_ipc(bytes(body[1:])).to_series().alias(name)


def _opened(block: bytes) -> _Opened:
    (size,) = struct.unpack_from("<I", block, len(MAGIC))
    start = len(MAGIC) + 4 + size
    head: dict[str, Any] = json.loads(block[len(MAGIC) + 4 : start])
    columns = {str(name): (str(kind), _count(number)) for name, kind, number in head["columns"]}
    bodies = tuple(_cut(memoryview(block)[start:], head["bodies"]))
    return _Opened(_count(head["rows"]), columns, bodies)


def _cut(octets: memoryview, sizes: Sequence[int]) -> Iterator[memoryview]:
    at = 0
    for size in map(_count, sizes):
        yield octets[at : at + size]
        at += size
    if at != len(octets):
        raise ValueError


def _count(number: Any) -> int:
    if type(number) is not int or number < 0:
        raise ValueError
    return int(number)


def _read_texts(body: memoryview, rows: int) -> pl.Series:
    if bytes(body[:1]) != b"C":
        return _unpacked(body, rows)
    count, size = struct.unpack_from("<HI", body, 1)
    table = _unpacked(body[7 : 7 + size], count)
    numbers = np.frombuffer(body[7 + size :], np.uint8).astype(np.uint32)
    if numbers.size and int(numbers.max()) >= count:
        raise ValueError
    return table.gather(pl.Series(numbers))


def _unpacked(body: memoryview, rows: int) -> pl.Series:
    if not fast:
        return unpacked_plainly(bytes(body), rows)
    # That the texts are UTF-8 is checked here, where binary becomes text.
    return pl.Series(_Column(kernel.unpack(body, rows))).cast(pl.String)


@dataclass(frozen=True, slots=True)
class _Column:
    capsules: tuple[object, object]

    def __arrow_c_array__(self, _schema: object = None) -> tuple[object, object]:
        return self.capsules


def _read_days(body: memoryview) -> pl.Series:
    if bytes(body[:1]) != b"D":
        raise ValueError
    days = np.frombuffer(body[1:], "<i4")
    return pl.Series(days).set(pl.Series(days == NO_DAY), None).cast(pl.Date)


def _read_numbers(body: memoryview, rows: int) -> pl.Series:
    told = bytes(body[:3]).decode("ascii")
    if told[:1] != "N":
        raise ValueError
    at = 3 + (-(-rows // 8) if told[2] == "1" else 0)
    values = np.frombuffer(body[at:], np.dtype(_WIDTHS[told[1]]).newbyteorder("<"))
    given = pl.Series(values.astype(np.int64))
    if at == 3:
        return given
    nulls = np.unpackbits(np.frombuffer(body[3:at], np.uint8), count=rows)
    return given.set(pl.Series(nulls.astype(bool)), None)
