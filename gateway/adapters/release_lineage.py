"""The lineage of a release: its signed columns, traced to their sources under its own version.

What left is what the manifests say; where each column came from is what the version of
the agreement says that permitted the release, not the one that is in force today.

Source: OpenLineage 2-0-2; requirement N1; docs/reference/publishing.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from gateway import policy
from gateway.adapters import policy_removal, policy_store, policy_versions, release_list
from gateway.adapters.release_store import PackageRecord, ReleaseRecord, packages_of
from gateway.policy import Trace
from gateway.policy.rereading import changed
from gateway.publishing import lineage_events


def events_of(connection: sa.Connection, release: str) -> tuple[Mapping[str, Any], ...]:
    """The OpenLineage events of a release: when it was decided, and how it ended.

    Raises:
        UsageError: there is none with this id.
    """
    found = release_list.one(connection, release)
    packages = packages_of(connection, release)
    left = [dt.datetime.fromisoformat(each.forwarded) for each in packages if each.forwarded]
    return lineage_events(
        found.id,
        state=found.state.value,
        purpose=found.purpose,
        agreement=found.agreement,
        started=found.created,
        ended=max(left, default=found.created),
        leaving=list(_leaving(connection, found, packages)),
    )


def _leaving(
    connection: sa.Connection, release: ReleaseRecord, packages: Iterable[PackageRecord]
) -> Iterable[Trace]:
    """A trace for each column of the manifests, with the treatment and clause that were signed."""
    bundle, _ = policy.load(_documents(connection, release))
    agreement = bundle.agreements.get(release.agreement)
    traces = policy.traces_of(agreement, bundle.knowledge) if agreement else ()
    known = {
        (trace.output, trace.column): trace for trace in traces if trace.purpose == release.purpose
    }
    for package in packages:
        for column in package.manifest["columns"]:
            trace = known.get((package.output, column["name"]))
            if trace is not None:
                yield replace(trace, treat=column["treatment"], clause=column["clause"])


def _documents(connection: sa.Connection, release: ReleaseRecord) -> dict[str, str]:
    """The documents as they were when the release was permitted, as far as they are known."""
    current = {**policy_removal.last_texts(connection), **policy_store.bundle(connection)}
    every = policy_versions.versions(connection, release.agreement)
    mine = [each for each in every if each.policy_digest == release.policy_digest]
    if not mine:
        return current
    later = [each for each in reversed(every) if each.number > mine[0].number and each.complete]
    before = policy_versions.texts_of(connection, later[0])[0] if later else {}
    return changed({**current, **before}, policy_versions.texts_of(connection, mine[0])[1])
