"""One release from its opening to its receipt: each step one transaction with the ledger.

    open (decided) -> built: core manifests in the ledger, checkpoint signed
    -> sealed to `outgoing/` -> recorded: register and approvals read again
    -> forwarded, the receipt

Source: security points 15, 16, 17, 20 and 23.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import polars as pl
import sqlalchemy as sa

from gateway.adapters import ledger_store
from gateway.adapters.link_maps import write_link_map
from gateway.adapters.release_making import About, Serialised, manifest_of, package_id
from gateway.adapters.release_store import (
    PackageRecord,
    ReleaseRecord,
    ReleaseState,
    add_package,
    open_release,
    step,
)
from gateway.adapters.release_world import (
    UNFINISHED,
    Inputs,
    World,
    file_digest,
    forward_release,
    withdraw,
)
from gateway.adapters.spill import ScratchDirectory, SealedSpill
from gateway.disclosure import Scan, rounded, scan_rules
from gateway.errors import GatewayError, HeldForPerson, IntegrityError
from gateway.ledger import packages_digest
from gateway.ledger import record as as_recorded
from gateway.minimise import Masking
from gateway.model import Plan, Reason
from gateway.model.stages import Assessed, AssessedOutput, Recorded, Sealed, TooRisky
from gateway.objections import Register
from gateway.pseudonymise import OutputKeys
from gateway.sealing import complete_manifest, core_digest, datapackage
from gateway.sealing import seal as seal_package
from gateway.sealing.packing import SLOT, clear_columns, identifier_columns, serialise, table_types
from gateway.selection import Source
from gateway.workflows.sharing import Outcome

LINKED = frozenset({"tokens", "link-id", "sealed-clear"})


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
        self.entropy = secrets.token_bytes
        self._links: list[SealedSpill] = []
        self._told: dict[str, Any] = {}
        self.masking = Masking(seed=secrets.randbits(64), communal=inputs.communal)

    @property
    def sources(self) -> Mapping[str, Source]:
        """The extracts in use, opened."""
        return self._inputs.sources

    @property
    def elements(self) -> Sequence[str]:
        """The standardised elements that tokens and the register need."""
        return self._inputs.elements

    @property
    def register(self) -> Register:
        """The register of objections, opened in memory."""
        return self._inputs.register

    @property
    def keys(self) -> Mapping[str, OutputKeys]:
        """The derived keys of each output, granted for this policy."""
        return self._inputs.keys

    def link_map(self, frame: pl.DataFrame) -> None:
        """Keep who received which link id, sealed."""
        spill = self.scratch.spill(1)
        spill.put(0, frame)
        self._links.append(spill)

    def __enter__(self) -> Self:
        """Write down that this release was decided."""
        if self._officer:
            self.release = f"rel-{self._world.new_id()}"
            with self._world.database.begin() as connection:
                self._open(connection)
            self._state = ReleaseState.DECIDED
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
            with suppress(GatewayError), self._world.database.begin() as connection:
                withdraw(connection, self._world, self.release, code=code)
            for package in self._world.outgoing.glob(f"{self.release}.*"):
                package.unlink(missing_ok=True)

    def seal(self, assessed: Assessed) -> Sequence[Sealed]:
        """Serialise, scan, conserve, record what was built, sign and seal each output."""
        record = self._conserved(assessed)
        salt = secrets.token_hex(32)
        digest = hashlib.sha256((salt + json.dumps(record, sort_keys=True)).encode()).hexdigest()
        about = About(
            plan=self._plan,
            release=self.release,
            sender=self._world.sender,
            created=self._world.now(),
            register_read_at=self._inputs.register_read_at,
            withheld=self._told["received"] - self._told["forwarded"],
            record_digest=digest,
        )
        made = [self._serialise(assessed, entry, about) for entry in assessed.outputs]
        self._world.progress("sealing")
        self._keep_link_map(assessed)
        with self._world.database.begin() as connection:
            manifests = self._built(connection, made, {**record, "salt": salt}, digest)
        self._state = ReleaseState.BUILT
        return [
            self._sealed(part, manifest) for part, manifest in zip(made, manifests, strict=True)
        ]

    def record(self, sealed: Sequence[Sealed], outbox: str) -> Recorded:
        """Read register and approvals again and write the dispatch into the ledger.

        Raises:
            HeldForPerson: an objection or a policy change came in between.
        """
        world = self._world
        with world.database.begin() as connection:
            world.still_valid(connection, self._plan, self.register.sequence)
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
            for package in sealed:
                add_package(connection, self._package_record(package, outbox))
            step(connection, self.release, ReleaseState.RECORDED)
            proof = ledger_store.prove(connection, leaf.index)
        self._state = ReleaseState.RECORDED
        return as_recorded(self.release, sealed, proof=proof)

    def forward(self, recorded: Recorded) -> Outcome:
        """Put each package where it belongs and answer with the receipt."""
        self._world.progress("forwarding")
        packages = forward_release(self._world, recorded.release)
        told = self._told
        return Outcome(
            state="forwarded",
            request=self._plan.request,
            release=recorded.release,
            policy_digest=self._plan.policy_digest,
            packages=packages,
            received=told["received"],
            forwarded=told["forwarded"],
            withheld=told["withheld"],
            warnings=self._plan.warnings,
            columns=_columns(self._plan),
        )

    def too_risky(self, found: TooRisky) -> Outcome:
        """Record that nothing may leave, and why."""
        reasons = [
            Reason(code=code, clause=self._plan.clause, reason=said) for code, said in found.reasons
        ]
        with self._world.database.begin() as connection:
            self._world.append(
                connection,
                "release-refused",
                {
                    "release": self.release,
                    "purpose": self._plan.request.purpose,
                    "agreement": self._plan.request.agreement,
                    "policy_digest": self._plan.policy_digest,
                    "reasons": len(reasons),
                    "code": reasons[0].code,
                },
            )
            record = {"refusal": [[reason.code, reason.reason] for reason in reasons]}
            step(connection, self.release, ReleaseState.REFUSED, record=record)
        self._state = ReleaseState.REFUSED
        return refused(self._plan, reasons, release=self.release)

    def would_share(self, assessed: Assessed | TooRisky) -> Outcome:
        """Answer a preview in rounded counts."""
        if isinstance(assessed, TooRisky):
            reasons = [
                Reason(code=code, clause=self._plan.clause, reason=said)
                for code, said in assessed.reasons
            ]
            return refused(self._plan, reasons, state="would-refuse")
        return Outcome(
            state="would-forward",
            request=self._plan.request,
            policy_digest=self._plan.policy_digest,
            received=rounded(assessed.received),
            forwarded=rounded(assessed.rows),
            withheld={why: rounded(count) for why, count in assessed.counts.items() if count},
            warnings=self._plan.warnings,
            columns=_columns(self._plan),
        )

    def _open(self, connection: sa.Connection) -> None:
        plan, world = self._plan, self._world
        world.append(
            connection,
            "release-decided",
            {
                "release": self.release,
                "purpose": plan.request.purpose,
                "agreement": plan.request.agreement,
                "policy_digest": plan.policy_digest,
                "version": plan.agreement_version,
                "operator": self._officer,
            },
        )
        open_release(
            connection,
            ReleaseRecord(
                id=self.release,
                state=ReleaseState.DECIDED,
                purpose=plan.request.purpose,
                agreement=plan.request.agreement,
                policy_digest=plan.policy_digest,
                officer=self._officer,
                created=world.now(),
            ),
        )

    def _conserved(self, assessed: Assessed) -> dict[str, Any]:
        """Everyone who was received was forwarded or withheld for a reason, or nothing leaves."""
        withheld = {why: count for why, count in sorted(assessed.counts.items()) if count}
        if assessed.received != assessed.rows + sum(withheld.values()):
            raise IntegrityError(
                "release/not-conserved",
                "The people received are not the people forwarded and withheld.",
                remedy="Nothing has left. Report this; do not share until it is understood.",
            )
        if not assessed.rows:
            raise HeldForPerson(
                "release/nobody-left",
                "Nobody of the cohort may be shared, so that nothing leaves.",
                remedy="`gateway share --dry-run` says why people are withheld.",
            )
        self._told = {
            "received": assessed.received,
            "forwarded": assessed.rows,
            "withheld": withheld,
        }
        return {
            **self._told,
            "register_sequence": self.register.sequence,
            "k_reached": {entry.output.name: entry.k_reached for entry in assessed.outputs},
        }

    def _serialise(self, assessed: Assessed, entry: AssessedOutput, about: About) -> Serialised:
        output = entry.output
        self._world.progress(f"writing {output.name}")
        data = self.scratch.byte_spill()
        rules = scan_rules(
            output,
            identifiers=identifier_columns(output),
            clear=(SLOT, *clear_columns(output)),
            values=entry.values,
        )
        scan = Scan(rules, self._inputs.directs())
        rows = serialise(
            assessed, output, data, scratch=self.scratch, entropy=self.entropy, scan=scan.check
        )
        types = table_types(next(iter(assessed.partitions)), output)
        return Serialised(
            output=output,
            package=package_id(self.release, output),
            data=data,
            rows=rows,
            manifest=manifest_of(about, entry, data, rows=rows, types=types),
        )

    def _built(
        self,
        connection: sa.Connection,
        made: Sequence[Serialised],
        record: Mapping[str, Any],
        digest: str,
    ) -> list[dict[str, Any]]:
        """Write down what was built; the signed checkpoint stands in each manifest."""
        world = self._world
        world.append(
            connection,
            "release-built",
            {
                "release": self.release,
                "received": self._told["received"],
                "forwarded": self._told["forwarded"],
                "withheld": self._told["received"] - self._told["forwarded"],
                "register_sequence": self.register.sequence,
                "record_digest": digest,
            },
        )
        self._inputs.record_key_uses(connection, self.release, self._officer, self._told)
        leaves = [
            world.append(
                connection,
                "package-made",
                {
                    "release": self.release,
                    "output": part.output.name,
                    "package": part.package,
                    "recipient": part.output.recipient.id,
                    "recipient_key": part.output.recipient.key_id,
                    "core_digest": core_digest(part.core),
                    "rows": part.rows,
                },
            )
            for part in made
        ]
        signed = ledger_store.checkpoint(
            connection, world.ledger_signer, world.now(), origin=world.sender
        )
        step(connection, self.release, ReleaseState.BUILT, record=record)
        return [
            complete_manifest(
                part.core,
                ledger_store.ledger_part(
                    connection, leaf, signed, recipient_key=part.output.recipient.key_id
                ),
            )
            for part, leaf in zip(made, leaves, strict=True)
        ]

    def _sealed(self, part: Serialised, manifest: Mapping[str, Any]) -> Sealed:
        world = self._world
        with world.staging(part.package) as file:
            return seal_package(
                file,
                manifest=manifest,
                datapackage=datapackage(part.manifest),
                data=part.data,
                recipient=self._inputs.recipients[part.output.recipient.id],
                signer=world.package_signer,
            )

    def _package_record(self, sealed: Sealed, outbox: str) -> PackageRecord:
        return PackageRecord(
            id=sealed.package,
            release=self.release,
            output=sealed.output,
            recipient=sealed.recipient,
            rows=sealed.rows,
            digest=file_digest(self._world.outgoing / f"{sealed.package}.gwp"),
            manifest={"data_digest": sealed.digest},
            place=outbox,
        )

    def _keep_link_map(self, assessed: Assessed) -> None:
        """Seal who received which link id, of those who were forwarded, under its own key."""
        if not any(output.identifiers.value in LINKED for output in self._plan.outputs):
            return
        frames = (
            frame.join(left.select("link_id"), on="link_id", how="semi")
            for links, left in zip(self._links, assessed.partitions, strict=True)
            for frame in links.partition(0)
        )
        path = self._world.link_maps / f"{self.release}.map"
        write_link_map(path, frames, key=self._inputs.link_map_key(self.release))


def refused(
    plan: Plan, reasons: Sequence[Reason], *, state: str = "refused", release: str = ""
) -> Outcome:
    """The answer when an output is too risky."""
    return Outcome(
        state=state,
        request=plan.request,
        release=release,
        policy_digest=plan.policy_digest,
        refusal=reasons,
    )


def _columns(plan: Plan) -> dict[str, tuple[str, ...]]:
    """The columns that each output carries."""
    return {
        output.name: (*identifier_columns(output), *(rule.name for rule in output.columns))
        for output in plan.outputs
    }
