"""The five members inside a package: collected, counted or hashed as they stream past.

Source: docs/reference/package.md, "Inside".
"""

from __future__ import annotations

from gateway.sealing.archive import Collector, Member, form_error
from gateway.sealing.tables import DigestingCheck, table_check

SMALL = 64 * 1024
LARGE = 16 * 1024 * 1024
WHOLE = 8**11 - 1
DATA_FILES = ("data.csv", "data.parquet")


class InnerParts:
    """The five members of the inner archive, collected, counted or hashed as they pass."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._manifest, self._signature, self._datapackage = Collector(), Collector(), Collector()
        self._data: DigestingCheck | None = None
        self.data_file = ""
        self.padding = 0

    def members(self) -> list[Member]:
        """What is expected, in order."""
        return [
            Member(("manifest.json",), LARGE, self._manifest.receive),
            Member(("manifest.jws",), SMALL, self._signature.receive),
            Member(DATA_FILES, WHOLE, self._take_data, self._begin_data),
            Member(("datapackage.json",), LARGE, self._datapackage.receive),
            Member(("padding",), WHOLE, self._pad),
        ]

    @property
    def data(self) -> DigestingCheck:
        """The data file's check."""
        if self._data is None:
            raise form_error()
        return self._data

    @property
    def manifest(self) -> bytes:
        """`manifest.json`."""
        return self._manifest.content

    @property
    def signature(self) -> bytes:
        """`manifest.jws`."""
        return self._signature.content

    @property
    def datapackage(self) -> bytes:
        """`datapackage.json`."""
        return self._datapackage.content

    def _begin_data(self, name: str, _size: int) -> None:
        self.data_file, self._data = name, table_check(name)

    def _take_data(self, chunk: bytes) -> None:
        self.data.receive(chunk)

    def _pad(self, chunk: bytes) -> None:
        if chunk.count(0) != len(chunk):
            raise form_error()
        self.padding += len(chunk)
