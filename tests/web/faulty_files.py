"""Files that are wrong in every way that comes to mind, drawn by a seed under any contract."""

from __future__ import annotations

import random
from collections.abc import Sequence

from gateway.model import Contract, ContractColumn, Role

BLANKS = ("", "", "", " ", "\t", "\u00a0", '""')
ODD = (
    *("Zoë", "O’Neil", "王", "𝒜da", "علی\u200cرضا", "Ada\u202eeve", "a\u00adb"),
    *("a\u200bb", "\ufeffa", "Test\u0441ase", "Test\n\u0441", "a\x07b", "a\x7fb"),
    *("x" * 70, "é" * 61, "=1+1", "-5", "@x", "+44", "???", "UNKNOWN", "N/A"),
    *("NA", "null", "Mr", "Mr Name", "La Dy Name", "van der", "#N/A", "MC Name"),
    *("1.23457E+12", "45292.0", "#REF!", "12.0", "a;b", " padded "),
    *("\u00a0x\u00a0", "-", "a\r\nb", "a\rb", "ﬁne", "ß", "İx", "\u2028"),
    *("y\u0301", "\U000e0041", "--", "Dr  Who", "9"),
)
DATES = (
    *("2024-02-29", "2023-02-29", "1899-12-31", "1900-01-01", "1901-01-01"),
    *("2199-12-31", "2200-01-01", "31/12/2001", "29/02/2023", "03.02.1990"),
    *("20010203", "03-02-1990", "03 Feb 2001", "45292", "1", "03-FEB-2001"),
    *("3/2/1990", "2001-2-3", "4.5E+04", "12/31/2001", "1800-01-01", "2026-11-01"),
)
NUMBERS = (
    *("0", "-0", "-0.5", "7", "-7", "01", "+7", "1.5", "1.50", "1.555", "1."),
    *(".5", "1e3", "1,000", "999999999999999", "1000000000000000", "5.00", "365"),
    *("366", "100", "100.0", "100.01", "٣"),
)
IDENTIFIERS = (
    *("9990000018", "999 000 0026", "999-000-0034", "9990000019", "1111111111"),
    *("4010232137", "999000001", "0000000000", "A001123456789", "H001123456789"),
    *("h001 1234-56789", "A00112345678X", "QQ123456C", "QQ 12 34 56", "BG123456A"),
    *("AB123456E", "ZA1 1AA", "za11aa", "ZZ99 3WZ", "N1P 1AA", "GIR 0AA"),
    *("Q1 1AA", "Z-A1/1A A", "100012345678", "0000000000012", "1234567890123"),
    *("ＺＡ１ １ＡＡ", "100021", "2023/24", "1899/00", "2023/2024", "a b"),
    *("a/b.c:d-e_f",),
)
MORE = (b'"', b",", b"\r", b"\n", b"\0", b"\xff", b"\xe9", b"\xc3", b"\x81", b'""', b";")
MARKS = ("\u0430", "\u03bf", "\ufeff", "ＩＤ", "ß", "\u00a0", "ς", "é", "İ")
UNLIKE = ("王", "\u0660", "𝒜", "\u1e9e")


def good(column: ContractColumn, draw: random.Random, number: int) -> str:
    """A value that mostly keeps the column's own rules."""
    if column.unique:
        return f"R{number:05}"
    if column.codes:
        return draw.choice(column.codes)
    if column.type == "boolean":
        return draw.choice("YN")
    if column.type in ("integer", "decimal"):
        low = int(column.minimum or 0)
        high = int(column.maximum) if column.maximum is not None else low + 20
        return str(draw.randint(low, min(high, low + 500)))
    if column.type == "date":
        return _day(column, draw)
    return _text(column, draw)


def _day(column: ContractColumn, draw: random.Random) -> str:
    low = column.earliest.year if column.earliest else 1990
    high = column.latest.year if column.latest else 2026
    year, month, day = draw.randint(low, high), draw.randint(1, 12), draw.randint(1, 28)
    form = draw.choice(column.date_forms)
    return (
        form.replace("%Y", f"{year:04}")
        .replace("%m", f"{month:02}")
        .replace("%d", f"{day:02}")
        .replace("%b", ("Jan", "FEB", "Mar")[month % 3])
    )


def _text(column: ContractColumn, draw: random.Random) -> str:
    made = {
        Role.NHS_NUMBER: ("9990000018", "9990000026"),
        Role.UPN: ("",),
        Role.NINO: ("QQ123456C",),
        Role.POSTCODE: ("ZA1 1AA", "ZB2 2BB"),
        Role.UPRN: ("100012345678",),
    }
    by_form = {"school-urn": ("100021",), "academic-year": ("2023/24",)}
    names = ("Ada", "Brian", "Çelik", "Mary Ann", "De La Rue", "Smith-Jones", "O'Hara")
    return draw.choice(made.get(column.role, by_form.get(column.form, names)))  # type: ignore[arg-type]


def _cell(column: ContractColumn, draw: random.Random, number: int, wrong: float) -> str:
    dice = draw.random()
    if dice < wrong:
        return draw.choice((*ODD, *DATES, *NUMBERS, *IDENTIFIERS))
    if dice < wrong * 1.5:
        return {"date": draw.choice(DATES), "text": draw.choice((*ODD, *IDENTIFIERS))}.get(
            column.type, draw.choice(NUMBERS)
        )
    if dice < wrong * 2:
        return draw.choice(BLANKS)
    if dice < wrong * 2.2 and number:
        return f"R{draw.randrange(number):05}"
    return good(column, draw, number)


def _written(cell: str, delimiter: str, draw: random.Random) -> str:
    needs = any(mark in cell for mark in (delimiter, '"', "\n", "\r"))
    if cell == '""' or not (needs or draw.random() < 0.05):
        return cell
    return '"' + cell.replace('"', '""') + '"'


def faulty(contract: Contract, seed: int) -> bytes:
    """One file: some of its cells, its header or its structure may be at fault."""
    draw = random.Random(seed)
    columns = [c for c in contract.columns if c.required or draw.random() < 0.8]
    draw.shuffle(columns)
    wrong = draw.choice((0, 0.001, 0.01, 0.03, 0.2))
    count = draw.choice((0, 1, 3, 30, 120, 400))
    repeated = draw.random() < 0.3
    rows = [
        [_cell(c, draw, draw.randrange(n + 1) if repeated else n, wrong) for c in columns]
        for n in range(count)
    ]
    header = _header([draw.choice((c.name, *c.aliases)) for c in columns], draw)
    more = len(header) - len(columns)
    lines = [header, *([*row, *["x"] * more] for row in rows)]
    return _octets(lines, contract, draw)


def _header(names: list[str], draw: random.Random) -> list[str]:
    dice = draw.random()
    at = draw.randrange(len(names)) if names else 0
    if dice < 0.06:
        names[at] = names[at].replace("a", "\u0430").replace("o", "\u043e")
    elif dice < 0.10:
        names[at] = draw.choice((*MARKS, *UNLIKE)) + names[at]
    elif dice < 0.14:
        names.append(names[at].upper().replace("_", " "))
    elif dice < 0.18:
        names.pop(at)
    elif dice < 0.22:
        names[at] = draw.choice(("2001-02-03", "ZA1 1AA", "x@y.example", "9990000018", ""))
    elif dice < 0.35:
        names += draw.sample(("officer_notes", "Forename ", "housing tenure", "x", "Zoë"), 2)
    elif dice < 0.5:
        names = [f" {name.title().replace('_', '-')}\u00a0" for name in names]
    return names


def _octets(lines: Sequence[Sequence[str]], contract: Contract, draw: random.Random) -> bytes:
    delimiter = contract.delimiter
    ending = draw.choice(("\n", "\n", "\r\n"))
    text = "".join(
        delimiter.join(_written(cell, delimiter, draw) for cell in line) + ending for line in lines
    )
    codec = "cp1252" if "utf-8" not in contract.encodings else "utf-8"
    if "latin-1" in contract.encodings and draw.random() < 0.5:
        codec = "cp1252"
    octets = text.encode(codec, errors="replace")
    return _broken(octets, draw) if draw.random() < 0.3 else octets


def _broken(octets: bytes, draw: random.Random) -> bytes:
    """The same with a small breach somewhere: a byte more, a byte less, another end."""
    if not octets:
        return octets
    at = draw.randrange(len(octets))
    more = draw.choice(
        (b'"', b",", b"\r", b"\n", b"\0", b"\xff", b"\xe9", b"\xc3", b"\x81", b'""', b";")
    )
    kinds = (
        octets[:at] + more + octets[at:],
        octets[:at],
        octets[:-1],
        octets.replace(b",", b";"),
        b"\xef\xbb\xbf" + octets,
        octets.decode("utf-8", errors="replace").encode("utf-16"),
        octets + b"\n",
        octets[:at] + octets[at + 1 :],
        b"".join(octets.splitlines(keepends=True)[1:]),
        octets.replace(b"\n", b"\r"),
    )
    return draw.choice(kinds)
