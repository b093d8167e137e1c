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

from gateway.adapters import dispatching
from gateway.adapters.database import Database
from gateway.adapters.deliveries import FOLDER
from gateway.adapters.dispatching import Append, StillValid
from gateway.adapters.durable import written_beside
from gateway.adapters.outbox import forward_to_folder
from gateway.adapters.release_keys import Uses
from gateway.adapters.release_memory import MEMORIES, ReleaseMemory
from gateway.adapters.release_store import (
    RELEASES,
    PackageRecord,
    ReleaseRecord,
    ReleaseState,
    packages_of,
    release_state,
    releases,
)
from gateway.adapters.share_people import MaskedPeople
from gateway.disclosure import Directs
from gateway.errors import Unavailable
from gateway.objections import Register
from gateway.pseudonymise import OutputKeys
from gateway.sealing import Signer
from gateway.selection import Source
from gateway.workflows.ports import Progress
from gateway.workflows.sharing import PackageAnswer

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
    still_valid: StillValid
    delivery_days: int = 3  # after how many a package counts as not delivered
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
    def memories(self) -> Path:
        """Where it is remembered, sealed, who was in which release."""
        return self.data / MEMORIES

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
            for folder in (self.outgoing, self.link_maps, self.memories, self.data / "scratch"):
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
    memory: ReleaseMemory = field(repr=False)
    record_key_uses: Uses
    extracts: tuple[str, ...]
    link_map_key: Callable[[str], bytes] = field(repr=False)


def forward_release(world: World, release: str) -> list[PackageAnswer]:
    """Put every package of a recorded release where it belongs, each exactly once.

    One that goes by another channel than a folder is left to the workers; its path is "".
    """
    with world.database.begin() as connection:
        packages = packages_of(connection, release)
    answers = []
    for package in packages:
        place = package_place(package)
        if place and not package.forwarded:
            # One that is marked was there: its recipient may have taken it away since.
            staged = world.outgoing / f"{package.id}.gwp"
            forward_to_folder(staged, Path(package.place), package.recipient, digest=package.digest)
            with world.database.begin() as connection:
                dispatching.left(connection, world.append, package, channel=FOLDER, at=world.now())
        answers.append(
            PackageAnswer(
                package=package.id,
                output=package.output,
                recipient=package.recipient,
                path=place,
                rows=package.rows,
            )
        )
    with world.database.begin() as connection:
        dispatching.all_left(connection, release)
    for package in packages:
        if package.place:
            (world.outgoing / f"{package.id}.gwp").unlink(missing_ok=True)
    return answers


def package_place(package: PackageRecord) -> str:
    """The file of a package that goes to a folder; "" for one that goes by another channel."""
    if not package.place:
        return ""
    return str(Path(package.place) / package.recipient / f"{package.id}.gwp")


def withdraw(connection: sa.Connection, world: World, release: str, *, code: str) -> None:
    """Write down that a release did not come through; nothing of it has left."""
    dispatching.withdraw(connection, world.append, release, code=code)


def resume(world: World) -> None:
    """Finish what a crash left: withdraw what was not recorded, forward what was.

    An objection, a withdrawal or an end date that came in between still counts: a
    recorded release of which nothing has left is then withdrawn, and one of which a
    part has left waits for a person.
    """
    with world.database.begin() as connection:
        left = releases(connection, RELEASES.c.state.in_(UNFINISHED))
        waiting = releases(connection, RELEASES.c.state == ReleaseState.RECORDED)
        for release in left:
            withdraw(connection, world, release.id, code="release/interrupted")
    stopped = [release.id for release in reversed(waiting) if _stopped(world, release)]
    for name in (*(release.id for release in left), *stopped):
        drop_files(world, name)
    for release in reversed(waiting):
        if _state(world, release.id) is ReleaseState.RECORDED:
            _forward_or_say(world, release.id)


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
    with world.database.begin() as connection:
        now = dispatching.may_still_leave(
            connection, release, append=world.append, still_valid=world.still_valid
        )
    return now is ReleaseState.WITHDRAWN


def _state(world: World, release: str) -> ReleaseState:
    with world.database.begin() as connection:
        return release_state(connection, release)


def drop_files(world: World, release: str) -> None:
    """Remove sealed packages and link map of a release that was withdrawn."""
    for folder in (world.outgoing, world.link_maps, world.memories):
        for path in folder.glob(f"{release}.*"):
            path.unlink(missing_ok=True)


def file_digest(path: Path) -> str:
    """SHA-256 of a file, lower-case hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
