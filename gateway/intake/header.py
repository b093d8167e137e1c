"""The header row: which column of the file is which column of the contract.

Names of columns can be personal data (a header row may be a person's row), so a
name that no published contract knows is reported by its position only. Names
that differ only in case, space, accents, hidden characters or look-alike letters
would be read differently by two readers, and are refused. Where a file lacks the column
in which people say no, or that marks who is protected, nobody would say no or be
protected: such a column always has to be there.

Source: security point 10; docs/reference/contracts.md.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from gateway.intake.findings import Finding
from gateway.model import Contract, ContractColumn

MOST_COLUMNS: Final = 1_000
# How many lines below the first are searched for the names of columns, and how far.
LINES_BELOW: Final = 9
LONGEST_LINE: Final = 32 << 10
# Of a name that stands very often.
MOST_PLACES: Final = 10

# Greek and Cyrillic letters that look like Latin ones, and Latin ones with a stroke or in
# another shape, in lower case.
LOOK_ALIKES: Final = str.maketrans(
    "авсдеһіјкмнорԛстуѵԝхзαβγεικνορτυχωѕıøłđħŧɑɡ",
    "abcdehijkmhopqctyvwx3abyeikvoptuxwsioldhtag",
)
# Fields that nobody may leave out in silence: what people said, and who is protected.
SAFEGUARDS: Final = frozenset({"participation", "protected"})
# Accents stand apart in the decomposed form; the others show nothing where they stand.
_UNSEEN: Final = frozenset({"Mn", "Me", "Cf", "Cc"})
_FILLERS: Final = frozenset("\u115f\u1160\u2065\u2800\u3164\uffa0")
_PERSONAL: Final = re.compile(
    r"\d{4}-\d\d?-\d\d?|\d\d?[/.]\d\d?[/.]\d{2,4}|-?\d+([.,]\d+)?|[\d ]{9,14}"
    r"|[A-Za-z]{1,2}\d[\dA-Za-z]? ?\d[A-Za-z]{2}|[A-Za-z]{2} ?(\d\d ?){3}[A-Da-d]?"
    r"|[A-Za-z]\d{11}[\dA-Za-z]|[^@\s]+@[^@\s]+\.[^@\s]+"
)
DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the header row says.

    `places` gives, for each contract column that the file has, its 0-based place
    in the file. A header with findings is refused.
    """

    width: int
    places: tuple[tuple[str, int], ...]
    dropped: tuple[str, ...]
    findings: tuple[Finding, ...] = ()


def read_header(line: str, contract: Contract, *, known: Collection[str]) -> Header:
    """Read the header line of a CSV file under a contract.

    Args:
        line: the first record, without its line end.
        contract: the contract that the file must follow.
        known: column names of all published contracts.
    """
    cells = _split(line, contract.delimiter)
    if cells is None:
        return _refused(Finding(code="intake/header-malformed"))
    header = match_header(cells, contract, known=known)
    better = _better_delimiter(line, contract, len(header.places))
    if better:
        return _refused(Finding(code="intake/delimiter", hint=better), width=header.width)
    return header


def match_header(cells: list[str], contract: Contract, *, known: Collection[str]) -> Header:
    """Match the names in a header row to the columns of a contract."""
    if len(cells) > MOST_COLUMNS:
        return _refused(Finding(code="intake/too-many-columns", hint=str(MOST_COLUMNS)))
    names = names_of(contract)
    folded = [fold(cell) for cell in cells]
    published = {fold(name) for name in known} | set(names)
    places = tuple((names[name], place) for place, name in enumerate(folded) if name in names)
    findings = tuple(_findings(cells, folded, contract, published))
    dropped = tuple(
        name if name in published else f"column {place + 1}"
        for place, name in enumerate(folded)
        if name not in names
    )
    return Header(width=len(cells), places=places, dropped=dropped, findings=findings)


def below_first(lines: Iterable[list[str]], contract: Contract) -> Finding | None:
    """Say on which of the lines below the first the names of the columns seem to stand.

    Asked only where the first line has no name of the contract. One name alone may be a value.
    """
    names = names_of(contract)
    for number, cells in enumerate(islice(lines, LINES_BELOW), start=2):
        found = {names[name] for cell in cells if (name := _plain(cell)) in names}
        if len(found) > 1:
            return Finding(code="intake/header-not-first", hint=str(number))
    return None


def lines_below(octets: bytes, contract: Contract) -> Iterator[list[str]]:
    """Cut the first lines of these bytes into cells; names are ASCII or are not looked for."""
    for line in octets.split(b"\n", LINES_BELOW)[:LINES_BELOW]:
        yield _split(line[:LONGEST_LINE].decode("latin-1").rstrip("\r"), contract.delimiter) or []


def _plain(cell: str) -> str:
    return fold(cell) if cell.isascii() else ""


def fold(name: str) -> str:
    """Make names that a person would read as the same into the same text."""
    text = unicodedata.normalize("NFKC", name).strip().casefold().replace("\ufeff", "")
    return re.sub(r"[\s_-]+", "_", text)


def unmask(name: str) -> str:
    """Make names that look the same into the same text: without accents or hidden characters."""
    seen = (
        letter
        for letter in unicodedata.normalize("NFKD", name)
        if letter.isspace() or not (letter in _FILLERS or unicodedata.category(letter) in _UNSEEN)
    )
    return fold("".join(seen)).translate(LOOK_ALIKES)


def always_there(column: ContractColumn, contract: Contract) -> bool:
    """Whether a file without this column is refused, whatever its rows would hold."""
    guards = column.field in SAFEGUARDS or column.name == contract.protected_column
    return column.required or guards


def _findings(
    cells: list[str], folded: list[str], contract: Contract, published: set[str]
) -> Iterator[Finding]:
    names = names_of(contract)
    unmasked = [unmask(cell) for cell in cells]
    ours, all_names = {unmask(name): names[name] for name in names}, {*map(unmask, published)}
    if any(
        name not in published and _PERSONAL.fullmatch(cell.strip())
        for name, cell in zip(folded, cells, strict=True)
    ):
        yield Finding(code="intake/headerless")
        return
    for place, name in enumerate(unmasked):
        masked = name in all_names and folded[place] not in published
        if masked or (name in ours and folded[place] not in names):
            yield Finding(code="intake/header-look-alike", column=f"column {place + 1}")
    yield from _doubles(folded, unmasked, names, ours)
    present = {names[name] for name in folded if name in names}
    for column in contract.columns:
        if always_there(column, contract) and column.name not in present:
            yield Finding(code="intake/column-missing", column=column.name)
    if not present:
        yield Finding(code="intake/no-known-column")


def _doubles(
    folded: list[str], unmasked: list[str], names: dict[str, str], ours: dict[str, str]
) -> Iterator[Finding]:
    """One finding for each name that stands more than once, with its places.

    Columns without a name are dropped as unknown ones are: a spreadsheet that was wider once
    leaves them behind.
    """
    places: dict[str, list[int]] = {}
    for place, name in enumerate(unmasked):
        places.setdefault(ours.get(name, name), []).append(place)
    for name, found in places.items():
        if name and len(found) > 1:
            known = name if any(folded[place] in names for place in found) else ""
            yield Finding(
                code="intake/header-duplicate",
                column=known or f"column {found[0] + 1}",
                hint=_placed(found),
            )


def _placed(places: list[int]) -> str:
    """Places as people count them; of many the first ten."""
    shown = [str(place + 1) for place in places[:MOST_PLACES]]
    more = len(places) - len(shown)
    last = f"{more} more" if more else shown.pop()
    return f"{', '.join(shown)} and {last}"


def names_of(contract: Contract) -> dict[str, str]:
    """Give the contract's column for each folded name that it may have in a header."""
    return {
        fold(name): column.name
        for column in contract.columns
        for name in (*column.aliases, column.name)
    }


def _better_delimiter(line: str, contract: Contract, matched: int) -> str:
    """Name the delimiter under which more columns of the contract are found."""
    names = names_of(contract)
    for delimiter, word in DELIMITERS.items():
        cells = _split(line, delimiter) if delimiter != contract.delimiter else None
        if cells and len(cells) > 1 and sum(fold(cell) in names for cell in cells) > matched:
            return word
    return ""


def _split(line: str, delimiter: str) -> list[str] | None:
    """Split one RFC 4180 record; None when its quoting is wrong."""
    if '"' not in line:
        return line.split(delimiter)
    sep = re.escape(delimiter)
    if not re.fullmatch(
        rf'(?:"(?:[^"]|"")*"|[^"{sep}]*)(?:{sep}(?:"(?:[^"]|"")*"|[^"{sep}]*))*', line
    ):
        return None
    cells = re.findall(rf'(?:^|{sep})("(?:[^"]|"")*"|[^"{sep}]*)', line)
    return [cell[1:-1].replace('""', '"') if cell.startswith('"') else cell for cell in cells]


def _refused(*findings: Finding, width: int = 0) -> Header:
    return Header(width=width, places=(), dropped=(), findings=findings)
