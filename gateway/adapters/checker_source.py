"""What kind of file the bytes are, and CSV bytes as UTF-8 blocks.

Only encodings that the contract declares are read. Where UTF-8 and a single-byte
encoding are both declared, the first byte outside ASCII decides for the whole
file; a file that changes its encoding is refused.

Source: security point 10; docs/reference/contracts.md, "Structure".
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from typing import Final

from gateway.adapters.checker_blocks import Block
from gateway.intake import Fault, Finding

KINDS: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32 text"),
    (codecs.BOM_UTF32_BE, "UTF-32 text"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF", "a PDF document"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"SQLite format", "a database"),
)
SPREADSHEETS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
LONGEST_HEADER: Final = 256 << 10
_CODECS: Final = {"latin-1": "cp1252", "windows-1252": "cp1252"}

Read = Callable[[int], bytes]


def is_spreadsheet(first: bytes) -> bool:
    """Whether the first bytes are those of xlsx, ods (zip) or xls (OLE)."""
    return first.startswith(SPREADSHEETS)


def refuse_kind(first: bytes, *, encodings: tuple[str, ...]) -> Finding | None:
    """Give the finding about a file that is no text of a declared kind, by its first bytes."""
    if not first:
        return Finding(code="intake/empty")
    for magic, name in KINDS:
        if first.startswith(magic):
            return Finding(code="intake/not-text", hint=name)
    if is_utf16(first) and "utf-16" not in encodings:
        return Finding(code="intake/utf-16")
    return None


def is_utf16(first: bytes) -> bool:
    """Whether the bytes begin with the mark of UTF-16, or every second one is NUL."""
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return True
    head = first[:64]
    return len(head) >= 4 and (not any(head[1::2]) or not any(head[::2]))


def transcoded(read: Read) -> Read:
    """Read UTF-16 as UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-16")()

    def read_utf8(size: int) -> bytes:
        while chunk := read(size):
            if text := decoder.decode(chunk):
                return text.encode()
        return decoder.decode(b"", final=True).encode()

    return read_utf8


class Utf8Blocks:
    """CSV blocks in UTF-8, whichever declared encoding they came in."""

    def __init__(self, encodings: tuple[str, ...]) -> None:
        """Begin with nothing decided."""
        self._codec = "" if "utf-8" in encodings or "utf-16" in encodings else "cp1252"
        self._other = next((_CODECS[name] for name in encodings if name in _CODECS), "")
        self._offset = 0

    def read(self, octets: bytes) -> bytes:
        """Give a block in UTF-8.

        Raises:
            UnicodeError: it is not in a declared encoding.
        """
        self._offset += len(octets)
        if octets.isascii():
            return octets
        if not self._codec:
            self._codec = "utf-8" if not self._other or _is_utf8(octets) else self._other
        text = octets.decode(self._codec)
        return octets if self._codec == "utf-8" else text.encode()

    def blocks(self, parts: Iterator[bytes]) -> Iterator[Block]:
        """Make blocks of parts of whole records; the first wrong one is the last."""
        for octets in parts:
            start = self._offset
            try:
                block = Block(octets=self.read(octets))
            except UnicodeError as fault:
                yield _undecodable(octets, start, getattr(fault, "start", 0))
                return
            yield block

    def skip(self, octets: int) -> None:
        """Count bytes that were read elsewhere, for byte offsets."""
        self._offset += octets


def _undecodable(octets: bytes, start: int, place: int) -> Block:
    row = octets.count(b"\n", 0, place)
    fault = Fault(code="intake/encoding", count=1, first=(row,))
    return Block(faults=((fault, str(start + place)),))


def _is_utf8(octets: bytes) -> bool:
    """Whether the first letter outside ASCII is UTF-8; what follows has to be the same."""
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError as fault:
        return not octets[: fault.start].isascii()
    return True
