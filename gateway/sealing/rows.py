"""From assessed columns to the bytes of one file, in an order that carries nothing.

Rows leave in one random permutation over the whole output, so that neither the
partner's order nor a family's nearness survives. The last scan sees every frame
before its bytes exist.

Source: security points 13, 18 and 19; RFC 4180; Apache Parquet format.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import numpy as np
import polars as pl

from gateway.model.stages import Entropy, Scratch

SHUFFLE_ROWS = 131_072


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
    spill = scratch.spill(max(1, -(-rows // SHUFFLE_ROWS)))
    for frame in frames:
        if len(spill) == 1:
            spill.put(0, frame)
            continue
        part = (np.frombuffer(entropy(4 * frame.height), np.uint32) % len(spill)).astype(np.uint16)
        order = np.argsort(part, kind="stable").astype(np.uint32)
        ends = np.cumsum(np.bincount(part, minlength=len(spill))).tolist()
        ordered = frame[order]
        for index, end in enumerate(ends):
            start = ends[index - 1] if index else 0
            spill.put(index, ordered.slice(start, end - start))
    for index in range(len(spill)):
        held = list(spill.take(index))
        if held:
            whole = pl.concat(held)
            held.clear()
            keys = np.frombuffer(entropy(8 * whole.height), np.uint64)
            yield whole[np.argsort(keys).astype(np.uint32)]


def write_csv(frames: Iterable[pl.DataFrame], target: ByteWriter, *, scan: Scan) -> int:
    """Write RFC 4180 text with a header and LF line ends; returns the number of rows."""
    rows = 0
    header = True
    for frame in frames:
        scan(frame)
        buffer = io.BytesIO()
        frame.write_csv(buffer, include_header=header)
        target.write(buffer.getbuffer())
        header = False
        rows += frame.height
    return rows


def write_parquet(frames: Iterable[pl.DataFrame], target: ByteWriter, *, scan: Scan) -> int:
    """Write Parquet, plainly encoded, without statistics or schema metadata.

    Dictionaries and statistics are made from values that a row filter may since
    have taken out of the rows; here each page holds only what survives.
    """
    import pyarrow.parquet

    rows = 0
    writer: Any = None
    for frame in frames:
        scan(frame)
        batch = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
        if writer is None:
            writer = pyarrow.parquet.ParquetWriter(
                _Sink(target),
                batch.schema,
                use_dictionary=False,
                write_statistics=False,
                store_schema=False,
                compression="zstd",
            )
        writer.write_table(batch)
        rows += frame.height
    if writer is not None:
        writer.close()
    return rows


class _Sink(io.RawIOBase):
    """A file that only goes forward."""

    def __init__(self, target: ByteWriter) -> None:
        super().__init__()
        self._target = target
        self._at = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, block: Any) -> int:
        size = self._target.write(memoryview(block).cast("B"))
        self._at += size
        return size
