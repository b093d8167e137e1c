"""What a release works in: stores, signers, folders; and what may be resumed after a crash.

Until a release is recorded nothing of it has left, so a crash withdraws it. From
there on its packages lie sealed in `outgoing/`, and the next run forwards them to
where they were meant to go: the same bytes, once.

Source: security points 15, 20, 22 and 23.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa

from gateway.adapters.database import Database
from gateway.adapters.durable import written_beside
from gateway.adapters.outbox import forward_to_folder
from gateway.adapters.release_keys import Uses
from gateway.adapters.release_store import (
    ReleaseRecord,
    ReleaseState,
    mark_forwarded,
    packages_of,
    release_state,
    releases,
    step,
)
from gateway.adapters.share_people import MaskedPeople
from gateway.disclosure import Directs
from gateway.errors import HeldForPerson, Unavailable
from gateway.ledger import LeafRef
from gateway.model import SharingRequest
from gateway.objections import Register
from gateway.pseudonymise import OutputKeys
from gateway.sealing import Signer
from gateway.selection import Source
from gateway.workflows.ports import Progress
from gateway.workflows.sharing import PackageAnswer

Append = Callable[[sa.Connection, str, Mapping[str, str | int]], LeafRef]
UNFINISHED = frozenset({ReleaseState.DECIDED, ReleaseState.BUILT})


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything around a release that is not about people.

    `still_valid` raises when, in the transaction that dispatches, the register has
    moved or the policy is no longer approved.
    """

    database: Database
    append: Append
    now: Callable[[], dt.datetime]
    new_id: Callable[[], str]
    sender: str
    package_signer: Signer
    ledger_signer: Signer
    data: Path
    progress: Progress
    still_valid: Callable[[sa.Connection, SharingRequest, str, int], None]
    release: str = ""  # the id of the one release to be made, where it was chosen before

    def new_release(self) -> str:
        """The id under which this release is written down."""
        return self.release or f"rel-{self.new_id()}"

    @property
    def outgoing(self) -> Path:
        """Where sealed packages wait for their dispatch."""
        return self.data / "outgoing"

    @property
    def link_maps(self) -> Path:
        """Where sealed link maps lie."""
        return self.data / "link-maps"

    @property
    def scratch(self) -> Path:
        """Where nameless scratch files are made; a rehearsal makes no folder for them."""
        folder = self.data / "scratch"
        return folder if folder.is_dir() else self.data

    def make_folders(self) -> None:
        """Make the folders that a release writes to.

        Raises:
            Unavailable: the data directory cannot be written.
        """
        try:
            for folder in (self.outgoing, self.link_maps, self.data / "scratch"):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as fault:
            raise Unavailable(
                "store/not-writable",
                f"The data directory cannot be written ({fault.strerror}).",
                remedy="Mount it writable, free disk space, or name another with --data.",
            ) from None

    @contextmanager
    def staging(self, package: str) -> Iterator[BinaryIO]:
        """A new file in `outgoing/`, durable under its name once the block ends well."""
        try:
            with written_beside(self.outgoing / f"{package}.gwp") as file:
                yield file
        except OSError as fault:
            raise Unavailable(
                "store/not-written",
                f"A package could not be written ({fault.strerror}).",
                remedy="Free disk space in the data directory and run the release again.",
            ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What one release reads: extracts, register, keys; opened for it alone."""

    sources: Mapping[str, Source] = field(repr=False)
    elements: Sequence[str]
    register: Register = field(repr=False)
    register_read_at: dt.datetime
    keys: Mapping[str, OutputKeys] = field(repr=False)
    recipients: Mapping[str, str]
    masked: MaskedPeople = field(repr=False)
    warnings: tuple[str, ...]
    directs: Callable[[], Directs] = field(repr=False)
    record_key_uses: Uses
    extracts: tuple[str, ...]
    link_map_key: Callable[[str], bytes] = field(repr=False)


def forward_release(world: World, release: str) -> list[PackageAnswer]:
    """Put every package of a recorded release where it belongs, each exactly once."""
    with world.database.begin() as connection:
        packages = packages_of(connection, release)
    answers = []
    for package in packages:
        place = Path(package.place) / package.recipient / f"{package.id}.gwp"
        if not package.forwarded:
            # One that is marked was there: its recipient may have taken it away since.
            staged = world.outgoing / place.name
            place = forward_to_folder(
                staged, Path(package.place), package.recipient, digest=package.digest
            )
            with world.database.begin() as connection:
                facts = {"release": release, "package": package.id, "channel": "folder"}
                facts |= {"recipient": package.recipient, "package_digest": package.digest}
                world.append(connection, "package-forwarded", facts)
                mark_forwarded(connection, package.id, world.now())
        answers.append(
            PackageAnswer(
                package=package.id,
                output=package.output,
                recipient=package.recipient,
                path=str(place),
                rows=package.rows,
            )
        )
    with world.database.begin() as connection:
        step(connection, release, ReleaseState.FORWARDED)
    for package in packages:
        (world.outgoing / f"{package.id}.gwp").unlink(missing_ok=True)
    return answers


def withdraw(connection: sa.Connection, world: World, release: str, *, code: str) -> None:
    """Write down that a release did not come through; nothing of it has left."""
    world.append(connection, "release-withdrawn", {"release": release, "code": code})
    step(connection, release, ReleaseState.WITHDRAWN)


def resume(world: World) -> tuple[list[str], list[str]]:
    """Finish what a crash left: withdraw what was not recorded, forward what was.

    An objection, a withdrawal or an end date that came in between still counts: a
    recorded release of which nothing has left is then withdrawn, and one of which a
    part has left waits for a person.

    Returns:
        The releases that were withdrawn or held, and those that were forwarded now.
    """
    with world.database.begin() as connection:
        left = releases(connection, where=lambda release: release.state in UNFINISHED)
        waiting = releases(connection, where=lambda r: r.state is ReleaseState.RECORDED)
        for release in left:
            withdraw(connection, world, release.id, code="release/interrupted")
    stopped = [release.id for release in reversed(waiting) if _stopped(world, release)]
    for name in (*(release.id for release in left), *stopped):
        drop_files(world, name)
    forwarded = [release.id for release in reversed(waiting) if release.id not in stopped]
    for name in forwarded:
        if _state(world, name) is ReleaseState.RECORDED:
            _forward_or_say(world, name)
    return [*(release.id for release in left), *stopped], forwarded


def _forward_or_say(world: World, release: str) -> None:
    """Forward a waiting release; one whose outbox is out of reach holds up no other."""
    try:
        forward_release(world, release)
    except Unavailable as fault:
        if fault.code != "release/not-forwarded":
            raise
        world.progress(f"{release} still waits: its outbox cannot be written")


def _stopped(world: World, release: ReleaseRecord) -> bool:
    """Withdraw, or hold, a recorded release whose ground has gone; whether it was withdrawn."""
    request = SharingRequest(purpose=release.purpose, agreement=release.agreement)
    sequence = int(release.record.get("register_sequence", -1))
    with world.database.begin() as connection:
        try:
            world.still_valid(connection, request, release.policy_digest, sequence)
        except HeldForPerson as moved:
            if any(package.forwarded for package in packages_of(connection, release.id)):
                facts = {"release": release.id, "code": moved.code}
                world.append(connection, "release-held", facts)
                step(connection, release.id, ReleaseState.HELD)
                return False
            withdraw(connection, world, release.id, code=moved.code)
            return True
    return False


def _state(world: World, release: str) -> ReleaseState:
    with world.database.begin() as connection:
        return release_state(connection, release)


def drop_files(world: World, release: str) -> None:
    """Remove sealed packages and link map of a release that was withdrawn."""
    for folder in (world.outgoing, world.link_maps):
        for path in folder.glob(f"{release}.*"):
            path.unlink(missing_ok=True)


def file_digest(path: Path) -> str:
    """SHA-256 of a file, lower-case hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
