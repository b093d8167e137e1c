"""Workbooks as other programs save them, byte by byte: ods (OpenDocument 1.3) and xls (BIFF8)."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

Lines = Sequence[Sequence[str]]
Place = tuple[int, int]

NAMESPACES = " ".join(
    f'xmlns:{name}="urn:{uri}:1.0"'
    for name, uri in (
        ("office", "oasis:names:tc:opendocument:xmlns:office"),
        ("table", "oasis:names:tc:opendocument:xmlns:table"),
        ("text", "oasis:names:tc:opendocument:xmlns:text"),
        ("calcext", "org:documentfoundation:names:experimental:calc:xmlns:calcext"),
    )
)
MIME = "application/vnd.oasis.opendocument.spreadsheet"
SECTOR, FREE, END, FAT = 512, 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def ods(lines: Lines, instead: Mapping[Place, str] | None = None) -> bytes:
    """Write one sheet of texts; `instead` has the XML of single cells."""
    table = "".join(
        "<table:table-row>"
        + "".join(
            (instead or {}).get((number, place), _text(cell)) for place, cell in enumerate(line)
        )
        + "</table:table-row>"
        for number, line in enumerate(lines)
    )
    return ods_of(f'<table:table table:name="S">{table}</table:table>')


def ods_of(tables: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", MIME)
        archive.writestr(
            "META-INF/manifest.xml",
            '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            f'<m:file-entry m:full-path="/" m:media-type="{MIME}"/></m:manifest>',
        )
        archive.writestr(
            "content.xml",
            f'<?xml version="1.0"?><office:document-content {NAMESPACES}><office:body>'
            f"<office:spreadsheet>{tables}</office:spreadsheet></office:body>"
            "</office:document-content>",
        )
    return made.getvalue()


def _text(cell: str) -> str:
    if not cell:
        return "<table:table-cell/>"
    return (
        '<table:table-cell office:value-type="string">'
        f"<text:p>{escape(cell)}</text:p></table:table-cell>"
    )


def xls(
    lines: Lines,
    errors: Mapping[Place, int] | None = None,
    *,
    formula: bool = False,
    merged: Sequence[tuple[Place, Place]] = (),
) -> bytes:
    """Write one sheet of texts; `errors` has the codes of cells that show an error.

    `merged` has the first and the last cell of each merged area, one record for each.
    """
    globals_ = _record(0x0809, struct.pack("<HHHHII", 0x0600, 5, 0, 0, 0, 0))
    globals_ += _record(0x0042, struct.pack("<H", 1200))
    bound = len(globals_) + 4 + 9 + 4
    globals_ += _record(0x0085, struct.pack("<IBBBB", bound, 0, 0, 1, 0) + b"S") + _record(0x000A)
    sheet = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x10, 0, 0, 0, 0))
    sheet += _record(0x0200, struct.pack("<IIHHH", 0, len(lines), 0, len(lines[0]), 0))
    for number, line in enumerate(lines):
        for place, cell in enumerate(line):
            code = (errors or {}).get((number, place))
            if code is not None:
                sheet += _error(number, place, code, formula=formula)
            elif cell:
                text = struct.pack("<HHHHB", number, place, 0, len(cell), 0)
                sheet += _record(0x0204, text + cell.encode("latin-1"))
    for (top, left), (bottom, right) in merged:
        sheet += _record(0x00E5, struct.pack("<HHHHH", 1, top, bottom, left, right))
    return _compound(globals_ + sheet + _record(0x000A))


def _error(row: int, column: int, code: int, *, formula: bool) -> bytes:
    where = struct.pack("<HHH", row, column, 0)
    if not formula:
        return _record(0x0205, where + bytes((code, 1)))
    result = bytes((2, 0, code, 0, 0, 0, 0xFF, 0xFF))
    return _record(0x0006, where + result + struct.pack("<HIH", 0, 0, 3) + b"\x1e\x01\x00")


def _record(kind: int, content: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def _compound(stream: bytes) -> bytes:
    """A compound file (MS-CFB) with one stream, `Workbook`: table of sectors, folder, stream."""
    stream = stream.ljust(max(4096, -(-len(stream) // SECTOR) * SECTOR), b"\0")
    sectors = len(stream) // SECTOR
    tables = -(-(sectors + 2) // (SECTOR // 4 - 1))
    chain = [FAT] * tables + [END] + [tables + 2 + place for place in range(sectors - 1)] + [END]
    chain += [FREE] * (tables * SECTOR // 4 - len(chain))
    listed = [*range(tables), *[FREE] * (109 - tables)]
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIII", 0, tables, tables, 0, 4096, END, 0, END, 0)
    folder = _entry("Root Entry", 5, child=1, start=END, size=0)
    folder += _entry("Workbook", 2, child=FREE, start=tables + 1, size=len(stream))
    folder += 2 * _entry("", 0, child=FREE, start=0, size=0)
    tables_ = struct.pack("<109I", *listed) + struct.pack(f"<{len(chain)}I", *chain)
    return header + tables_ + folder + stream


def _entry(name: str, kind: int, *, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0" if name else b""
    said = text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text), kind, 1, FREE, FREE, child)
    return said + bytes(36) + struct.pack("<IQ", start, size)
