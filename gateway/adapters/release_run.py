"""One release from its opening to its receipt: each step one transaction with the ledger.

    open (decided) -> built: core manifests in the ledger, checkpoint signed
    -> sealed to `outgoing/` -> recorded: register and approvals read again
    -> forwarded, the receipt

Source: security points 15, 16, 17, 20 and 23.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import polars as pl
import sqlalchemy as sa

from gateway.adapters import deliveries, ledger_store, release_doubts, release_owed
from gateway.adapters.release_answers import columns_of, reasons_of, refused, would_share
from gateway.adapters.release_build import Building, conserved
from gateway.adapters.release_faults import require_as_recorded
from gateway.adapters.release_making import kept_manifest
from gateway.adapters.release_stops import write_decision, write_hold, write_refusal
from gateway.adapters.release_store import (
    PackageRecord,
    ReleaseState,
)
from gateway.adapters.release_world import (
    UNFINISHED,
    Inputs,
    World,
    drop_files,
    forward_release,
    withdraw,
)
from gateway.adapters.spill import ScratchDirectory, SealedSpill
from gateway.disclosure import Alarm, Earlier
from gateway.errors import GatewayError
from gateway.ledger import packages_digest
from gateway.ledger import record as as_recorded
from gateway.minimise import Masking
from gateway.model import Plan
from gateway.model.stages import Assessed, Recorded, Sealed, TooRisky
from gateway.objections import Register
from gateway.pseudonymise import OutputKeys
from gateway.selection import Source
from gateway.workflows.ports import Progress
from gateway.workflows.sharing import Outcome, ReleaseRun


class Run:
    """See `gateway.workflows.sharing.ReleaseRun`."""

    def __init__(self, world: World, inputs: Inputs, plan: Plan, officer: str) -> None:
        """Open scratch room; a rehearsal has no officer and writes nothing down."""
        self._world = world
        self._inputs = inputs
        self._plan = plan
        self._officer = officer
        self._state: ReleaseState | None = None
        self.release = ""
        self.scratch = ScratchDirectory(world.scratch)
        self.entropy = os.urandom
        self._links: list[SealedSpill] = []
        self._told: dict[str, Any] = {}
        self._doubts: list[pl.DataFrame] = []
        self._pseudonymised = 0
        self.masking = Masking(
            seed=inputs.memory.mask_seed,
            communal=inputs.masked.communal,
            protected=inputs.masked.protected,
        )

    @property
    def sources(self) -> Mapping[str, Source]:
        """The extracts in use, opened."""
        return self._inputs.sources

    @property
    def elements(self) -> Sequence[str]:
        """The standardised elements that tokens and the register need."""
        return self._inputs.elements

    def alike(self, other: ReleaseRun) -> bool:
        """Whether another run reads the same extracts by the same contracts and register."""
        same = (dict(self.sources), {*self.elements}) == (dict(other.sources), {*other.elements})
        return same and self.register is other.register

    @property
    def register(self) -> Register:
        """The register of objections, opened in memory."""
        return self._inputs.register

    @property
    def keys(self) -> Mapping[str, OutputKeys]:
        """The derived keys of each output, granted for this policy."""
        return self._inputs.keys

    @property
    def unit_key(self) -> bytes:
        """The controller's own key for marks of families; they never leave."""
        return self._inputs.memory.unit_key

    @property
    def earlier(self) -> Earlier:
        """The releases that the same recipients hold."""
        return self._inputs.memory.earlier(self.scratch)

    def unusual(self, assessed: Assessed) -> Sequence[Alarm]:
        """What is unusual beside the last release of this purpose, and not accepted."""
        return self._inputs.memory.unusual(assessed)

    @property
    def progress(self) -> Progress:
        """Told each step."""
        return self._world.progress

    def doubts(self, pairs: pl.DataFrame) -> None:
        """Keep the doubtful matches for the queue."""
        self._doubts.append(pairs)

    def link_map(self, frame: pl.DataFrame) -> None:
        """Keep who received which link id, sealed."""
        self._pseudonymised += frame.height
        spill = self.scratch.spill(1)
        spill.put(0, frame)
        self._links.append(spill)

    def __enter__(self) -> Self:
        """Write down that this release was decided."""
        if self._officer:
            self.release = self._world.new_release()
            self._state = ReleaseState.DECIDED
            try:
                write_decision(self._world, self._plan, release=self.release, officer=self._officer)
            except BaseException as fault:
                # A stop right after the commit: Python ends no block that it has not begun.
                self.__exit__(type(fault), fault, fault.__traceback__)
                raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give scratch room back; withdraw a release that did not come through."""
        self.scratch.close()
        if self._state in UNFINISHED and fault is not None:
            code = fault.code if isinstance(fault, GatewayError) else "gateway/unexpected"
            if isinstance(fault, GatewayError):
                fault.about(release=self.release, policy_digest=self._plan.policy_digest)
            # A stop right after the commit that recorded it: then the step is refused, and
            # the packages must stay for the next run to forward.
            with suppress(GatewayError, OSError):
                with self._world.database.begin() as connection:
                    self._write_down_uses(connection)
                    withdraw(connection, self._world, self.release, code=code)
                drop_files(self._world, self.release)
        if isinstance(fault, Exception) and not isinstance(fault, GatewayError):
            require_as_recorded(self.sources.values())

    def seal(self, assessed: Assessed) -> Sequence[Sealed]:
        """Serialise, scan, conserve, record what was built, sign and seal each output."""
        self._told = conserved(assessed)
        building = Building(
            world=self._world,
            inputs=self._inputs,
            plan=self._plan,
            release=self.release,
            officer=self._officer,
            scratch=self.scratch,
            told=self._told,
        )
        made = building.make(assessed, self._links)
        with self._world.database.begin() as connection:
            self._write_down_uses(connection)
            self._queue(connection)
            manifests = building.record(connection, made)
        self._state = ReleaseState.BUILT
        self._manifests = {each["output"]: each for each in manifests}
        sealed = building.seal(made, manifests)
        self._digests = {package: digest for package, (_, digest) in sealed.items()}
        return [each for each, _ in sealed.values()]

    def record(self, sealed: Sequence[Sealed], outbox: str) -> Recorded:
        """Read register and approvals again and write the dispatch into the ledger.

        Raises:
            HeldForPerson: an objection or a policy change came in between.
        """
        world = self._world
        with world.database.begin() as connection:
            world.still_valid(
                connection,
                self._plan.request,
                self._plan.policy_digest,
                self.register.sequence,
            )
            leaf = world.append(
                connection,
                "release-recorded",
                {
                    "release": self.release,
                    "packages": len(sealed),
                    "packages_digest": packages_digest(sealed),
                    "operator": self._officer,
                    "register_sequence": self.register.sequence,
                },
            )
            ways = deliveries.Ways(self._plan, world.data / "outbox", world.delivery_days)
            for package in sealed:
                ways.send(connection, self._package_record(package, outbox), at=world.now())
            self.recording(connection)
            release_owed.recorded(connection, world, self.release, outbox=outbox)
            proof = ledger_store.prove(connection, leaf.index)
        self._state = ReleaseState.RECORDED
        return as_recorded(self.release, sealed, proof=proof)

    def recording(self, connection: sa.Connection) -> None:
        """What else is written down in the transaction that records; nothing, as a rule."""

    def forward(self, recorded: Recorded) -> Outcome:
        """Put each package where it belongs and answer with the receipt."""
        self._world.progress("forwarding")
        packages = forward_release(self._world, recorded.release)
        told = self._told
        return Outcome(
            state="forwarded" if all(each.path for each in packages) else "recorded",
            request=self._plan.request,
            release=recorded.release,
            policy_digest=self._plan.policy_digest,
            packages=packages,
            received=told["received"],
            forwarded=told["forwarded"],
            withheld=told["withheld"],
            warnings=(*self._plan.warnings, *self._inputs.warnings),
            columns=columns_of(self._plan),
        )

    def too_risky(self, found: TooRisky) -> Outcome:
        """Record that nothing may leave, and why."""
        reasons = reasons_of(self._plan, found)
        with self._world.database.begin() as connection:
            self._write_down_uses(connection)
            self._queue(connection)
            write_refusal(
                connection, self._world, self._plan, release=self.release, reasons=reasons
            )
        self._state = ReleaseState.REFUSED
        return refused(self._plan, reasons, release=self.release)

    def hold(self, unusual: Sequence[Alarm]) -> Outcome:
        """Record that a person has to look first, and why; nothing leaves."""
        with self._world.database.begin() as connection:
            self._write_down_uses(connection)
            self._queue(connection)
            reasons = write_hold(
                connection, self._world, self._plan, release=self.release, alarms=unusual
            )
        self._state = ReleaseState.HELD
        return refused(self._plan, reasons, state="held", release=self.release)

    def would_share(self, assessed: Assessed | TooRisky) -> Outcome:
        """Answer a preview in rounded counts."""
        return would_share(self._plan, assessed, warnings=self._inputs.warnings)

    def _write_down_uses(self, connection: sa.Connection) -> None:
        """Write down how often each key was used since this was last done."""
        if self._pseudonymised:
            self._inputs.record_key_uses(
                connection, self.release, officer=self._officer, people=self._pseudonymised
            )
            self._pseudonymised = 0

    def _queue(self, connection: sa.Connection) -> None:
        """Queue the doubtful matches for a person, in the transaction that withholds them."""
        release_doubts.queue(
            *(connection, self._world, self._inputs, self._plan),
            release=self.release,
            doubts=self._doubts,
        )

    def _package_record(self, sealed: Sealed, outbox: str) -> PackageRecord:
        return PackageRecord(
            id=sealed.package,
            release=self.release,
            output=sealed.output,
            recipient=sealed.recipient,
            rows=sealed.rows,
            digest=self._digests[sealed.package],
            manifest=kept_manifest(self._manifests[sealed.output], sealed.digest),
            place=outbox,
        )
