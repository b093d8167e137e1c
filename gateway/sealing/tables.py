"""How many rows and which columns a data file really has, counted as it streams by.

Source: RFC 4180; docs/reference/package.md, "What `gateway open` does".
"""

from __future__ import annotations

import csv
import hashlib
from typing import Protocol

from gateway.errors import IntegrityError

MAX_HEADER = 4 * 1024 * 1024


class TableCheck(Protocol):
    """Takes a data file's bytes; knows its digest, rows and columns at the end."""

    def receive(self, chunk: bytes) -> None:
        """The next bytes."""

    def columns_and_rows(self) -> tuple[tuple[str, ...], int]:
        """The column names in order, and the number of rows."""


class CsvCheck:
    """Counts records of a CSV file: a line end inside quotes ends nothing."""

    def __init__(self) -> None:
        """Start before the header."""
        self._header = bytearray()
        self._in_header = True
        self._quoted = False
        self._records = 0
        self._open_record = False

    def receive(self, chunk: bytes) -> None:
        """Count the line ends of the next bytes."""
        if self._in_header:
            chunk = self._take_header(chunk)
        if not chunk:
            return
        if b'"' in chunk or self._quoted:
            pieces = chunk.split(b'"')
            outside = pieces[1::2] if self._quoted else pieces[::2]
            self._records += sum(piece.count(b"\n") for piece in outside)
            self._quoted ^= len(pieces) % 2 == 0
        else:
            self._records += chunk.count(b"\n")
        self._open_record = not chunk.endswith(b"\n") or self._quoted

    def columns_and_rows(self) -> tuple[tuple[str, ...], int]:
        """The header's names, and the records after it.

        Raises:
            IntegrityError: `package/data-form`.
        """
        if self._in_header or self._quoted:
            raise data_form()
        try:
            names = next(csv.reader([self._header.decode("utf-8")], strict=True))
        except (UnicodeDecodeError, csv.Error, StopIteration):
            raise data_form() from None
        return tuple(names), self._records + self._open_record

    def _take_header(self, chunk: bytes) -> bytes:
        """Keep the header's bytes; returns those after it."""
        begin = 0
        while (end := chunk.find(b"\n", begin)) >= 0:
            quotes = self._header.count(b'"') + chunk.count(b'"', 0, end)
            if quotes % 2 == 0:
                self._header += chunk[:end]
                self._in_header = False
                return chunk[end + 1 :]
            begin = end + 1
        self._header += chunk
        if len(self._header) > MAX_HEADER:
            raise data_form()
        return b""


class ParquetCheck:
    """Keeps the end of a Parquet file, where its footer tells rows and columns."""

    TAIL = 8 * 1024 * 1024

    def __init__(self) -> None:
        """Start with nothing."""
        self._tail = bytearray()
        self._size = 0

    def receive(self, chunk: bytes) -> None:
        """Keep the last bytes."""
        self._size += len(chunk)
        self._tail += chunk
        if len(self._tail) > 2 * self.TAIL:
            del self._tail[: -self.TAIL]

    def columns_and_rows(self) -> tuple[tuple[str, ...], int]:
        """Names and rows as the footer says.

        Raises:
            IntegrityError: `package/data-form`.
        """
        import pyarrow
        import pyarrow.parquet

        try:
            footer = pyarrow.parquet.read_metadata(pyarrow.BufferReader(self._footer_file()))
            return tuple(footer.schema.to_arrow_schema().names), int(footer.num_rows)
        except (pyarrow.ArrowException, OSError):
            raise data_form() from None

    def _footer_file(self) -> bytes:
        """A file of the same footer and no rows: magic, footer, footer length, magic."""
        length = int.from_bytes(self._tail[-8:-4], "little")
        if self._size < 12 or length + 8 > len(self._tail):
            raise data_form()
        return b"PAR1" + bytes(self._tail[-(length + 8) :])


class DigestingCheck:
    """A table check that also hashes what passes."""

    def __init__(self, table: TableCheck) -> None:
        """Wrap `table`."""
        self._table = table
        self._hash = hashlib.sha256()
        self.size = 0

    def receive(self, chunk: bytes) -> None:
        """Hash, count, pass on."""
        self._hash.update(chunk)
        self.size += len(chunk)
        self._table.receive(chunk)

    def columns_and_rows(self) -> tuple[tuple[str, ...], int]:
        """As the table says."""
        return self._table.columns_and_rows()

    @property
    def sha256(self) -> str:
        """The digest in hexadecimal."""
        return self._hash.hexdigest()


def table_check(name: str) -> DigestingCheck:
    """The check for `data.csv` or `data.parquet`."""
    return DigestingCheck(CsvCheck() if name.endswith(".csv") else ParquetCheck())


def data_form() -> IntegrityError:
    """The data file is not what its name says."""
    return IntegrityError(
        "package/data-form",
        "The data file is not of the form it claims.",
        remedy="Nothing was written. Ask the sender.",
    )
