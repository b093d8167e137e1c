"""What `share` needs of the world, and what it answers.

Source: docs/explanation/architecture.md; security point 15.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol

import polars as pl

from gateway.disclosure import Alarm, Earlier
from gateway.minimise import Masking
from gateway.model import Plan, Reason, Refusal, SharingRequest
from gateway.model.stages import Assessed, Entropy, Recorded, Scratch, Sealed, TooRisky
from gateway.objections import Register
from gateway.pseudonymise import OutputKeys
from gateway.selection import Source
from gateway.workflows.ports import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageAnswer:
    """One package that left: for whom, where it lies, how many rows."""

    package: str
    output: str
    recipient: str
    path: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What `share` answers; `withheld` counts people by reason.

    `state` is forwarded, recorded (packages are on their way by their channels), refused
    or held; for a preview it is would-forward or
    would-refuse, and every count is rounded to 10 with "<10" below. `resumed`: it is the
    answer for a release that was recorded before, and nothing new was made.
    """

    state: str
    request: SharingRequest
    release: str = ""
    policy_digest: str = ""
    packages: Sequence[PackageAnswer] = ()
    received: int | str = 0
    forwarded: int | str = 0
    withheld: Mapping[str, int | str] = field(default_factory=dict)
    refusal: Sequence[Reason] = ()
    warnings: Sequence[str] = ()
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    resumed: bool = False


class ReleaseRun(Protocol):
    """One release being made: its inputs, and the steps that are written down."""

    @property
    def sources(self) -> Mapping[str, Source]:
        """The extracts in use, opened."""

    @property
    def elements(self) -> Sequence[str]:
        """The standardised elements that tokens and the register need."""

    def alike(self, other: ReleaseRun) -> bool:
        """Whether another run reads the same extracts by the same contracts and register."""

    @property
    def register(self) -> Register:
        """The register of objections, opened in memory."""

    @property
    def masking(self) -> Masking:
        """Who gets nothing that is derived from an address."""

    @property
    def keys(self) -> Mapping[str, OutputKeys]:
        """The derived keys of each output, granted for this policy."""

    @property
    def scratch(self) -> Scratch:
        """Room for partitions."""

    @property
    def entropy(self) -> Entropy:
        """The operating system's generator."""

    @property
    def progress(self) -> Progress:
        """Told each step."""

    @property
    def doubts(self) -> Callable[[pl.DataFrame], None]:
        """Takes the doubtful matches that a person must settle, by reference."""

    @property
    def link_map(self) -> Callable[[pl.DataFrame], None]:
        """Takes `person` and `link_id` for the sealed map of this release."""

    @property
    def unit_key(self) -> bytes:
        """The controller's own key for marks of families; they never leave."""

    @property
    def earlier(self) -> Earlier:
        """The releases that the same recipients hold."""

    def unusual(self, assessed: Assessed) -> Sequence[Alarm]:
        """What is unusual beside the last release of this purpose, and not accepted."""

    def hold(self, unusual: Sequence[Alarm]) -> Outcome:
        """Record that a person has to look first, and why; nothing leaves."""

    def seal(self, assessed: Assessed) -> Sequence[Sealed]:
        """Serialise, scan, conserve, record what was built, sign and seal each output."""

    def record(self, sealed: Sequence[Sealed], outbox: str) -> Recorded:
        """Read register and approvals again and write the dispatch into the ledger."""

    def forward(self, recorded: Recorded) -> Outcome:
        """Put each package where it belongs and answer with the receipt."""

    def too_risky(self, found: TooRisky) -> Outcome:
        """Record that nothing may leave, and why."""

    def would_share(self, assessed: Assessed | TooRisky) -> Outcome:
        """Answer a preview in rounded counts."""

    def __enter__(self) -> ReleaseRun:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give scratch room and keys back; a release that did not come through is withdrawn."""


class ShareDesk(Protocol):
    """Policies, stores and the officer's rights."""

    def decide(self, request: SharingRequest, officer: str) -> Plan | Refusal:
        """Decide by the agreements in force, for an officer who may run this release."""

    def refuse(self, request: SharingRequest, refusal: Refusal, *, officer: str) -> Outcome:
        """Record a refusal and answer with its reasons."""

    def would_refuse(self, request: SharingRequest, refusal: Refusal) -> Outcome:
        """Answer with the reasons and record nothing."""

    def begin(self, plan: Plan, officer: str) -> ReleaseRun:
        """Open a release under this Plan."""

    def rehearse(self, plan: Plan, officer: str, *, reason: str) -> ReleaseRun:
        """Open the same inputs without a release, under keys of this run alone."""
