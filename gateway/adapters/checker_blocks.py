"""What one worker of the checker does with one block: structure, parse, rules, columns.

Nothing here keeps a block: a worker returns counts, row numbers, keyed hashes and
the accepted columns, serialised.

Source: docs/explanation/architecture.md; security point 10.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gateway import identity, intake
from gateway.adapters.extract_blocks import write_block
from gateway.intake import Checked, Fault, Header, Rule, Scan
from gateway.model import Contract

LONGEST_CELL: Final = 32 << 10

# After these the rest of the file cannot be cut into rows any more.
STOPPING: Final = frozenset({"intake/quote-open", "intake/quote-stray", "intake/encoding"})

# Blanks around a cell are never part of it; tab and no-break space are blanks too.
BLANKS: Final = " \t\u00a0"

Rows = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Whole records: CSV bytes in UTF-8, or a frame of raw text columns of a spreadsheet."""

    octets: bytes = field(default=b"", repr=False)
    frame: pl.DataFrame | None = field(default=None, repr=False)
    faults: tuple[tuple[Fault, str], ...] = ()
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What one block gave. `accepted` is one frame: u32 length and a stored block."""

    records: int
    faults: tuple[tuple[Fault, str], ...] = ()
    checked: Checked | None = field(default=None, repr=False)
    accepted: bytes = field(default=b"", repr=False)
    hashes: tuple[Rows, ...] = field(default=(), repr=False)

    @property
    def stops(self) -> bool:
        """Whether what follows this block cannot be read."""
        return any(fault.code in STOPPING for fault, _ in self.faults)


class Examiner:
    """Examines blocks of one file under one contract; safe for several threads."""

    def __init__(
        self,
        contract: Contract,
        header: Header,
        *,
        rules: Sequence[Rule],
        seed: int,
    ) -> None:
        """Prepare what all blocks share.

        Args:
            contract: what the file must follow.
            header: how the columns of the file map to it.
            rules: the rules of the contract.
            seed: a random number that keys the hashes of this run.
        """
        self._contract = contract
        self._header = header
        self._seed = seed
        self._compiled = intake.Compiled(contract, rules)
        self._whole = [rule for rule in rules if rule.together]

    def examine(self, block: Block) -> Examined:
        """Examine one block of whole records."""
        if block.frame is not None:
            seen = Scan(records=block.frame.height)
            return self._check(block.frame, seen, ascii_only=False, faults=block.faults)
        if block.faults:
            return Examined(records=0, faults=block.faults)
        width, delimiter = self._header.width, self._contract.delimiter
        found = intake.cells(
            block.octets,
            width,
            self._header.places,
            delimiter=delimiter,
            longest=LONGEST_CELL,
        )
        if found is not None:
            seen, given = found
            return self._check(self._whole_contract(given), seen, ascii_only=block.octets.isascii())
        seen = intake.scan(block.octets, width, delimiter=delimiter, longest_cell=LONGEST_CELL)
        if seen.faults:
            return Examined(records=seen.records, faults=_hinted(seen, block.octets))
        raw = self._parse(block.octets, blanks=seen.padded)
        if raw.height != seen.records:
            fault = Fault(code="intake/reader-disagrees", count=1, first=())
            return Examined(records=seen.records, faults=((fault, ""),))
        return self._check(raw, seen, ascii_only=block.octets.isascii())

    def _whole_contract(self, given: pl.DataFrame) -> pl.DataFrame:
        """Columns of the contract in its order; what the file lacks is missing."""
        absent = pl.repeat(None, given.height, dtype=pl.String, eager=True)
        return pl.DataFrame(
            [
                given[column.name] if column.name in given.columns else absent.alias(column.name)
                for column in self._contract.columns
            ]
        )

    def _parse(self, octets: bytes, *, blanks: bool) -> pl.DataFrame:
        names = {str(place): pl.String for place in range(self._header.width)}
        parsed = pl.read_csv(
            octets,
            has_header=False,
            schema=names,
            columns=[place for _, place in self._header.places] or [0],
            separator=self._contract.delimiter,
            quote_char='"' if b'"' in octets else None,
            infer_schema=False,
        )
        return self._named(
            parsed,
            empty_text=b'""' in octets,
            blanks=blanks,
        )

    def _named(self, parsed: pl.DataFrame, *, empty_text: bool, blanks: bool) -> pl.DataFrame:
        """Give the columns their contract names; what the file lacks is missing.

        Blanks around a cell are never part of it (`std1`: trim); where a block has
        none, nobody looks at each cell for them.
        """
        places = {name: str(place) for name, place in self._header.places}
        columns = []
        for column in self._contract.columns:
            place = places.get(column.name)
            cell = pl.lit(None, pl.String) if place is None else pl.col(place)
            if blanks and place is not None:
                cell = cell.str.strip_chars(BLANKS)
            if (empty_text or blanks) and place is not None:
                cell = pl.when(cell != "").then(cell)
            columns.append(cell.alias(column.name))
        return parsed.select(columns) if places else parsed.clear().select(columns)

    def _check(
        self,
        raw: pl.DataFrame,
        seen: Scan,
        *,
        ascii_only: bool,
        faults: tuple[tuple[Fault, str], ...] = (),
    ) -> Examined:
        checked = self._compiled.check(
            raw,
            ascii_only=ascii_only,
            plain=not seen.unusual,
            # Behind the blanks that were cut off a sign may stand that the scan did not see.
            signs=seen.signs or seen.padded,
        )
        hashes = tuple(intake.keyed_hashes(raw, rule, self._seed, 0) for rule in self._whole)
        elements = identity.standardise(checked.columns, self._contract)
        notes = intake.unusable(checked, elements, self._contract)
        accepted = b"" if faults else _frame(checked.columns, elements)
        slim = replace(checked, columns=pl.DataFrame(), notes={**checked.notes, **notes})
        return Examined(
            records=raw.height, faults=faults, checked=slim, accepted=accepted, hashes=hashes
        )


def _frame(columns: pl.DataFrame, elements: pl.DataFrame) -> bytes:
    if not columns.height:
        return b""
    elements = elements.rename({name: f"std.{name}" for name in elements.columns})
    block = write_block(pl.concat((columns, elements), how="horizontal"))
    return struct.pack(">I", len(block)) + block


def _hinted(seen: Scan, octets: bytes) -> tuple[tuple[Fault, str], ...]:
    """Say of a file that ends inside its last row that it is truncated."""
    found = []
    for fault in seen.faults:
        last = fault.count == 1 and fault.first == (seen.records - 1,)
        if fault.code == "intake/row-width" and last and not octets.endswith(b"\n"):
            fault = replace(fault, code="intake/truncated")
        limit = str(LONGEST_CELL) if fault.code == "intake/cell-too-long" else ""
        found.append((fault, limit))
    return tuple(found)
