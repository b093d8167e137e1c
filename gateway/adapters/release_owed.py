"""The answer that a command still owes: its release was recorded, and its process died.

A command alone knows the release that it makes. From the transaction that records it until
its answer is printed the release carries a mark; whoever gives the same command again
gets that release's answer, and no second release of the same people is made. A job needs
no mark: its row knows its release (docs/adr/0251).

Source: security point 15; docs/adr/0333; docs/explanation/reliability.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

import sqlalchemy as sa

from gateway.adapters import deliveries, operators
from gateway.adapters.database import Database
from gateway.adapters.deliveries import DeliveryState
from gateway.adapters.release_store import (
    RELEASES,
    PackageRecord,
    ReleaseRecord,
    ReleaseState,
    packages_of,
    release_state,
    releases,
    step,
    still_waits,
    with_record,
)
from gateway.adapters.release_world import World, package_place
from gateway.errors import GatewayError, RefusedError, Unavailable
from gateway.model import Reason, SharingRequest
from gateway.model.permissions import Action, authorise
from gateway.workflows.sharing import Outcome, PackageAnswer

MARK = "answer_owed_for"
BEFORE = "was recorded by a command that did not come to its end"
_NOW = {
    ReleaseState.FORWARDED: "is forwarded now, too.",
    ReleaseState.RECORDED: "still waits: its outbox cannot be written.",
    ReleaseState.WITHDRAWN: "is withdrawn: the register or its agreement has changed since, "
    "and nothing of it had left.",
    ReleaseState.HELD: "is held: a part of it had left, and the register or its agreement has "
    "changed since. Look at it with `gateway releases`.",
}


def recorded(connection: sa.Connection, world: World, release: str, *, outbox: str) -> None:
    """Move a release to recorded; its command owes an answer, unless a job knows its id.

    Args:
        connection: the transaction that records the dispatch.
        world: of the release.
        release: its id.
        outbox: the folder that was asked for, or "".
    """
    step(connection, release, ReleaseState.RECORDED)
    if not world.release:
        (found,) = releases(connection, RELEASES.c.id == release)
        with_record(connection, release, {**found.record, MARK: outbox})


def answered(database: Database, release: str) -> None:
    """Take the mark away: the answer was printed. Should that fail, it is given once more."""
    if not release:
        return
    with suppress(GatewayError), database.begin() as connection:
        for found in releases(connection, RELEASES.c.id == release):
            if MARK in found.record:
                kept = {name: told for name, told in found.record.items() if name != MARK}
                with_record(connection, release, kept)


def answer(world: World, request: SharingRequest, *, officer: str, outbox: str) -> Outcome | None:
    """What became of the release that the same command recorded and never answered for.

    Call it after `resume`, under the lock of releases.

    Returns:
        Its answer, or None: there is none, it was withdrawn and is to be made anew, or
        the officer may not run releases any more, which is refused as always.

    Raises:
        Unavailable: it still waits, because its outbox is out of reach.
    """
    with world.database.read() as connection:
        found = _owed(connection, request, officer, outbox)
        if found is None or not _may(connection, officer):
            return None
        if still_waits(connection, found.id):
            raise Unavailable(
                "release/not-forwarded",
                f"The release {found.id} {BEFORE}, and its outbox still cannot be written.",
                remedy="Mend the outbox and run it again: that one is forwarded, once.",
                release=found.id,
            )
        packages = packages_of(connection, found.id)
        if found.state is ReleaseState.HELD:
            return _held(connection, request, found, packages)
    return _made(request, found, packages)


def moved_on(database: Database, waiting: Iterable[str]) -> tuple[str, ...]:
    """Of releases that were recorded before: those that moved on now, or cannot."""
    with database.read() as connection:
        return tuple(
            each
            for each in waiting
            if release_state(connection, each) is not ReleaseState.RECORDED
            or still_waits(connection, each)
        )


def waiting(database: Database) -> list[str]:
    """The releases that are recorded and have not all left, oldest first."""
    with database.read() as connection:
        found = releases(connection, RELEASES.c.state == ReleaseState.RECORDED)
    return [each.id for each in reversed(found)]


def notes(database: Database, names: Iterable[str]) -> Iterator[str]:
    """What became of other releases that were recorded before, one sentence each."""
    wanted = list(names)
    if not wanted:
        return
    with database.read() as connection:
        for found in releases(connection, RELEASES.c.id.in_(wanted)):
            said = _NOW.get(found.state, _NOW[ReleaseState.FORWARDED])
            yield f'The release {found.id} of "{found.purpose}" that was recorded before {said}'


def _may(connection: sa.Connection, officer: str) -> bool:
    with suppress(RefusedError):
        authorise(operators.find(connection, officer), Action.RELEASE)
        return True
    return False


def _owed(
    connection: sa.Connection, request: SharingRequest, officer: str, outbox: str
) -> ReleaseRecord | None:
    every = releases(
        connection,
        RELEASES.c.purpose == request.purpose,
        RELEASES.c.agreement == request.agreement,
        RELEASES.c.officer == officer,
        RELEASES.c.state != ReleaseState.WITHDRAWN,
        RELEASES.c.record.contains(f'"{MARK}": '),
    )
    return next((each for each in every if each.record[MARK] == outbox), None)


def _made(
    request: SharingRequest, found: ReleaseRecord, packages: Iterable[PackageRecord]
) -> Outcome:
    gone = found.state is not ReleaseState.RECORDED
    now = "is forwarded now" if gone else "is on its way by its channels"
    told = found.record
    return Outcome(
        state="forwarded" if gone else "recorded",
        request=request,
        release=found.id,
        policy_digest=found.policy_digest,
        packages=_packages(packages),
        received=told["received"],
        forwarded=told["forwarded"],
        withheld=told["withheld"],
        warnings=(
            f"The release {found.id} {BEFORE}. It {now}; nothing new was made. "
            "Run it again for a new one.",
        ),
        columns={
            each.output: tuple(column["name"] for column in each.manifest["columns"])
            for each in packages
        },
        resumed=True,
    )


def _held(
    connection: sa.Connection,
    request: SharingRequest,
    found: ReleaseRecord,
    packages: Iterable[PackageRecord],
) -> Outcome:
    stopped = deliveries.listed(connection, release=found.id)
    codes = [each.last_code for each in stopped if each.state is DeliveryState.NOT_DELIVERED]
    said = (
        f"The release {found.id} {BEFORE}. A part of it had left; the rest does not leave, "
        "because the register or the agreement has changed since. Nothing new was made. "
        "See what left with `gateway releases`; run it again for a new one."
    )
    return Outcome(
        state="held",
        request=request,
        release=found.id,
        policy_digest=found.policy_digest,
        packages=_packages(each for each in packages if each.forwarded),
        refusal=(Reason(code=next(iter(codes), "release/register-moved"), clause="", reason=said),),
        resumed=True,
    )


def _packages(packages: Iterable[PackageRecord]) -> tuple[PackageAnswer, ...]:
    return tuple(
        PackageAnswer(
            package=each.id,
            output=each.output,
            recipient=each.recipient,
            path=package_place(each),
            rows=each.rows,
        )
        for each in packages
    )
