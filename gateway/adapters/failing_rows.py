"""The numbers of failing rows, written and read back: row, column and rule of each, never a value.

The file says by itself what its rules are called, so that it can be read after the
contract has changed, and without a library of tables. Its head is ours; its blocks come
from the process that read the partner's bytes, and are read as foreign ones: bounded,
of two lists of numbers, and nothing else.

    u32 length, JSON [[column, rule], ...]            written by us
    u32 length, zlib(u32 rows..., u16 rules...)       as often as the checker has some
    u32 zero

Lengths are big-endian, the numbers in a block little-endian.

Source: security points 10 and 11; docs/reference/contracts.md, "Findings"; docs/adr/0304.
"""

from __future__ import annotations

import json
import struct
import sys
import zlib
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from gateway.adapters.extract_files import not_as_recorded

_LARGEST: Final = 64 << 20
_ROW, _RULE = 4, 2
_A_BATCH: Final = 1 << 13
_OLDER: Final = b"ARROW1"


def head(rules: Iterable[tuple[str, str]]) -> bytes:
    """What a file of failing rows begins with: the column and name of each rule, by number."""
    text = json.dumps([list(rule) for rule in rules]).encode()
    return struct.pack(">I", len(text)) + text


def framed(rows: bytes, rules: bytes) -> bytes:
    """One block of failing rows.

    Args:
        rows: the row of each failure from 1, u32 little-endian.
        rules: the rule of each, u16 little-endian.
    """
    block = zlib.compress(rows + rules, 1)
    return struct.pack(">I", len(block)) + block


def rows_kept(directory: Path, extract: str) -> bool:
    """Whether the failing rows of an extract can be told: some are kept, and in this form."""
    try:
        with (directory / f"{extract}.rows").open("rb") as file:
            return file.read(10)[4:] != _OLDER
    except FileNotFoundError:
        return False


def failing_rows(directory: Path, extract: str) -> Iterator[list[tuple[int, str, str]]]:
    """Failing rows in batches: (row from 1, column, rule), as the checker met them.

    Args:
        directory: where extracts lie.
        extract: its id.

    Raises:
        IntegrityError: the file is not what the checker wrote.
    """
    path = directory / f"{extract}.rows"
    if not path.exists():
        return
    with path.open("rb") as file:
        rules = _rules(_block(file))
        while block := _block(file):
            yield from _batches(_unpacked(block), rules)


def _rules(text: bytes) -> list[tuple[str, str]]:
    try:
        return [(str(column), str(rule)) for column, rule in json.loads(text)]
    except (ValueError, TypeError):
        raise not_as_recorded() from None


def _block(file: BinaryIO) -> bytes:
    """The next block; an empty one ends the file."""
    start = file.read(4)
    if len(start) != 4:
        raise not_as_recorded()
    (size,) = struct.unpack(">I", start)
    block = file.read(size) if size <= _LARGEST else b""
    if len(block) != size:
        raise not_as_recorded()
    return block


def _unpacked(block: bytes) -> bytes:
    reading = zlib.decompressobj()
    try:
        octets = reading.decompress(block, _LARGEST)
    except zlib.error:
        raise not_as_recorded() from None
    if not reading.eof or reading.unused_data or len(octets) % (_ROW + _RULE):
        raise not_as_recorded()
    return octets


def _batches(octets: bytes, rules: list[tuple[str, str]]) -> Iterator[list[tuple[int, str, str]]]:
    count = len(octets) // (_ROW + _RULE)
    rows, numbers = _numbers("I", octets[: count * _ROW]), _numbers("H", octets[count * _ROW :])
    if max(numbers, default=0) >= len(rules):
        raise not_as_recorded()
    for start in range(0, count, _A_BATCH):
        part = slice(start, start + _A_BATCH)
        yield [(row, *rules[number]) for row, number in zip(rows[part], numbers[part], strict=True)]


def _numbers(kind: str, octets: bytes) -> array[int]:
    found = array(kind, octets)
    if sys.byteorder == "big":
        found.byteswap()
    return found
