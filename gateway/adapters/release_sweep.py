"""Sweep what killed releases left, once all releases stand where they belong.

Kept are the packages of releases that wait to be forwarded, and the link maps and
their keys of releases that left or will leave, until the day that the agreement
says. All else in the three folders is the rest of a run that did not come through:
sealed, of no use, and removed, so that nothing grows with the number of crashes.

Source: security points 8, 15 and 23; docs/explanation/reliability.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

import sqlalchemy as sa

from gateway.adapters import deliveries
from gateway.adapters.keyring import KeyRing
from gateway.adapters.release_store import (
    ReleaseRecord,
    ReleaseState,
    packages_of,
    releases,
    that_left,
)
from gateway.adapters.release_world import World
from gateway.errors import Unavailable
from gateway.model.keys import KeyKind

WAITING = frozenset({ReleaseState.RECORDED})
SENT = frozenset({ReleaseState.FORWARDED, ReleaseState.ACKNOWLEDGED, ReleaseState.CLOSED})
KEPT = SENT | {ReleaseState.HELD}


def sweep(world: World, ring: KeyRing) -> int:
    """Remove files and link-map keys of releases that did not come through.

    Call it under the lock of releases, after `resume`.

    Returns:
        How many files and keys were removed.

    Raises:
        Unavailable: the data directory cannot be written.
    """
    with world.database.begin() as connection:
        known = releases(connection)
        arriving = deliveries.needed(connection)
        remembered = that_left(connection)
        ended = {each.id for each in known if _map_has_ended(connection, each, world.now())}
    every = {release.id: release.state for release in known}
    waiting = {
        name
        for name, state in every.items()
        if state in WAITING or (state in SENT and name in arriving)
    }
    left = remembered - ended
    orphans = [
        *_orphans(world.outgoing, waiting),
        *_orphans(world.link_maps, left),
        *_orphans(world.memories, remembered),
        *_orphans(world.data / "scratch", set()),
    ]
    try:
        for path in orphans:
            path.unlink(missing_ok=True)
    except OSError as fault:
        raise Unavailable(
            "store/not-swept",
            f"What an interrupted release left cannot be removed ({fault.strerror}).",
            remedy="Make the data directory writable, then run the command again.",
        ) from None
    return len(orphans) + _drop_keys(world, ring, left)


def link_map_ends(until: str, received: dt.date) -> dt.date:
    """The last day of a link map: a date, or `receipt+30d` counted from the forwarding.

    Without a recipient's receipt the day of forwarding counts: it is never later.
    """
    if until.startswith("receipt+"):
        return received + dt.timedelta(days=int(until.removeprefix("receipt+").removesuffix("d")))
    return dt.date.fromisoformat(until)


def _map_has_ended(connection: sa.Connection, release: ReleaseRecord, now: dt.datetime) -> bool:
    """Whether the link map of a forwarded release has outlived what the agreement says."""
    until = release.record.get("link_map_until", "")
    if release.state not in KEPT or not until:
        return False
    packages = packages_of(connection, release.id)
    times = [dt.datetime.fromisoformat(each.forwarded) for each in packages if each.forwarded]
    return bool(times) and link_map_ends(str(until), max(times).date()) < now.date()


def _orphans(folder: Path, kept: AbstractSet[str]) -> Iterator[Path]:
    """Files whose release is not kept; a part of a file is never kept."""
    for path in folder.iterdir():
        release = path.name.partition(".")[0]
        if path.is_file() and (release not in kept or path.suffix == ".part"):
            yield path


def _drop_keys(world: World, ring: KeyRing, left: AbstractSet[str]) -> int:
    """Destroy the keys of link maps that no release needs: written down first, then done."""
    idle = [
        record
        for record in ring.records()
        if record.kind is KeyKind.LINK_MAP and record.owner and record.owner not in left
    ]
    for record in idle:
        with world.database.begin() as connection:
            facts = {"release": record.owner, "key": record.id}
            world.append(connection, "link-map-destroyed", facts)
        ring.destroy(record.id)
    return len(idle)
