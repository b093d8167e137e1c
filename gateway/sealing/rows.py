"""From assessed columns to the bytes of one file, in an order that carries nothing.

Rows leave in one random permutation over the whole output, so that neither the
partner's order nor a family's nearness survives. The last scan sees every frame
before its bytes exist.

Source: security points 13, 18 and 19; RFC 4180; Apache Parquet format.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import numpy as np
import polars as pl

from gateway.model.scattering import scatter
from gateway.model.stages import Entropy, Scratch

# A partition of the shuffle is small enough to be held twice; a block of rows to stay in caches.
SHUFFLE_BYTES = 8 << 20
BLOCK_ROWS = 32_768
GROUP_ROWS = 131_072


# Field 6 of the footer, `created_by`: two after the last one before it, and a text.
_CREATED_BY, _WRITER = b"\x28", b"parquet-cpp-arrow version "


class ByteWriter(Protocol):
    """Takes the bytes of a file in order."""

    def write(self, block: bytes | memoryview, /) -> int:
        """Add bytes at the end."""


Scan = Callable[[pl.DataFrame], None]


def permuted(
    frames: Iterable[pl.DataFrame], *, rows: int, scratch: Scratch, entropy: Entropy
) -> Iterator[pl.DataFrame]:
    """The same rows in one uniformly random order over all of them.

    Each row goes to a random partition, and each partition is put into random
    order: together a uniform permutation, in memory that does not grow.

    Args:
        frames: the rows in any order.
        rows: how many there are, roughly; decides the number of partitions.
        scratch: room for the partitions.
        entropy: the operating system's generator.
    """
    coming = iter(frames)
    if (first := next(coming, None)) is None:
        return
    partitions = max(1, -(-rows * _width(first) // SHUFFLE_BYTES))
    coming = itertools.chain((first,), coming)
    del first
    spill = scatter(
        coming,
        lambda frame, low, high: low + _drawn(frame.height, high - low, entropy),
        scratch=scratch,
        partitions=partitions,
    )
    for index in range(len(spill)):
        held = list(spill.take(index))
        if held:
            whole = pl.concat(held, rechunk=True)
            held.clear()
            order = np.argsort(np.frombuffer(entropy(8 * whole.height), np.uint64))
            for start in range(0, whole.height, BLOCK_ROWS):
                yield whole[order[start : start + BLOCK_ROWS].astype(np.uint32)]


def _width(frame: pl.DataFrame) -> int:
    """The bytes of a row, roughly and never nothing."""
    return max(1, int(frame.estimated_size()) // max(1, frame.height))


def _drawn(rows: int, kinds: int, entropy: Entropy) -> np.ndarray[Any, Any]:
    """For each row one of so many numbers, by lot."""
    return np.frombuffer(entropy(4 * rows), np.uint32) % np.uint32(kinds)


def write_csv(frames: Iterable[pl.DataFrame], target: ByteWriter, *, scan: Scan) -> int:
    """Write RFC 4180 text with a header and LF line ends; returns the number of rows."""
    rows = 0
    header = True
    buffer = io.BytesIO()  # its room is used again
    for frame in frames:
        scan(frame)
        buffer.seek(0)
        frame.write_csv(buffer, include_header=header)
        with buffer.getbuffer() as room, room[: buffer.tell()] as written:
            target.write(written)
        header = False
        rows += frame.height
    return rows


def write_parquet(frames: Iterable[pl.DataFrame], target: ByteWriter, *, scan: Scan) -> int:
    """Write Parquet, plainly encoded, without statistics, schema metadata or writer's name.

    Dictionaries and statistics are made from values that a row filter may since
    have taken out of the rows; here each page holds only what survives.
    """
    import pyarrow
    import pyarrow.parquet

    rows = 0
    writer: Any = None
    sink = _Sink(target)
    waiting: list[Any] = []
    for frame in frames:
        scan(frame)
        waiting.append(frame.to_arrow(compat_level=pl.CompatLevel.oldest()))
        rows += frame.height
        if writer is None:
            writer = pyarrow.parquet.ParquetWriter(
                sink,
                waiting[0].schema,
                use_dictionary=False,
                write_statistics=False,
                store_schema=False,
                compression="zstd",
            )
        if sum(each.num_rows for each in waiting) >= GROUP_ROWS:
            writer.write_table(pyarrow.concat_tables(waiting))
            waiting.clear()
    if writer is not None:
        if waiting:
            writer.write_table(pyarrow.concat_tables(waiting))
        sink.holding = True
        writer.close()
        target.write(_nameless(bytes(sink.held)))
    return rows


def _nameless(end: bytes) -> bytes:
    """The end of a Parquet file, its footer telling an empty name of its writer.

    The name is the last text of the footer: Thrift's compact form of field 6 (a byte),
    its length (a byte) and its letters; behind it stand no texts. A footer of another
    shape is left as it is.
    """
    size = int.from_bytes(end[-8:-4], "little")
    data, footer = end[: -8 - size], end[-8 - size : -8]
    at = footer.rfind(_WRITER)
    length = footer[at - 1] if at > 0 else 0
    if footer[at - 2 : at - 1] != _CREATED_BY or length < len(_WRITER):
        return end
    bare = footer[: at - 1] + b"\x00" + footer[at + length :]
    return data + bare + len(bare).to_bytes(4, "little") + b"PAR1"


class _Sink(io.RawIOBase):
    """A file that only goes forward."""

    def __init__(self, target: ByteWriter) -> None:
        super().__init__()
        self._target = target
        self._at = 0
        self.holding = False
        self.held = bytearray()

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, block: Any) -> int:
        octets = memoryview(block).cast("B")
        size = len(octets)
        if self.holding:
            self.held += octets
        else:
            self._target.write(octets)
        self._at += size
        return size
