"""A release as a list of tasks: what was done, what it found, what is still to do.

Each task reads the release's state and its record; nothing is remembered beside them.

Source: security points 15-17; GOV.UK Design System, "Task list".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.adapters.duties import DutyState
from gateway.adapters.release_store import PackageRecord, ReleaseRecord, ReleaseState
from gateway.web import release_duties
from gateway.web.release_counts import Counts
from gateway.web.release_departures import Departures, carrying
from gateway.web.release_duties import Owing
from gateway.web.words import number


@dataclass(frozen=True, slots=True)
class Status:
    """How a task stands: its words and the colour of its tag ("" for a plain word)."""

    text: str
    colour: str = ""


DONE = Status("Completed")
NOT_YET = Status("Not started yet", "grey")
UNDER_WAY = Status("Under way", "blue")
STOPPED = Status("Stopped here", "red")
HELD = Status("Held here", "yellow")
WAITING = Status("Waiting", "light-blue")
TO_CARRY = Status("To be carried", "yellow")
LATE = Status("Not delivered", "red")
NEVER = Status("Will not happen", "grey")
RUNNING = Status("Running", "blue")
DUE = Status("Due soon", "yellow")
OVERDUE = Status("Overdue", "red")
CERTIFIED_ALL = Status("Certified", "light-blue")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task: its name, what came of it, and where on the page the details are."""

    name: str
    hint: str
    status: Status
    href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the tasks are told from."""

    release: ReleaseRecord
    counts: Counts | None
    packages: Sequence[PackageRecord]
    receipts: Mapping[str, dt.datetime]
    gone: Departures
    owing: Owing

    @property
    def nothing_leaves(self) -> bool:
        """Whether it was stopped before any of its packages left."""
        return self.release.state in _ENDED and not self.gone.any


# How far each state has come: checked, objections, risk, approved.
_STAGE: Mapping[ReleaseState, int] = {
    ReleaseState.DECIDED: 1,
    ReleaseState.BUILT: 4,
    ReleaseState.RECORDED: 4,
    ReleaseState.FORWARDED: 4,
    ReleaseState.ACKNOWLEDGED: 4,
    ReleaseState.CLOSED: 4,
    ReleaseState.REFUSED: 2,
    ReleaseState.HELD: 1,
    ReleaseState.WITHDRAWN: 1,
}
APPROVED = 3
_ENDED = {
    ReleaseState.REFUSED: STOPPED,
    ReleaseState.HELD: HELD,
    ReleaseState.WITHDRAWN: STOPPED,
}


def tasks(told: Told) -> list[Task]:
    """The tasks of one release, in order."""
    return [*_before(told), *_after(told)]


def _before(told: Told) -> Iterator[Task]:
    stage = _stage(told)
    counts = told.counts
    hints = (
        f"{number(counts.received)} people in the group"
        if counts
        else "The stored extracts are unchanged",
        _objections(counts),
        f"{number(counts.small)} left out of groups that are too small" if counts else "",
        "Every controller has signed this version of the agreement",
    )
    names = ("Data checked", "Objections applied", "Risk reviewed", "Approved")
    for place, (name, hint) in enumerate(zip(names, hints, strict=True)):
        href = "#people" if counts and place < 3 else ""
        yield Task(name=name, hint=hint, status=_status(told.release, place, stage), href=href)


def _stage(told: Told) -> int:
    release = told.release
    if told.gone.any:
        return 4  # it was recorded, whatever stopped it on its way
    if release.state is ReleaseState.REFUSED:
        codes = [code for code, _ in release.record.get("refusal", [])]
        return 2 if any(code.startswith("disclosure/") for code in codes) else 3
    if "alarms" in release.record and release.state is ReleaseState.HELD:
        return 2  # it was made and compared with the last one
    return _STAGE[release.state]


def _status(release: ReleaseRecord, number: int, stage: int) -> Status:
    if number < stage or (number == APPROVED and stage < APPROVED):
        return DONE  # a release that came as far as its people was decided, so approved
    if release.state in _ENDED:
        return _ENDED[release.state] if number == stage else NEVER
    return UNDER_WAY if number == stage else NOT_YET


def _objections(counts: Counts | None) -> str:
    return f"{number(counts.objections)} left out by their own wish or by doubt" if counts else ""


def _after(told: Told) -> Iterator[Task]:
    gone, packages = told.gone, "#packages" if told.packages else ""
    yield Task(name="Sent", hint=_sent(gone), status=_sending(told), href=packages)
    # Of one that was stopped on its way, what had left is received and destroyed all the same.
    due = len(gone.left) if told.release.state in _ENDED else gone.every
    back = sum(1 for package in told.packages if package.id in told.receipts)
    receipts = "receipt" if due == 1 else "receipts"
    yield Task(
        name="Received",
        hint=f"{back} of {due} {receipts} from the recipients" if due else "",
        status=_received(told, back, due),
        href=packages,
    )
    yield Task(
        name="Duties",
        hint="" if told.nothing_leaves else release_duties.hint(told.owing),
        status=NEVER if told.nothing_leaves else _duties(told),
        href="#duties" if told.owing.owed else "",
    )


def _sending(told: Told) -> Status:
    if told.nothing_leaves:
        return NEVER
    waits = TO_CARRY if told.gone.to_carry else UNDER_WAY
    begun = _ENDED.get(told.release.state, LATE if told.gone.late else waits)
    return _of(len(told.gone.left), told.gone.every, begun=begun)


def _received(told: Told, back: int, due: int) -> Status:
    if told.nothing_leaves:
        return NEVER
    if told.gone.unsure and not due:
        return WAITING
    return _of(back, due, begun=WAITING, ready=bool(told.gone.left))


def _duties(told: Told) -> Status:
    """How what the recipients owe stands, the worst first."""
    states = set(told.owing.states)
    if told.release.state is ReleaseState.CLOSED:
        return DONE
    for state, shown in (
        (DutyState.OVERDUE, OVERDUE),
        (DutyState.DUE, DUE),
        (DutyState.RUNNING, RUNNING),
        (DutyState.CERTIFIED, CERTIFIED_ALL),
        (DutyState.DONE, CERTIFIED_ALL),
    ):
        if state in states:
            return shown
    return NOT_YET


def _sent(gone: Departures) -> str:
    packages = "package" if gone.every == 1 else "packages"
    late = f", {gone.late} not delivered" if gone.late else ""
    waits = f"; {carrying(gone.to_carry)}" if gone.to_carry else ""
    return f"{len(gone.left)} of {gone.every} {packages}{late}{waits}" if gone.every else ""


def _of(done: int, every: int, *, begun: Status, ready: bool = True) -> Status:
    if every and done == every:
        return DONE
    return begun if every and ready else NOT_YET
