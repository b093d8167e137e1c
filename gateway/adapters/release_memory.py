"""What the gateway remembers of each release: who was in it, as marks, and what it looked like.

One sealed file for each release, under a key that only the controller's ring gives. It
serves three questions about the next release to the same recipients: do the two
point at a lone leaver, is the new one unusual, and what would a change of policy
change. It goes with the retention of the release.

Source: docs/explanation/disclosure.md, "Successive releases" and "The tripwire";
security points 5, 8; docs/adr/0291-a-sealed-memory-of-each-release.md.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import sqlalchemy as sa

from gateway.adapters.durable import written_beside
from gateway.adapters.release_store import RELEASES, ReleaseRecord, releases, that_left
from gateway.adapters.remembered_people import RememberedPeople, sealed_memory
from gateway.disclosure import (
    Alarm,
    Earlier,
    Footprint,
    Members,
    alarms,
    footprints,
    members_in_order,
)
from gateway.errors import Unavailable
from gateway.model import Plan
from gateway.model.stages import Assessed, Scratch

MEMORIES = "memories"
_UNIT, _SEAL, _MASK = b"gateway/unit....", b"gateway/memory..", b"gateway/mask...."
_DRAW = b"gateway/draw...."


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """One release: its purpose, when it has to be forgotten, its shape and its families."""

    release: str
    purpose: str
    agreement: str
    recipients: frozenset[str]
    until: dt.date
    footprints: Mapping[str, Footprint] = field(repr=False)
    people: RememberedPeople = field(repr=False)

    @property
    def members(self) -> Members:
        """All its people at once, 16 bytes for each."""
        return self.people.members()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseMemory:
    """The memory as one release works with it.

    `earlier` are the releases of this purpose that a recipient of the plan holds, oldest
    first; `accepted` the alarms that a second person has accepted for this purpose.
    """

    folder: Path
    secret: bytes = field(repr=False)
    plan: Plan
    earlier_releases: tuple[Remembered, ...] = field(repr=False)
    accepted: frozenset[tuple[str, str]]

    @property
    def unit_key(self) -> bytes:
        """The key under which families are marked."""
        return _derived(self.secret, _UNIT)

    @property
    def mask_seed(self) -> int:
        """By which the masked others are drawn: the same in each release of this controller."""
        return int.from_bytes(_derived(self.secret, _MASK)[:8])

    def earlier(self, scratch: Scratch) -> Earlier:
        """What `assess` holds this release against.

        Who is withheld to hide others is drawn under a key, so that a preview draws as
        the release will; after each release the draw is another.
        """
        releases = "\n".join(each.release for each in self.earlier_releases)
        drawn = Drawn(_derived(self.secret, _DRAW), releases.encode())
        before = [each.people.in_order(scratch) for each in self.earlier_releases]
        return Earlier(before, drawn, scratch)

    def unusual(self, assessed: Assessed) -> tuple[Alarm, ...]:
        """What is unusual beside the last release of this purpose and was not accepted."""
        if not self.earlier_releases:
            return ()
        last = self.earlier_releases[-1].footprints
        found = (
            alarm
            for output, now in footprints(assessed).items()
            if output in last
            for alarm in alarms(last[output], now)
            if (alarm.code, alarm.subject) not in self.accepted
        )
        # People are the same in each output: what is said of them is said once.
        return tuple(dict.fromkeys(found))

    def keep(self, release: str, assessed: Assessed, *, scratch: Scratch) -> None:
        """Remember a release, before it is recorded; its people are never all in memory.

        Raises:
            Unavailable: the disk is full or fails.
        """
        head = {
            "release": release,
            "purpose": self.plan.request.purpose,
            "agreement": self.plan.request.agreement,
            "recipients": sorted(output.recipient.id for output in self.plan.outputs),
            "until": self.plan.retain_until.isoformat(),
            "footprints": {name: asdict(each) for name, each in footprints(assessed).items()},
        }
        found = members_in_order(assessed, scratch)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with written_beside(self.folder / f"{release}.mem") as file:
                key = _derived(self.secret, _SEAL)
                file.writelines(sealed_memory(json.dumps(head).encode(), found, key, release))
        except OSError as fault:
            raise Unavailable(
                "store/not-written",
                f"The memory of the release could not be stored ({fault.strerror}).",
                remedy="Free disk space in the data directory and run the release again.",
            ) from None


class Drawn:
    """Bytes that nobody can guess without the key, the same each time for the same occasion."""

    def __init__(self, key: bytes, occasion: bytes) -> None:
        """Begin a stream."""
        self._key = hashlib.blake2b(occasion, key=key, digest_size=32).digest()
        self._calls = 0

    def __call__(self, size: int, /) -> bytes:
        """The next bytes of the stream."""
        self._calls += 1
        return hashlib.shake_256(self._key + self._calls.to_bytes(8)).digest(size)


def memory_of(
    connection: sa.Connection, data: Path, plan: Plan, *, secret: bytes, on: dt.date
) -> ReleaseMemory:
    """Open what is remembered of earlier releases of a plan's purpose to its recipients.

    Args:
        connection: of the database, for which releases have left.
        data: the data directory.
        plan: of the release that is to be made.
        secret: the subject index's key.
        on: today; what had to be forgotten by then is not read.
    """
    request = plan.request
    mine = (RELEASES.c.purpose == request.purpose, RELEASES.c.agreement == request.agreement)
    known, gone = releases(connection, *mine), that_left(connection, *mine)
    left = [each for each in reversed(known) if each.id in gone]
    folder = data / MEMORIES
    wanted = {output.recipient.id for output in plan.outputs}
    return ReleaseMemory(
        folder=folder,
        secret=secret,
        plan=plan,
        earlier_releases=tuple(
            each
            for each in _opened(folder, left, secret)
            if each.recipients & wanted and each.until >= on
        ),
        accepted=_accepted(known),
    )


def _accepted(known: Sequence[ReleaseRecord]) -> frozenset[tuple[str, str]]:
    """Alarms of held releases that somebody accepted since the last release left."""
    found: set[tuple[str, str]] = set()
    for release in known:
        record = release.record
        if "accepted_by" in record:
            found |= {(alarm["code"], alarm["subject"]) for alarm in record.get("alarms", ())}
        elif "forwarded" in record:
            break
    return frozenset(found)


def _opened(folder: Path, left: Sequence[ReleaseRecord], secret: bytes) -> Iterator[Remembered]:
    """What is kept of each release that left; one that should be there and is not stops it."""
    for release in left:
        path = folder / f"{release.id}.mem"
        if path.exists() or release.record.get("remembered"):
            yield read_memory(path, release.id, secret)


def read_memory(path: Path, release: str, secret: bytes) -> Remembered:
    """Open what is remembered of one release.

    Raises:
        IntegrityError: it is not what was written.
    """
    people = RememberedPeople(path=path, release=release, key=_derived(secret, _SEAL))
    head = json.loads(people.head())
    return Remembered(
        release=release,
        purpose=head["purpose"],
        agreement=head["agreement"],
        recipients=frozenset(head["recipients"]),
        until=dt.date.fromisoformat(head["until"]),
        footprints={name: Footprint(**each) for name, each in head["footprints"].items()},
        people=people,
    )


def _derived(secret: bytes, person: bytes) -> bytes:
    """A key of one use, made of the subject index's key."""
    return hashlib.blake2b(b"", key=secret, person=person, digest_size=32).digest()
