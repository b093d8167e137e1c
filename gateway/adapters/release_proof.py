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
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from gateway.adapters import ledger_store
from gateway.adapters.release_store import PackageRecord, packages_of, release_state
from gateway.errors import UsageError
from gateway.ledger import Told, Verdict, judge
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
    }
)
OF_THE_POLICY = frozenset({"policy-proposed", "policy-approved", "policy-withdrawn"})


def proved(
    connection: sa.Connection, release: str, *, on: dt.date
) -> tuple[tuple[Verdict, ...], dict[str, Any]]:
    """Every promise of a release with its verdict, and the file that proves them.

    Raises:
        UsageError: there is no such release, nothing of it was recorded, or no checkpoint
            was signed since.
    """
    release_state(connection, release)
    packages = packages_of(connection, release)
    entries = list(_entries(connection, release))
    signed = ledger_store.last_checkpoint(connection)
    if signed is None or not packages:
        raise UsageError(
            "release/nothing-to-prove",
            "Nothing of this release was recorded, so that there is nothing to prove.",
            remedy="The release's page says why.",
        )
    size = signed.checkpoint.size
    covered = [told for told in entries if told.index < size]
    manifests = [_core(package) for package in packages]
    verdicts = judge(covered, release, manifests=manifests, on=on)
    return verdicts, {
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
            for verdict in verdicts
        ],
        "manifests": manifests,
        "checkpoint": signed.jws,
        "entries": [_shown(connection, told.index, size) for told in covered],
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
    own = [told for event in sorted(OWN) for told in _of(connection, event, release=release)]
    yield from own
    decided = [told for told in own if told.entry.event == "release-decided"]
    recorded = [told for told in own if told.entry.event == "release-recorded"]
    if not decided:
        return
    digest = decided[0].fact("policy_digest")
    for event in sorted(OF_THE_POLICY):
        yield from _of(connection, event, document_digest=digest)
    yield from _of(connection, "key-granted", policy_digest=digest)
    if recorded:
        yield from _next_of_register(connection, recorded[0])


def _next_of_register(connection: sa.Connection, recorded: Told) -> Iterator[Told]:
    """The first entries of a register beyond the one that was read: they came later, or not."""
    read = int(recorded.fact("register_sequence") or 0)
    for event in sorted(REGISTER_EVENTS):
        for told in _of(connection, event):
            if int(told.fact("register_sequence") or 0) == read + 1:
                yield told


def _of(connection: sa.Connection, event: str, **facts: str | int) -> Iterator[Told]:
    for ref, entry in ledger_store.entries(connection, event=event):
        if all(entry.facts.get(name) == value for name, value in facts.items()):
            yield Told(index=ref.index, entry=entry)


def _core(package: PackageRecord) -> dict[str, Any]:
    core: dict[str, Any] = dict(package.manifest.get("core", {}))
    if not core:
        raise UsageError(
            "release/manifest-not-kept",
            "This release was made before manifests were kept beside its packages.",
            remedy="Its recipients hold the signed manifests; `verify_ledger.py` proves each.",
        )
    return core
