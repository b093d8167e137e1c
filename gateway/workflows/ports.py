"""What a workflow needs of the world, as small Protocols, and the Desk that holds them.

`gateway.wiring` builds the one real Desk; a workflow never asks who stands behind.

Source: docs/explanation/architecture.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

from gateway.intake import Verdict
from gateway.model import Contract
from gateway.model.extracts import ExtractRecord


class Progress(Protocol):
    """Says on a terminal or a page how far the work is."""

    def __call__(self, step: str, done: int = 0, total: int = 0) -> None:
        """A step has begun, or has come this far."""


class SealedSink(Protocol):
    """An extract being sealed."""

    def write(self, block: bytes) -> None:
        """Add bytes of frames."""

    def leave_out(self, places: bytes) -> None:
        """Say which rows readers leave out: places from 0, u32 little-endian, ascending."""

    def finish(self) -> str:
        """Make it durable; the SHA-256 of the sealed bytes and of what is left out."""

    def discard(self) -> None:
        """Leave nothing."""


class RowsSink(Protocol):
    """The numbers of failing rows being kept: row and rule, never a value."""

    def write(self, block: bytes) -> None:
        """Add bytes of frames."""

    def finish(self) -> None:
        """Make it durable."""

    def discard(self) -> None:
        """Leave nothing."""


class ExtractStore(Protocol):
    """Where extracts and their receipts are kept."""

    def find(
        self, dataset: str, party: str, content_digest: str, contract_digest: str
    ) -> ExtractRecord | None:
        """The receipt of the same bytes under the same contract, if they came before."""

    def latest(self, dataset: str, party: str) -> ExtractRecord | None:
        """The newest accepted extract that nothing has superseded."""

    def sink(self, extract: str) -> SealedSink:
        """Begin to seal one extract."""

    def rows_sink(self, extract: str, rules: Iterable[tuple[str, str]]) -> RowsSink:
        """Begin to keep the numbers of failing rows; rules as (column, name), by number."""

    def record(self, receipt: ExtractRecord, *, again: bool = False) -> ExtractRecord:
        """Receipt, lineage and ledger entry in one transaction; `again` for replaced bytes."""


class Checker(Protocol):
    """Reads a partner's file where nothing can be lost: limited, without keys or network."""

    def check(
        self,
        source: BinaryIO,
        contract: Contract,
        *,
        known_columns: Collection[str],
        sink: Callable[[bytes], None],
        failing: Callable[[bytes], None] | None = None,
        left_out: Callable[[bytes], None] | None = None,
    ) -> Verdict:
        """Check one file.

        Accepted frames go to `sink`, row numbers to `failing`, and the places of
        accepted rows that repeat a unique value, at the end, to `left_out`.
        """


class Judge(Protocol):
    """Great Expectations over the merged verdict."""

    def judge(
        self, contract: Contract, verdict: Verdict, previous: Mapping[str, Any] | None
    ) -> Mapping[str, Any]:
        """The evidence; its key `success` says whether the library agrees."""


@dataclass(frozen=True, slots=True)
class IntakeDesk:
    """What `receive` needs: no secret key among it."""

    contracts: Mapping[str, Contract]
    contract_digests: Mapping[str, str]
    extracts: ExtractStore
    checker: Checker
    judge: Judge
    now: Callable[[], dt.datetime]
    new_id: Callable[[str], str]
    progress: Progress = field(repr=False)
