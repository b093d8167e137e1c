"""Structure of CSV bytes: records cut outside quotes, every record exactly the header's width.

A file that two readers would read differently is refused. So quoting follows
RFC 4180 to the letter, a bare carriage return or NUL is a fault, and each record
is counted: pandas shifts the columns in silence when every row has one field too
many. Nothing here looks at what a cell means.

Source: RFC 4180 section 2; docs/reference/contracts.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

QUOTE, NEWLINE, RETURN = 34, 10, 13
MOST_BLANKS = 1 << 20


def _no_fast_scan(
    _block: bytes, _delimiter: str, _width: int, _longest: int
) -> tuple[int, bool, bool, bool]:
    """Stand in where the extension was not built: always in doubt."""
    return -1, True, True, True


try:
    from gateway.intake._csvscan import scan as fast_scan
except ImportError:  # pragma: no cover - built wherever there is a compiler
    fast_scan = _no_fast_scan

Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One breach of structure: its code, and the records (0-based in the block) that show it.

    `count` is how many records are at fault, `first` at most ten of them.
    """

    code: str
    count: int
    first: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What a block holds: its number of records, and its faults.

    `unusual` is false when it surely has neither quotes nor control or hidden characters,
    `signs` when surely no cell begins like a formula of a spreadsheet,
    `padded` when surely none begins or ends with a blank.
    """

    records: int
    faults: tuple[Fault, ...] = ()
    unusual: bool = True
    signs: bool = True
    padded: bool = True


def cut_blocks(read: Callable[[int], bytes], size: int, *, longest: int) -> Iterator[bytes]:
    """Cut a byte stream into blocks that end between records, never inside quotes.

    Args:
        read: gives up to so many bytes, or none at the end.
        size: bytes to ask for at once.
        longest: a record of more bytes ends the stream with what was read of it.

    Yields:
        Blocks in order. Only the last may lack its final newline. Blank lines at the
        end of the stream are no records; anywhere else they are the reader's to judge.
    """
    held = b""
    for block in _blocks(read, size, longest=longest):
        end = _content_end(block)
        if not end and len(held) < MOST_BLANKS:
            held += block
            continue
        yield held + block[:end] if held else block[:end]
        held = block[end:]


def _content_end(block: bytes) -> int:
    """Where the last record that is not a blank line ends; 0 where all are."""
    end = len(block)
    while block.endswith((b"\n\n", b"\n\r\n"), 0, end):
        end -= 2 if block.endswith(b"\r\n", 0, end) else 1
    return 0 if block[:end] in {b"\n", b"\r\n"} else end


def _blocks(read: Callable[[int], bytes], size: int, *, longest: int) -> Iterator[bytes]:
    rest = b""
    while chunk := read(size):
        buffer = rest + chunk
        end = records_end(buffer)
        if end:
            yield buffer[:end]
        rest = buffer[end:]
        if len(rest) > longest:
            break
    if rest:
        yield rest


def records_end(buffer: bytes) -> int:
    """Where the last whole record ends; 0 when no record ends in the buffer.

    A newline ends a record when an even number of quotes stands before it.
    """
    odd = buffer.count(b'"') & 1
    end = len(buffer)
    while (cut := buffer.rfind(b"\n", 0, end)) >= 0:
        odd ^= buffer.count(b'"', cut, end) & 1
        if not odd:
            return cut + 1
        end = cut
    return 0


def scan(block: bytes, width: int, *, delimiter: str, longest_cell: int) -> Scan:
    """Check the structure of one block of whole records.

    Args:
        block: bytes from the first byte of a record to the end of one.
        width: fields that every record must have.
        delimiter: one ASCII character.
        longest_cell: bytes that one cell may have, quotes included.
    """
    records, unusual, signs, padded = fast_scan(block, delimiter, width, longest_cell)
    if records >= 0:
        return Scan(records=records, unusual=unusual, signs=signs, padded=padded)
    return careful_scan(block, width, delimiter=delimiter, longest_cell=longest_cell)


def careful_scan(block: bytes, width: int, *, delimiter: str, longest_cell: int) -> Scan:
    """Check the structure of one block, and say what is wrong in which records."""
    octets = np.frombuffer(block, np.uint8)
    separators = (octets == ord(delimiter)) | (octets == NEWLINE)
    quotes = b'"' in block
    if quotes:
        # The parity of quotes so far; eight bits may wrap, their last one stays right.
        inside = np.cumsum(octets == QUOTE, dtype=np.uint8) & 1
        separators &= inside == 0
    places = np.flatnonzero(separators)
    if octets.size and octets[-1] != NEWLINE:
        places = np.append(places, octets.size)
    ends = np.append(octets, NEWLINE)[places] == NEWLINE if places.size else np.empty(0, bool)
    quoting = list(_quote_faults(octets, places[ends], ord(delimiter))) if quotes else []
    if quoting:
        # With its quotes in doubt nothing else about the block is certain.
        return Scan(records=int(ends.sum()), faults=tuple(quoting))
    faults = [
        *_return_faults(block, octets, places[ends], quotes=quotes),
        *_nul_faults(block, places[ends]),
        *_shape_faults(places, ends, width, longest_cell),
    ]
    return Scan(records=int(ends.sum()), faults=tuple(faults))


def _shape_faults(
    places: Positions, ends: NDArray[np.bool_], width: int, longest_cell: int
) -> Iterator[Fault]:
    records = int(ends.sum())
    even = places.size == records * width and bool(ends[width - 1 :: width].all())
    if not even:
        fields = np.diff(np.flatnonzero(ends), prepend=-1)
        yield _fault("intake/row-width", np.flatnonzero(fields != width))
    lengths = np.diff(places, prepend=-1) - 1
    if lengths.size and int(lengths.max()) > longest_cell:
        record_of: Positions = np.cumsum(ends) - ends
        yield _fault("intake/cell-too-long", np.unique(record_of[lengths > longest_cell]))


def _quote_faults(octets: NDArray[np.uint8], ends: Positions, delimiter: int) -> Iterator[Fault]:
    quotes = np.flatnonzero(octets == QUOTE)
    padded = np.concatenate(([NEWLINE], octets, [NEWLINE, NEWLINE])).astype(np.uint8)
    opening, closing = quotes[::2], quotes[1::2]
    before, after, second = padded[opening], padded[closing + 2], padded[closing + 3]
    opens = (before == delimiter) | (before == NEWLINE)
    # A quote that follows a closing one at once is the second of a doubled pair.
    opens[1:] |= opening[1:] == closing[: opening.size - 1] + 1
    closes = (after == delimiter) | (after == NEWLINE) | (after == QUOTE)
    closes |= (after == RETURN) & (second == NEWLINE)
    wrong = np.concatenate((opening[~opens], closing[~closes]))
    if wrong.size:
        yield _fault("intake/quote-stray", np.unique(np.searchsorted(ends, wrong)))
    elif quotes.size % 2:
        yield _fault("intake/quote-open", np.searchsorted(ends, quotes[-1:]))


def _return_faults(
    block: bytes, octets: NDArray[np.uint8], ends: Positions, *, quotes: bool
) -> Iterator[Fault]:
    if block.count(b"\r") == block.count(b"\r\n"):
        return
    bare = np.flatnonzero(octets == RETURN)
    bare = bare[np.append(octets, 0)[bare + 1] != NEWLINE]
    if quotes:
        bare = bare[(np.cumsum(octets == QUOTE, dtype=np.uint8) & 1)[bare] == 0]
    if bare.size:
        yield _fault("intake/bare-return", np.unique(np.searchsorted(ends, bare)))


def _nul_faults(block: bytes, ends: Positions) -> Iterator[Fault]:
    if b"\0" in block:
        nul = np.flatnonzero(np.frombuffer(block, np.uint8) == 0)
        yield _fault("intake/nul", np.unique(np.searchsorted(ends, nul)))


def _fault(code: str, records: Positions) -> Fault:
    return Fault(code=code, count=int(records.size), first=tuple(map(int, records[:10])))
