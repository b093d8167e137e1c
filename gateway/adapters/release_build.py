"""Building a release: from assessed columns to sealed packages, written down on the way.

Serialise into the sealed scratch room, every frame past the last scan; check that
nobody was lost; write core manifests into the ledger and sign its checkpoint; only
then sign and seal.

Source: security points 17, 18 and 20; docs/reference/package.md, "`manifest.json`";
docs/explanation/disclosure.md, "The last scan".
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import polars as pl
import sqlalchemy as sa

from gateway.adapters import ledger_store
from gateway.adapters.link_maps import write_link_map
from gateway.adapters.release_making import About, Serialised, manifest_of, package_id
from gateway.adapters.release_store import ReleaseState, step
from gateway.adapters.release_world import Inputs, World, file_digest
from gateway.adapters.spill import ScratchDirectory, SealedSpill
from gateway.disclosure import Scan, scan_rules, unsalted
from gateway.errors import IntegrityError, RefusedError
from gateway.ledger import LeafRef
from gateway.model import Plan
from gateway.model.stages import Assessed, AssessedOutput, Sealed, narrowed
from gateway.sealing import complete_manifest, core_digest, datapackage
from gateway.sealing import seal as seal_package
from gateway.sealing.packing import (
    SLOT,
    clear_columns,
    identifier_columns,
    serialise,
    table_types,
)

# Outputs that are written at the same time; each holds a partition of its shuffle and what
# was read for it. A large release writes one after the other: its memory must not grow.
AT_ONCE = 2
LARGE = 2_000_000

_LINK_BYTES = pl.col("link_id").arr.to_list().cast(pl.Binary)
LINKED = frozenset({"tokens", "link-id", "sealed-clear"})


def conserved(assessed: Assessed) -> dict[str, Any]:
    """Everyone who was received was forwarded or withheld for a reason, or nothing leaves.

    Raises:
        IntegrityError: the sum is wrong.
        RefusedError: nobody is left to forward.
    """
    withheld = {why: count for why, count in sorted(assessed.counts.items()) if count}
    if assessed.received != assessed.rows + sum(withheld.values()):
        raise IntegrityError(
            "release/not-conserved",
            "The people received are not the people forwarded and withheld.",
            remedy="Nothing has left. Report this; do not share until it is understood.",
        )
    if not assessed.rows:
        raise RefusedError(
            "release/nobody-left",
            "Nobody of the cohort may be shared, so that nothing leaves.",
            remedy="`gateway share --dry-run` says why people are withheld.",
        )
    return {"received": assessed.received, "forwarded": assessed.rows, "withheld": withheld}


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """One release between the assessment and its sealed packages."""

    world: World
    inputs: Inputs
    plan: Plan
    release: str
    officer: str
    scratch: ScratchDirectory
    told: Mapping[str, Any]

    def make(self, assessed: Assessed, links: Sequence[SealedSpill]) -> list[Serialised]:
        """Write each output into the scratch room, and then what stays here.

        What stays is written as soon as a thread is free; not at all where an output was
        stopped before that.
        """
        describe = self._about(assessed)
        digests = unsalted(self.inputs.directs())
        with ThreadPoolExecutor(1 if assessed.rows > LARGE else AT_ONCE) as pool:
            outputs = [
                pool.submit(self._serialised, assessed, entry, describe, digests)
                for entry in assessed.outputs
            ]
            kept = pool.submit(self._keep, assessed, links)
            try:
                made = [output.result() for output in outputs]
            except BaseException:
                kept.cancel()
                raise
            kept.result()
        return made

    def _keep(self, assessed: Assessed, links: Sequence[SealedSpill]) -> None:
        """Write the link map, and what is remembered of the release."""
        self.keep_link_map(assessed, links)
        self.inputs.memory.keep(self.release, assessed, scratch=self.scratch)

    def _about(self, assessed: Assessed) -> About:
        """What the outputs' manifests say alike."""
        salt = secrets.token_hex(32)
        record = self._exact(assessed) | {"salt": salt}
        digest = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
        return About(
            plan=self.plan,
            release=self.release,
            sender=self.world.sender,
            created=self.world.now(),
            register_read_at=self.inputs.register_read_at,
            withheld=self._withheld,
            record_digest=digest,
            record=record,
        )

    def keep_link_map(self, assessed: Assessed, links: Sequence[SealedSpill]) -> None:
        """Seal who received which link id, of those who are forwarded, under its own key."""
        if not any(output.identifiers.value in LINKED for output in self.plan.outputs):
            return
        frames = (
            frame.join(left.select(_LINK_BYTES), on="link_id", how="semi")
            for held, left in zip(links, narrowed(assessed.partitions, _is_link), strict=True)
            for frame in (part.with_columns(_LINK_BYTES) for part in held.take(0))
        )
        path = self.world.link_maps / f"{self.release}.map"
        write_link_map(path, frames, key=self.inputs.link_map_key(self.release))

    def record(self, connection: sa.Connection, made: Sequence[Serialised]) -> list[dict[str, Any]]:
        """Write down what was built; the signed checkpoint stands in each manifest."""
        about = made[0].about
        facts = {"release": self.release, "received": self.told["received"]}
        facts |= {"forwarded": self.told["forwarded"], "withheld": self._withheld}
        facts |= {"register_sequence": self.inputs.register.sequence}
        self.world.append(
            connection, "release-built", {**facts, "record_digest": about.record_digest}
        )
        leaves = [self._package_made(connection, part) for part in made]
        signed = ledger_store.checkpoint(
            connection, self.world.ledger_signer, self.world.now(), origin=self.world.sender
        )
        step(connection, self.release, ReleaseState.BUILT, record=about.record)
        return [
            complete_manifest(
                part.core,
                ledger_store.ledger_part(
                    connection, leaf, signed, recipient_key=part.output.recipient.key_id
                ),
            )
            for part, leaf in zip(made, leaves, strict=True)
        ]

    def seal(
        self, made: Sequence[Serialised], manifests: Sequence[Mapping[str, Any]]
    ) -> dict[str, tuple[Sealed, str]]:
        """Sign and seal each package into `outgoing/`; by its id, with the file's digest.

        A file's digest is taken while the next package is sealed.
        """
        with ThreadPoolExecutor(1) as beside:
            sealed = [
                (
                    self._sealed(part, manifest),
                    beside.submit(file_digest, self.world.outgoing / f"{part.package}.gwp"),
                )
                for part, manifest in zip(made, manifests, strict=True)
            ]
            return {each.package: (each, digest.result()) for each, digest in sealed}

    def _sealed(self, part: Serialised, manifest: Mapping[str, Any]) -> Sealed:
        with self.world.staging(part.package) as file:
            return seal_package(
                file,
                manifest=manifest,
                datapackage=datapackage(part.manifest),
                data=part.data,
                recipient=self.inputs.recipients[part.output.recipient.id],
                signer=self.world.package_signer,
            )

    @property
    def _withheld(self) -> int:
        return int(self.told["received"]) - int(self.told["forwarded"])

    def _exact(self, assessed: Assessed) -> dict[str, Any]:
        """The controller's own record, which never leaves."""
        return {
            **self.told,
            "register_sequence": self.inputs.register.sequence,
            "link_map_until": self.plan.link_map_until,
            "remembered": True,
            "k_reached": {entry.output.name: entry.k_reached for entry in assessed.outputs},
        }

    def _serialised(
        self, assessed: Assessed, entry: AssessedOutput, about: About, digests: pl.Series
    ) -> Serialised:
        output = entry.output
        self.world.progress(f"writing {output.name}")
        data = self.scratch.byte_spill()
        rules = scan_rules(
            output,
            identifiers=identifier_columns(output),
            clear=(SLOT, *clear_columns(output)),
            values=entry.values,
        )
        scan = Scan(rules, self.inputs.directs(), digests)
        rows = serialise(
            *(assessed, output, data),
            scratch=self.scratch,
            entropy=os.urandom,
            scan=scan.check,
        )
        first = next(iter(narrowed(assessed.partitions, _is_payload)))
        return Serialised(
            output=output,
            package=package_id(self.release, output),
            data=data,
            rows=rows,
            manifest=manifest_of(
                *(about, entry, data), rows=rows, types=table_types(first, output)
            ),
            about=about,
        )

    def _package_made(self, connection: sa.Connection, part: Serialised) -> LeafRef:
        recipient = part.output.recipient
        facts: dict[str, str | int] = {
            "release": self.release,
            "output": part.output.name,
            "package": part.package,
            "recipient": recipient.id,
            "recipient_key": recipient.key_id,
            "core_digest": core_digest(part.core),
            "rows": part.rows,
        }
        return self.world.append(connection, "package-made", facts)


def _is_link(name: str) -> bool:
    return name == "link_id"


def _is_payload(name: str) -> bool:
    return name.startswith("payload.")
