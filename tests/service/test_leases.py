"""A worker that stands still loses its job, and what it does on waking changes nothing."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.adapters import jobs
from gateway.adapters.database import Database
from gateway.adapters.jobs import JobKind, JobState
from gateway.adapters.locks import NOT_ITS_TURN
from gateway.errors import Unavailable
from gateway.service.heartbeat import EXIT_HUNG, Heartbeat
from gateway.service.places import own_place
from tests.faults import soundness
from tests.journeys import borough
from tests.journeys.office import REPOSITORY, Office
from tests.service import serving
from tests.service.serving import until

NOW = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)


@contextlib.contextmanager
def worker(office: Office) -> Iterator[subprocess.Popen[str]]:
    """A worker with a lease of three seconds, ready for jobs."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.service.short_lease", str(office.data), "3"],
        cwd=REPOSITORY,
        env=serving.environment(office),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            process.wait(serving.PATIENCE)


def halt(office: Office, process: subprocess.Popen[str]) -> None:
    """Stop a worker where it holds no lock of the database: with it nobody could go on."""

    def free() -> bool:
        process.send_signal(signal.SIGSTOP)
        threads = Path(f"/proc/{process.pid}/task")
        until(
            lambda: {each.read_text().rpartition(")")[2][1] for each in threads.glob("*/stat")},
            lambda states: states == {"T"},
        )
        with contextlib.closing(
            sqlite3.connect(office.data / "gateway.sqlite", timeout=0.2, isolation_level=None)
        ) as looked:
            try:
                looked.execute("BEGIN IMMEDIATE")
                looked.execute("ROLLBACK")
            except sqlite3.OperationalError:
                process.send_signal(signal.SIGCONT)
                return False
        return True

    until(free, bool)


def test_a_release_is_made_once_when_its_first_worker_wakes_late(office: Office) -> None:
    # Asked for before the day's own jobs: the second worker finds those first, and waits for none.
    job = serving.ask(office, JobKind.SHARE)
    with worker(office) as first:
        until(lambda: serving.job_of(office, job), lambda each: each.effect)
        halt(office, first)
        with worker(office):
            until(lambda: serving.job_of(office, job), lambda each: each.code == NOT_ITS_TURN)
            rehearsed = serving.finished(office, serving.ask(office, JobKind.REHEARSE))
            first.send_signal(signal.SIGCONT)
            done = serving.finished(office, job)
    assert rehearsed.state is JobState.DONE, "a release that stands still keeps no other work"
    assert done.outcome["state"] == "forwarded", done
    assert done.attempts <= 2, "waiting for its turn is no attempt"
    outbox = office.data / "outbox"
    soundness.check_nothing_half_done(office, outbox)
    soundness.check_outbox(office, outbox)
    assert [each.parent.name for each in outbox.rglob("*.gwp")].count(borough.UNIT) == 1


def test_an_extract_has_one_receipt_when_its_first_worker_wakes_late(
    office: Office, people: Path
) -> None:
    with worker(office) as first:
        # Its checker hangs, and then the worker itself.
        (checker,) = until(lambda: children(first, b"checker_main"), bool)
        os.kill(checker, signal.SIGSTOP)
        job = correction(office, people, fewer=3)
        until(lambda: serving.job_of(office, job), lambda each: each.step == "checking")
        halt(office, first)
        with worker(office):
            done = serving.finished(office, job)
            os.kill(checker, signal.SIGCONT)
            first.send_signal(signal.SIGCONT)
            serving.finished(office, serving.ask(office, JobKind.REHEARSE))
    assert (done.state, done.outcome["state"]) == (JobState.DONE, "accepted")
    assert serving.job_of(office, job) == done, "the late worker wrote over the end"
    soundness.check_receipts(office)


def test_a_killed_judge_is_replaced_and_the_extract_judged(office: Office, people: Path) -> None:
    with worker(office) as process:
        (judge,) = until(lambda: children(process, b"judge_library"), bool)
        os.kill(judge, signal.SIGKILL)
        done = serving.finished(office, correction(office, people, fewer=2))
    assert (done.state, done.outcome["state"]) == (JobState.DONE, "accepted")


def children(process: subprocess.Popen[str], what: bytes) -> list[int]:
    """The processes that a worker keeps warm, of one kind."""
    every = serving.children_of(process.pid)
    return [each for each in every if what in Path(f"/proc/{each}/cmdline").read_bytes()]


def correction(office: Office, people: Path, *, fewer: int) -> str:
    """Send the register with fewer rows than before; the job of its check."""
    lines = (people / "family_register.csv").read_bytes().splitlines(keepends=True)
    corrected = office.home / f"fewer-{fewer}.csv"
    corrected.write_bytes(b"".join(lines[:-fewer]))
    return serving.send(office, corrected, "family_register", borough.COUNCIL)[1]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'jobs.sqlite'}")
    opened.create_all()
    yield opened
    opened.close()


def claimed(database: Database, who: str) -> str:
    with database.begin() as connection:
        jobs.enqueue(connection, JobKind.PURGE, subject="all", by="", request={}, at=NOW)
        lease = dt.timedelta(seconds=1)
        job = jobs.claim(connection, who, kinds=tuple(JobKind), at=NOW, lease=lease)
    assert job is not None
    return job.id


def test_whoever_lost_its_lease_is_stopped_at_its_next_step(database: Database) -> None:
    job = claimed(database, "here-1#a")
    second = dt.timedelta(seconds=1)
    with Heartbeat(database=database, job=job, worker="here-1#a", lease=second, limit=60) as beat:
        beat("a step", 1, 2)
        with database.begin() as connection:
            jobs.let_fall(connection, "here-1")

        def stopped() -> str:
            try:
                beat("another step")
            except Unavailable as fault:
                return fault.code
            return ""

        until(stopped, lambda code: code == "job/lease-lost")


def test_a_task_that_outlasts_its_time_ends_its_process(database: Database) -> None:
    job = claimed(database, "here-1#a")
    ended: list[int] = []
    with Heartbeat(
        database=database,
        job=job,
        worker="here-1#a",
        lease=dt.timedelta(seconds=60),
        limit=0.1,
        end_process=ended.append,
    ):
        until(lambda: ended, lambda codes: codes)
    assert set(ended) == {EXIT_HUNG}


def test_each_worker_of_a_machine_has_a_place_of_its_own(tmp_path: Path) -> None:
    with own_place(tmp_path) as (first, run), own_place(tmp_path) as (second, _):
        assert first != second
        assert run.startswith(f"{first}#")
    with own_place(tmp_path) as (again, other):
        assert (again, other != run) == (first, True)
