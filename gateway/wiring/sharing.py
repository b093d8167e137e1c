"""What `gateway share` works with, and what it has made.

Source: docs/explanation/architecture.md, "The rooms".
"""

from __future__ import annotations

import contextlib
import datetime as dt
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from gateway.adapters import clock, duties, ledger_check, ledger_mark, operators, release_owed
from gateway.adapters.approvals import Approvals
from gateway.adapters.database import Database
from gateway.adapters.keyring import KeyRing, open_ring
from gateway.adapters.keyring_memory import harden_process
from gateway.adapters.keyring_signing import raw_public
from gateway.adapters.locks import one_at_a_time
from gateway.adapters.release_store import RELEASES, packages_of, releases
from gateway.adapters.release_sweep import sweep
from gateway.adapters.release_world import World, package_place, resume
from gateway.adapters.settings import Settings
from gateway.adapters.share_desk import Desk
from gateway.errors import UsageError
from gateway.model.keys import KeyKind
from gateway.model.permissions import Action, authorise
from gateway.model.rounding import rounded
from gateway.wiring import beginning
from gateway.wiring.common import append, extract_store, new_id, now, open_bundle, open_database
from gateway.workflows.ports import Progress

_OURS = frozenset({"salt", release_owed.MARK})


@contextlib.contextmanager
def share_desk(
    settings: Settings,
    *,
    progress: Progress,
    rehearsal: bool = False,
    on: dt.date | None = None,
    turn_within: float = math.inf,
) -> Iterator[Desk]:
    """What `share` works with; one release at a time, and a crash is mended first.

    Args:
        settings: where everything lives.
        progress: told each step.
        rehearsal: nothing of it is written, a crashed release is left as it is.
        on: decide as of this day; for rehearsals only.
        turn_within: seconds to wait for a release that another process makes.

    Raises:
        Unavailable: it was not our turn in that time (`job/not-its-turn`), among others.
    """
    harden_process()
    database = open_database(settings)
    with contextlib.ExitStack() as stack:
        stack.callback(database.close)
        ring = open_ring(settings)
        ring.unlock()
        if not rehearsal:
            ledger_mark.require_not_put_back(settings, database)
            stack.callback(ledger_mark.follow, settings, database)
            stack.enter_context(one_at_a_time(settings.data, database, within=turn_within))
            with database.read() as connection:
                clock.require_present(connection, at=now())
        beginning.begin_due(settings, database, ring, at=now())
        # Policies are read once it is our turn: they may have changed while we waited.
        desk = _share_desk(settings, database, ring, progress=progress, on=on)
        if not rehearsal:
            with database.read() as connection:
                ledger_check.require_whole(connection, keys=_ledger_keys(ring))
            desk.world.make_folders()
            desk = _mended(desk)
        yield desk


def _mended(desk: Desk) -> Desk:
    """Finish, withdraw and sweep what a crash left; the desk knows what moved on."""
    waiting = release_owed.waiting(desk.world.database)
    resume(desk.world)
    sweep(desk.world, desk.ring)
    return replace(desk, moved_on=release_owed.moved_on(desk.world.database, waiting))


def _ledger_keys(ring: KeyRing) -> dict[str, bytes]:
    every = ring.verifying_keys(KeyKind.LEDGER_SIGNING)
    return {each.id: raw_public(each.public) for each in every}


def _share_desk(
    settings: Settings,
    database: Database,
    ring: KeyRing,
    *,
    progress: Progress,
    on: dt.date | None,
) -> Desk:
    bundle = open_bundle(database)
    approvals = Approvals(bundle, on or now().date())
    world = open_world(
        settings, database, ring, progress=progress, still_valid=approvals.still_valid
    )
    return Desk(
        world=world,
        ring=ring,
        extracts=extract_store(settings, database),
        approvals=approvals,
    )


def open_world(
    settings: Settings,
    database: Database,
    ring: KeyRing,
    *,
    progress: Progress,
    still_valid: Any,
) -> World:
    """Stores, signers and folders of the releases of one data directory."""
    return World(
        database=database,
        append=append,
        now=now,
        new_id=new_id,
        sender=ring.sender,
        package_signer=ring.signer(KeyKind.PACKAGE_SIGNING),
        ledger_signer=ring.signer(KeyKind.LEDGER_SIGNING),
        data=settings.data,
        progress=progress,
        still_valid=still_valid,
        delivery_days=settings.delivery_days,
    )


def release_documents(
    settings: Settings, release: str | None, *, reader: str | None = None
) -> list[dict[str, Any]]:
    """Every release, or one, with its record and its packages.

    Args:
        settings: where everything lives.
        release: one release's id, or all.
        reader: an operator who may read exact records; without one counts are rounded.

    Raises:
        UsageError: there is no release with this id.
        RefusedError: the reader may not read exact records.
    """
    database = open_database(settings)
    with database.begin() as connection:
        if reader is not None:
            authorise(operators.find(connection, reader), Action.RELEASE_RECORD_READ)
        found = releases(connection, *(() if release is None else (RELEASES.c.id == release,)))
        if release is not None and not found:
            raise UsageError(
                "release/unknown",
                "There is no release with this id.",
                remedy="`gateway releases` lists them.",
            )
        return [
            {
                "release": each.id,
                "state": each.state.value,
                "purpose": each.purpose,
                "agreement": each.agreement,
                "policy_digest": each.policy_digest,
                "officer": each.officer,
                "created": each.created.isoformat(timespec="seconds"),
                "record": _told(each.record, exact=reader is not None),
                "packages": [
                    {
                        "package": package.id,
                        "output": package.output,
                        "recipient": package.recipient,
                        "rows": package.rows if reader is not None else rounded(package.rows),
                        "path": package_place(package),
                        "forwarded": package.forwarded,
                        **_owed(connection, package.id),
                    }
                    for package in packages_of(connection, each.id)
                ],
            }
            for each in found
        ]


def _owed(connection: sa.Connection, package: str) -> dict[str, str]:
    """What its recipient owes for a package, and has certified."""
    duty = duties.of_package(connection, package)
    return {
        "destroy_by": duty.destroy_by,
        "duty": duty.state(now().date()).value,
        "unreadable_after": duty.unreadable_after,
        "certificate_digest": duty.certificate_digest,
    }


def _told(record: Mapping[str, Any], *, exact: bool) -> dict[str, Any]:
    """The controller's record as its reader may see it; our own marks are nobody's to see."""
    if exact:
        return {name: told for name, told in record.items() if name not in _OURS}
    people = {name: rounded(record[name]) for name in ("received", "forwarded") if name in record}
    withheld = {why: rounded(count) for why, count in record.get("withheld", {}).items()}
    refusal = {"refusal": record["refusal"]} if "refusal" in record else {}
    return {**people, **({"withheld": withheld} if people else {}), **refusal}
