"""The worker: the one process that holds the opened key ring, and does one job at a time.

It takes a place, puts back what its predecessor there let fall, and asks for jobs.
Without a passphrase it says in each waiting job why that cannot begin, and looks
again: once the passphrase file is there, it goes on. A stop by signal lets the job
at hand end within its grace, and gives it back otherwise.

Source: security points 7, 15 and 22; docs/explanation/service.md, "Processes".
"""

from __future__ import annotations

import contextlib
import datetime as dt
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

from gateway.adapters import backup, jobs, ledger_mark
from gateway.adapters.database import Database
from gateway.adapters.jobs import Job, JobKind, JobState, Watch
from gateway.adapters.keyring import kept_open, open_ring
from gateway.adapters.keyring_memory import harden_process
from gateway.adapters.locks import NOT_ITS_TURN
from gateway.adapters.logs import facts_of, log
from gateway.adapters.settings import Settings
from gateway.errors import GatewayError, HeldForPerson, Unavailable
from gateway.interruption import Interruption
from gateway.service import outcomes, schedule
from gateway.service.emergency_tasks import lapse
from gateway.service.heartbeat import Heartbeat
from gateway.service.notifier import Notifier
from gateway.service.patience import NO_ATTEMPT, most_of, no_more, pause_after
from gateway.service.places import own_place
from gateway.service.tasks import GIVEN_UP, TASKS
from gateway.service.warm import Warm
from gateway.service.workshop import Later, Workshop
from gateway.wiring.beginning import begin_due
from gateway.wiring.common import now, open_database

POLL_SECONDS: Final = 0.25
KEYS_SECONDS: Final = 5.0
GRACE_SECONDS: Final = 20
LEASE: Final = dt.timedelta(seconds=60)
# What is taken for hung after this long: twice the checker's own limit, and more for a release.
TIME_LIMITS: Final[Mapping[JobKind, float]] = {
    JobKind.CHECK: 7_200,
    JobKind.SHARE: 21_600,
    JobKind.REHEARSE: 21_600,
    JobKind.DELIVER: 3_600,
    JobKind.PURGE: 7_200,
    JobKind.PREVIEW: 43_200,
    JobKind.PROPOSE: 600,
    JobKind.APPROVE: 600,
    JobKind.WITHDRAW: 600,
    JobKind.ACKNOWLEDGE: 600,
    JobKind.SEEK: 7_200,
    JobKind.DISCLOSE: 21_600,
    JobKind.DUTIES: 43_200,
    JobKind.REASONS: 600,
}


class Stopping(KeyboardInterrupt):
    """The grace of an orderly stop is over: clear away, and give the job back."""


# One for the process, as signals are.
_OVER = Interruption(Stopping)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Which jobs a worker does, and what it tells when it is ready for the first."""

    kinds: Collection[JobKind] = tuple(JobKind)
    lease: dt.timedelta = LEASE
    ready: Callable[[], None] = lambda: None


def work(settings: Settings, terms: Terms, stop: threading.Event) -> None:
    """Do jobs until told to stop.

    Args:
        settings: where everything lives.
        terms: which jobs, and how.
        stop: set by whoever wants an end.

    Raises:
        Unavailable: data directory, key ring or database are not there or not safe, or
            the passphrase does not open the ring.
    """
    database = open_database(settings)
    harden_process()
    with contextlib.ExitStack() as stack:
        stack.callback(database.close)
        slot, worker = stack.enter_context(own_place(settings.data))
        with database.begin() as connection:
            jobs.let_fall(connection, slot)
        stack.enter_context(Notifier(settings=settings, database=database))
        if not _with_keys(settings, database, terms, stop):
            return
        stack.enter_context(kept_open(settings))
        ring = open_ring(settings)
        ring.unlock()
        warm = stack.enter_context(Warm())
        _serve(
            Workshop(settings=settings, database=database, ring=ring, warm=warm, worker=worker),
            terms,
            stop,
        )


def _with_keys(settings: Settings, database: Database, terms: Terms, stop: threading.Event) -> bool:
    """Wait until there is a passphrase, and hold the jobs meanwhile; false if told to stop."""
    told = False
    while not _can_open(settings):
        with database.begin() as connection:
            jobs.hold(connection, kinds=terms.kinds, code="job/no-keys")
        if not told:
            log().warning("waits-for-passphrase", code="job/no-keys")
            terms.ready()
            told = True
        if stop.wait(KEYS_SECONDS):
            return False
    return True


def _can_open(settings: Settings) -> bool:
    """Whether there is a passphrase file, or somebody to ask."""
    if settings.passphrase_file is None:
        return sys.stdin.isatty()
    return settings.passphrase_file.exists()


def _serve(shop: Workshop, terms: Terms, stop: threading.Event) -> None:
    watch = Watch(time.monotonic)
    terms.ready()
    looked, day = -schedule.LOOK_SECONDS, dt.date.min
    try:
        while not stop.is_set():
            if time.monotonic() - looked > schedule.LOOK_SECONDS or day < now().date():
                looked, day = time.monotonic(), now().date()
                with _outage():
                    _look_back(shop)
                    begin_due(shop.settings, shop.database, shop.ring, at=now())
                    schedule.ask_for_the_day(shop.database, terms.kinds, at=now())
                    lapse(shop)
            job = None
            with _outage():
                job = _claimed(shop, terms, watch)
            if job is None:
                shop.warm.prepare()
                stop.wait(POLL_SECONDS)
                continue
            do(shop, job, lease=terms.lease)
            ledger_mark.follow(shop.settings, shop.database)
    except Stopping:
        with shop.database.begin() as connection:
            jobs.give_back(connection, shop.worker)


def _look_back(shop: Workshop) -> None:
    """Say it once if the database was put back; what wants to leave looks for itself."""
    if backup.held_since_restore(shop.settings.data) is None:
        try:
            ledger_mark.require_not_put_back(shop.settings, shop.database)
        except HeldForPerson as held:
            log().error("database-put-back", code=held.code)


def _claimed(shop: Workshop, terms: Terms, watch: Watch) -> Job | None:
    with shop.database.begin() as connection:
        return jobs.claim(
            connection,
            shop.worker,
            kinds=terms.kinds,
            at=now(),
            lease=terms.lease,
            watch=watch,
        )


def do(shop: Workshop, job: Job, *, lease: dt.timedelta = LEASE) -> None:
    """Do one job that this worker holds, and write down how it ended."""
    log().info("job-begins", job=job.id, kind=job.kind.value, attempt=job.attempts)
    began = time.monotonic()
    _attempt(shop, job, lease=lease)
    took = round((time.monotonic() - began) * 1000)
    log().info("job-left", job=job.id, kind=job.kind.value, ms=took)


def _attempt(shop: Workshop, job: Job, *, lease: dt.timedelta) -> None:
    if job.attempts > most_of(job):
        _end(shop, job, JobState.FAILED, {}, "job/too-many-attempts")
        return
    beat = Heartbeat(
        database=shop.database,
        job=job.id,
        worker=shop.worker,
        lease=lease,
        limit=TIME_LIMITS[job.kind],
    )
    try:
        with beat, _OVER.unmasked():
            told = TASKS[job.kind](shop, job, beat)
    except Unavailable as fault:
        _again(shop, job, fault.code, outcomes.of_fault(fault))
        return
    except GatewayError as fault:
        _end(shop, job, JobState.FAILED, outcomes.of_fault(fault), fault.code)
        return
    except Exception as fault:  # noqa: BLE001 - told by its class: its text may quote a value
        log().error("unforeseen-fault", job=job.id, kind=job.kind.value, **facts_of(fault))
        _again(shop, job, "gateway/unexpected", {"fault": type(fault).__name__})
        return
    if isinstance(told, Later):
        _put_back(shop, job, told.not_before, told.code)
        return
    _end(shop, job, JobState.DONE, told, "")


def _again(shop: Workshop, job: Job, code: str, outcome: Mapping[str, Any]) -> None:
    """Try later, after a growing pause; after many attempts or a very long time, no more."""
    if code != NOT_ITS_TURN:
        log().warning("job-again", job=job.id, kind=job.kind.value, code=code, attempt=job.attempts)
    at = now()
    if no_more(job, code, at):
        _end(shop, job, JobState.FAILED, outcome, code)
        return
    _put_back(shop, job, at + pause_after(job, code), code)


def _put_back(shop: Workshop, job: Job, after: dt.datetime, code: str) -> None:
    told: dict[str, Any] = {"at": now(), "code": code, "counts": code not in NO_ATTEMPT}
    with _outage(), shop.database.begin() as connection:
        jobs.again(connection, job.id, shop.worker, not_before=after, **told)


def _end(shop: Workshop, job: Job, state: JobState, outcome: Mapping[str, Any], code: str) -> None:
    log().info("job-ended", job=job.id, kind=job.kind.value, state=state.value, code=code)
    if state is JobState.FAILED and job.kind in GIVEN_UP:
        with _outage():
            GIVEN_UP[job.kind](shop, job, code)
    with _outage(), shop.database.begin() as connection:
        jobs.finish(
            connection, job.id, shop.worker, state=state, outcome=outcome, code=code, at=now()
        )


@contextlib.contextmanager
def _outage() -> Iterator[None]:
    """A database that is away now stops no worker; the lease runs out or we ask again."""
    try:
        yield
    except Unavailable as fault:
        log().warning("database-away", code=fault.code)
        time.sleep(POLL_SECONDS)


@contextlib.contextmanager
def stopped_by_signal(grace: int = GRACE_SECONDS) -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set; after the grace, the job at hand is stopped."""
    stop = threading.Event()

    def asked(_number: int, _frame: object) -> None:
        stop.set()
        signal.alarm(grace)

    _OVER.came = False
    wanted: dict[int, Callable[[int, FrameType | None], None]] = {
        signal.SIGTERM: asked,
        signal.SIGINT: asked,
        signal.SIGALRM: _OVER,
    }
    before = {number: signal.signal(number, heard) for number, heard in wanted.items()}
    try:
        yield stop
    finally:
        signal.alarm(0)
        for number, heard in before.items():
            signal.signal(number, heard)
