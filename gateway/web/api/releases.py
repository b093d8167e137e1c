"""Releases by the API: ask for one or its rehearsal, read what left and what did not.

A release is made by a worker as the officer who asked, so a person asks for it.

Source: docs/explanation/service.md, "A release, exactly once"; security points 15-19.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response

from gateway.adapters import jobs, release_list
from gateway.adapters.jobs import JobKind
from gateway.adapters.release_store import PackageRecord, ReleaseRecord, packages_of
from gateway.model.permissions import Action
from gateway.model.rounding import rounded
from gateway.web.api.operations import BOTH, answer, asked, malformed, operation, sent
from gateway.web.api.repeating import HEADER, done_once, once
from gateway.web.api.shapes import (
    JobAccepted,
    PackageTold,
    Page,
    ReleaseAsked,
    ReleaseList,
    ReleaseTold,
)
from gateway.web.callers import Caller, Realm
from gateway.web.desk import desk
from gateway.web.guards import guarded
from gateway.web.release_counts import may_see_exact

api = Blueprint("releases-api", __name__, url_prefix="/api/v1")


@api.post("/releases")
@operation(
    answers={202: JobAccepted},
    problems=(409, 413, 415, 422),
    body=ReleaseAsked,
    takes=(HEADER,),
    gives={202: ("Location",)},
)
@guarded(Action.RELEASE, realm=Realm.PERSON)
def ask(*, caller: Caller) -> Response:
    """Ask for a release, or with `dry_run` for what it would be."""
    wanted, octets = sent(ReleaseAsked)
    if wanted.on is not None and not wanted.dry_run:
        raise malformed("body")
    seen = once(caller, octets)
    with desk().database.begin() as connection:
        told = done_once(
            connection, seen, lambda: {"job": _enqueued(connection, wanted, caller.name)}
        )
    return answer(JobAccepted(**told), 202, Location=f"{api.url_prefix}/jobs/{told['job']}")


@api.get("/releases")
@operation(answers={200: ReleaseList}, query=Page)
@guarded(Action.RELEASE_READ, realm=BOTH)
def every(*, caller: Caller) -> Response:
    """List releases, newest first."""
    page = asked(Page)
    with desk().database.read() as connection:
        found = [
            (each, packages_of(connection, each.id))
            for each in release_list.listed(connection, limit=page.limit)
        ]
    exact = may_see_exact(caller)
    return answer(ReleaseList(releases=[_told(*each, exact=exact) for each in found]))


@api.get("/releases/<release>")
@operation(answers={200: ReleaseTold}, problems=(404,))
@guarded(Action.RELEASE_READ, realm=BOTH)
def one(release: str, *, caller: Caller) -> Response:
    """Say what left by one release, what was withheld and why."""
    with desk().database.read() as connection:
        found = release_list.one(connection, release)
        packages = packages_of(connection, release)
    return answer(_told(found, packages, exact=may_see_exact(caller)))


def _enqueued(connection: Any, wanted: ReleaseAsked, officer: str) -> str:
    kind = JobKind.REHEARSE if wanted.dry_run else JobKind.SHARE
    request = {"purpose": wanted.purpose, "agreement": wanted.agreement}
    day = {"on": wanted.on.isoformat()} if wanted.on else {}
    return jobs.enqueue(
        connection,
        kind,
        subject="/".join([wanted.purpose, wanted.agreement, *day.values()]),
        by=officer,
        request=request | day,
        at=desk().now(),
    )


def _told(release: ReleaseRecord, packages: Sequence[PackageRecord], *, exact: bool) -> ReleaseTold:
    people: Mapping[str, Any] = release.record if "received" in release.record else {}
    return ReleaseTold(
        release=release.id,
        state=release.state,
        purpose=release.purpose,
        agreement=release.agreement,
        policy_digest=release.policy_digest,
        created=release.created,
        received=_count(people.get("received"), exact),
        forwarded=_count(people.get("forwarded"), exact),
        withheld={
            why: _count(count, exact) or 0 for why, count in people.get("withheld", {}).items()
        },
        refusal=[
            {"code": str(each[0]), "reason": str(each[1])}
            for each in release.record.get("refusal", [])
        ],
        packages=[
            PackageTold(
                package=each.id,
                output=each.output,
                recipient=each.recipient,
                rows=_count(each.rows, exact) or 0,
                forwarded=bool(each.forwarded),
            )
            for each in packages
        ],
    )


def _count(count: int | str | None, exact: bool) -> int | str | None:
    return count if exact or not isinstance(count, int) else rounded(count)
