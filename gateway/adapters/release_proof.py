"""The proof of one release: every promise with its verdict, and the entries that show it.

One file holds all that an outsider needs besides the sender's trust descriptor: the
entries with their salts and paths to one signed checkpoint, the core manifests, and
the verdicts. `gateway.standalone.verify_release` checks the file without this code
and comes to its own verdicts.

Source: requirement N17; docs/reference/ledger.md; RFC 9162.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from gateway.adapters import ledger_search, ledger_store
from gateway.adapters.ledger_store import SignedCheckpoint
from gateway.adapters.release_store import PackageRecord, packages_of, release_state
from gateway.errors import UsageError
from gateway.ledger import Fact, Told, Verdict, judge
from gateway.ledger.promises import REGISTER_EVENTS

FORMAT = "gateway-release-proof-1"
OWN = frozenset(
    {
        "release-decided",
        "release-built",
        "package-made",
        "release-recorded",
        "package-forwarded",
        "package-acknowledged",
        "recipient-destroyed",
        "key-used",
        "emergency-disclosed",
        "emergency-reason-filed",
    }
)
OF_THE_POLICY = frozenset(
    {"policy-proposed", "policy-approved", "policy-begun", "policy-withdrawn"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A release's promises with their verdicts, and what they were judged by."""

    verdicts: tuple[Verdict, ...]
    entries: tuple[Told, ...]
    manifests: tuple[dict[str, Any], ...]
    signed: SignedCheckpoint

    @property
    def covered(self) -> bool:
        """Whether the last signed checkpoint covers every one of the entries."""
        return all(told.index < self.signed.checkpoint.size for told in self.entries)


def judged(connection: sa.Connection, release: str, *, on: dt.date) -> Judged:
    """Every promise of a release with its verdict, without the file that proves them.

    Raises:
        UsageError: there is no such release, or nothing of it was recorded.
    """
    release_state(connection, release)
    packages = packages_of(connection, release)
    entries = _entries(connection, release)
    signed = ledger_store.last_checkpoint(connection)
    if signed is None or not packages:
        raise UsageError(
            "release/nothing-to-prove",
            "Nothing of this release was recorded, so that there is nothing to prove.",
            remedy="The release's page says why.",
        )
    told = tuple(entries)
    manifests = tuple(_core(package) for package in packages)
    verdicts = judge(told, release, manifests=manifests, on=on)
    return Judged(verdicts=verdicts, entries=told, manifests=manifests, signed=signed)


def proved(
    connection: sa.Connection, release: str, *, on: dt.date
) -> tuple[tuple[Verdict, ...], dict[str, Any]]:
    """Every promise of a release with its verdict, and the file that proves them.

    Raises:
        UsageError: as `judged`, or no checkpoint was signed since.
    """
    found = judged(connection, release, on=on)
    if not found.covered:
        raise UsageError(
            "release/not-signed-yet",
            "No checkpoint of the ledger was signed since this release, so that a proof would"
            " lack its last entries.",
            remedy="`gateway ledger checkpoint --as NAME` signs one; then ask again.",
        )
    size = found.signed.checkpoint.size
    return found.verdicts, {
        "format": FORMAT,
        "release": release,
        "asked": on.isoformat(),
        "verdicts": [
            {
                "promise": verdict.promise,
                "words": verdict.words,
                "outcome": verdict.outcome.value,
                "because": verdict.because,
                "evidence": list(verdict.evidence),
            }
            for verdict in found.verdicts
        ],
        "manifests": list(found.manifests),
        "checkpoint": found.signed.jws,
        "entries": [_shown(connection, told.index, size) for told in found.entries],
    }


def _shown(connection: sa.Connection, index: int, size: int) -> dict[str, Any]:
    proof = ledger_store.prove(connection, index, at_size=size)
    return {
        "index": proof.index,
        "entry": json.loads(proof.entry),
        "salt": proof.salt.hex(),
        "path": [step.hex() for step in proof.path],
    }


def _entries(connection: sa.Connection, release: str) -> Iterator[Told]:
    """The entries of a release, of its policy, of its grants, and the register's next one."""
    own = list(_of(connection, OWN, release=release))
    yield from own
    decided = [told for told in own if told.entry.event == "release-decided"]
    recorded = [told for told in own if told.entry.event == "release-recorded"]
    if not decided:
        return
    digest = decided[0].fact("policy_digest")
    yield from _of(connection, OF_THE_POLICY, document_digest=digest)
    yield from _of(connection, {"key-granted"}, policy_digest=digest)
    if recorded:
        # The first entries beyond the one that was read: they came later, or not.
        read = int(recorded[0].fact("register_sequence") or 0)
        yield from _of(connection, REGISTER_EVENTS, register_sequence=read + 1)


def _of(connection: sa.Connection, events: Collection[str], **facts: Fact) -> Iterator[Told]:
    for index, entry in ledger_search.naming(connection, events, **facts):
        yield Told(index=index, entry=entry)


def _core(package: PackageRecord) -> dict[str, Any]:
    core: dict[str, Any] = dict(package.manifest.get("core", {}))
    if not core:
        raise UsageError(
            "release/manifest-not-kept",
            "This release was made before manifests were kept beside its packages.",
            remedy="Its recipients hold the signed manifests; `verify_ledger.py` proves each.",
        )
    return core
