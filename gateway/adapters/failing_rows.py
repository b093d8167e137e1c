"""The numbers of failing rows, read back: row, column and rule of each, never a value.

The file was written by the process that read the partner's bytes, so its blocks are
read as foreign ones: bounded, of two number columns, and nothing else.

Source: security points 10 and 11; docs/reference/contracts.md, "Findings".
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import polars as pl

from gateway.adapters.extract_files import not_as_recorded
from gateway.intake import rules_of
from gateway.model import Contract

_LARGEST = 64 << 20
_SHAPE = {"row": pl.UInt32(), "rule": pl.UInt16()}


def failing_rows(
    directory: Path, extract: str, contract: Contract
) -> Iterator[list[tuple[int, str, str]]]:
    """Failing rows in batches: (row from 1, column, rule), as the checker met them.

    Args:
        directory: where extracts lie.
        extract: its id.
        contract: the contract that it was checked under; its rules have the numbers.

    Raises:
        IntegrityError: the file is not what the checker wrote.
    """
    path = directory / f"{extract}.rows"
    if not path.exists():
        return
    rules = [(rule.column, rule.name) for rule in rules_of(contract)]
    with path.open("rb") as file:
        for frame in _frames(file):
            yield [(row, *_named(rules, rule)) for row, rule in frame.iter_rows()]


def _named(rules: list[tuple[str, str]], number: int) -> tuple[str, str]:
    if number >= len(rules):
        raise not_as_recorded()
    return rules[number]


def _frames(file: BinaryIO) -> Iterator[pl.DataFrame]:
    while True:
        head = file.read(4)
        if len(head) != 4:
            raise not_as_recorded()
        (size,) = struct.unpack(">I", head)
        if size == 0:
            return
        if size > _LARGEST:
            raise not_as_recorded()
        yield _frame(file.read(size), size)


def _frame(block: bytes, size: int) -> pl.DataFrame:
    try:
        frame = pl.read_ipc(io.BytesIO(block)) if len(block) == size else None
    except (pl.exceptions.PolarsError, OSError, ValueError):
        frame = None
    if frame is None or dict(frame.schema) != _SHAPE:
        raise not_as_recorded() from None
    return frame
