"""The checker's one pass over a file: blocks to two workers, results merged in order.

Memory stays bounded whatever the size of the file: at most a few blocks are under
way, counts are merged and rows forgotten.

Source: docs/explanation/architecture.md; RFC 4180; security points 10 and 11.
"""

from __future__ import annotations

import codecs
import itertools
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from gateway import intake
from gateway.adapters.checker_blocks import Block, Examined, Examiner, Rows
from gateway.adapters.checker_source import (
    LONGEST_HEADER,
    Read,
    Utf8Blocks,
    is_spreadsheet,
    is_utf16,
    refuse_kind,
    transcoded,
)
from gateway.adapters.failing_rows import framed
from gateway.intake import Fault, Finding, Header, Tally, Verdict
from gateway.model import Contract

BLOCK_BYTES: Final = 6 << 20
LONGEST_RECORD: Final = 16 << 20
MOST_ROWS: Final = 200_000_000
WORKERS: Final = 2
AHEAD: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What one pass needs beside the bytes.

    `seed` keys the hashes of this run; `accepted` and `failing` take frames.
    """

    contract: Contract
    known: Sequence[str]
    seed: int
    spill: BinaryIO | None
    accepted: Callable[[bytes], None]
    failing: Callable[[bytes], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The verdict of a pass, and which accepted rows are none because values repeat.

    `left_out` has their places (0-based) among the rows that went to `accepted`.
    """

    verdict: Verdict
    left_out: NDArray[np.uint32]


def check_stream(read: Read, run: Pass) -> Outcome:
    """Check a file from its bytes.

    Args:
        read: gives up to so many bytes, or none at the end.
        run: the contract and where results go.
    """
    first = _first_part(read)
    refused = refuse_kind(first, encodings=run.contract.encodings)
    if refused is not None:
        return _early(refused)
    if is_spreadsheet(first):
        from gateway.adapters.checker_sheet import read_sheet

        opened = read_sheet(_all_bytes(first, read), run.contract, known=run.known)
        return _early(opened) if isinstance(opened, Finding) else _blocks(opened[0], opened[1], run)
    whole = _again(first, read)
    return _csv(transcoded(whole) if is_utf16(first) else whole, run)


def _csv(read: Read, run: Pass) -> Outcome:
    parts = intake.cut_blocks(read, BLOCK_BYTES, longest=LONGEST_RECORD)
    first = next(parts, b"")
    line, newline, rest = first.removeprefix(codecs.BOM_UTF8).partition(b"\n")
    source = Utf8Blocks(run.contract.encodings)
    refused = _line_fault(line, rest)
    if refused is not None:
        return _early(refused)
    try:
        text = source.read(line + newline).decode().rstrip("\r\n")
    except UnicodeError as fault:
        return _early(Finding(code="intake/encoding", hint=str(getattr(fault, "start", 0))))
    header = intake.read_header(text, run.contract, known=run.known)
    below = None
    if not header.places:
        below = intake.below_first(intake.lines_below(rest, run.contract), run.contract)
    if below is not None:
        return _early(below)
    source.skip(len(first) - len(rest) - len(line) - len(newline))
    parts = itertools.chain((rest,) if rest else (), parts)
    return _blocks(header, source.blocks(parts), run)


def _line_fault(line: bytes, rest: bytes) -> Finding | None:
    if b"\0" in line:
        return Finding(code="intake/nul")
    if b"\r" in line.rstrip(b"\r\n"):
        return Finding(code="intake/bare-return")
    if len(line) > LONGEST_HEADER:
        return Finding(code="intake/too-many-columns", hint=str(intake.MOST_COLUMNS))
    if not line.strip() and not rest.strip():
        return Finding(code="intake/empty")
    return None


def _blocks(header: Header, blocks: Iterator[Block], run: Pass) -> Outcome:
    if header.findings:
        return _early(*header.findings, dropped=header.dropped)
    merge = _Merge(header, run)
    under_way: deque[Future[Examined]] = deque()
    with ThreadPoolExecutor(WORKERS) as pool:
        for block in blocks:
            under_way.append(pool.submit(merge.examiner.examine, block))
            if len(under_way) >= AHEAD and merge.take(under_way.popleft().result()):
                break
        while under_way:
            left = under_way.popleft()
            if merge.stopped:
                left.cancel()
            else:
                merge.take(left.result())
    return merge.outcome()


class _Merge:
    """Results of blocks in their order."""

    def __init__(self, header: Header, run: Pass) -> None:
        self._header, self._run = header, run
        self._rules = intake.rules_of(run.contract)
        self._numbers = {rule.name: number for number, rule in enumerate(self._rules)}
        self._whole = [rule for rule in self._rules if rule.together]
        self._tally = Tally(run.contract, self._rules)
        self._seen = {rule.name: intake.Repetitions(run.spill) for rule in self._whole}
        self.examiner = Examiner(run.contract, header, rules=self._rules, seed=run.seed)
        self.stopped = False

    def take(self, examined: Examined) -> bool:
        """Merge one block; says whether to stop."""
        start = np.uint64(self._tally.rows)
        for fault, hint in examined.faults:
            self._tally.add_fault(fault, hint=hint)
        if examined.checked is None:
            self._tally.skip(examined.records)
        else:
            self._emit(examined)
            self._tally.add(examined.checked)
        for rule, pairs in zip(self._whole, examined.hashes, strict=False):
            pairs[:, 1] += start
            self._seen[rule.name].add(pairs)
            self._tally.count_applied(rule, len(pairs))
        if self._tally.rows > MOST_ROWS:
            full = Fault(code="intake/too-many-rows", count=1, first=())
            self._tally.add_fault(full, hint=str(MOST_ROWS))
            self.stopped = True
        self.stopped = self.stopped or examined.stops
        return self.stopped

    def _emit(self, examined: Examined) -> None:
        if examined.accepted and not self._tally.broken:
            self._run.accepted(examined.accepted)
        if examined.checked is not None and examined.checked.failing:
            self._run.failing(self._failing(examined.checked.failing.items(), self._tally.rows))

    def _failing(self, failing: object, start: int) -> bytes:
        parts = [
            (places.to_numpy().astype(np.uint64) + np.uint64(start + 1), self._numbers[name])
            for name, places in dict(failing).items()  # type: ignore[call-overload]
        ]
        return _framed(parts)

    def outcome(self) -> Outcome:
        found: list[Rows] = []
        for rule in () if self._tally.broken else self._whole:
            rows = self._seen[rule.name].rows()
            self._tally.add_repeated(rule, rows)
            found.append(rows)
            if rows.size:
                self._run.failing(_framed([(rows + np.uint64(1), self._numbers[rule.name])]))
        repeated = np.unique(np.concatenate(found)) if found else np.empty(0, np.uint64)
        verdict = self._tally.decide(repeated=repeated, dropped=self._header.dropped)
        return Outcome(verdict=verdict, left_out=self._tally.places(repeated))


def _framed(parts: Sequence[tuple[Rows, int]]) -> bytes:
    """Failing rows (from 1) with the number of their rule, as a block."""
    rows = np.concatenate([rows for rows, _ in parts]).astype("<u4")
    rules = np.repeat([number for _, number in parts], [rows.size for rows, _ in parts])
    return framed(rows.tobytes(), rules.astype("<u2").tobytes())


def _early(*findings: Finding, dropped: tuple[str, ...] = ()) -> Outcome:
    verdict = intake.rejected(*findings, dropped=dropped)
    return Outcome(verdict=verdict, left_out=np.empty(0, np.uint32))


def _first_part(read: Read) -> bytes:
    """Read enough to know the kind of file."""
    first = b""
    while len(first) < 64 and (chunk := read(BLOCK_BYTES)):
        first += chunk
    return first


def _again(first: bytes, read: Read) -> Read:
    held = [first]
    return lambda size: held.pop() if held else read(size)


def _all_bytes(first: bytes, read: Read) -> bytes:
    parts = [first]
    while chunk := read(BLOCK_BYTES):
        parts.append(chunk)
    return b"".join(parts)
