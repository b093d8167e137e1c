"""A judge or checker that is killed says nothing of the file: no upload fails by it."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.adapters.job_records import JOBS
from gateway.adapters.jobs import Job, JobKind, JobState
from gateway.adapters.uploads import UploadState, find
from gateway.service.patience import LONGEST_PAUSE, MOST_ATTEMPTS, PATIENCE_FOR_THE_DEAD, no_more
from tests.journeys import borough
from tests.journeys.office import Office
from tests.service import serving
from tests.service.serving import until

NOON = dt.datetime(2126, 5, 4, 12, tzinfo=dt.UTC)
JUDGE, CHECKER = b"judge_library", b"checker_main"
CODES = {JUDGE: "intake/no-judgement", CHECKER: "intake/no-check"}
CODE = CODES[JUDGE]


def helpers_of(process: int, what: bytes) -> list[int]:
    """The processes of a kind that one has started."""
    found = []
    for child in serving.children_of(process):
        with contextlib.suppress(OSError):
            if what in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(child)
    return found


@contextlib.contextmanager
def killed(
    process: int, enough: Callable[[int], bool], what: bytes = JUDGE
) -> Iterator[threading.Event]:
    """Kill each helper of a kind once it is there, until there were enough, or to the end."""
    over, gone = threading.Event(), set[int]()

    def kill() -> None:
        while not over.is_set() and not enough(len(gone)):
            for helper in set(helpers_of(process, what)) - gone:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(helper, signal.SIGKILL)
                gone.add(helper)
            over.wait(0.02)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield over
    finally:
        over.set()
        killer.join()


def shorter(office: Office, people: Path) -> Path:
    """A file that no other test has sent."""
    file = office.home / "shorter.csv"
    lines = (people / "family_register.csv").read_text("utf-8").splitlines(keepends=True)
    file.write_text("".join(lines[:-3]), "utf-8")
    return file


@pytest.mark.parametrize("what", [JUDGE, CHECKER])
def test_an_upload_whose_helpers_are_killed_is_tried_again_and_accepted(
    office: Office, people: Path, what: bytes
) -> None:
    upload, job = serving.send(office, shorter(office, people), "family_register", borough.COUNCIL)
    with serving.database_of(office) as database, database.begin() as connection:
        # Workers were killed at it before, as often as may be.
        tried = JOBS.update().where(JOBS.c.id == job)
        connection.execute(tried.values(attempts=MOST_ATTEMPTS - 1))
    with (
        serving.started(office, "worker", "--json") as worker,
        killed(worker.pid, lambda _: False, what) as over,
    ):
        rested = until(lambda: serving.job_of(office, job), lambda each: each.code)
        assert (rested.state, rested.code) == (JobState.QUEUED, CODES[what]), rested
        first = rested.paused
        longer = until(
            lambda: serving.job_of(office, job), lambda each: each.code and each.paused != first
        )
        assert (longer.state, longer.code) == (JobState.QUEUED, CODES[what]), longer
        assert rest_of(longer) > rest_of(rested)
        over.set()
        done = serving.finished(office, job)
    assert (done.state, done.outcome["state"]) == (JobState.DONE, "accepted"), done
    with serving.database_of(office) as database, database.read() as connection:
        assert find(connection, upload).state is UploadState.DONE


def rest_of(job: Job) -> dt.timedelta:
    return dt.datetime.fromisoformat(job.ready) - dt.datetime.fromisoformat(job.paused)


def test_a_job_whose_judge_never_lives_ends_after_a_day_of_long_rests() -> None:
    job = Job(id="j", kind=JobKind.CHECK, subject="", by="", request={}, state=JobState.RUNNING,
              created=NOON.isoformat(), attempts=1_000)  # fmt: skip
    rested = replace(job, paused=NOON.isoformat(), ready=(NOON + LONGEST_PAUSE).isoformat())
    late = NOON + PATIENCE_FOR_THE_DEAD + LONGEST_PAUSE
    assert not no_more(rested, CODE, NOON + LONGEST_PAUSE)
    assert not no_more(job, CODE, late), "the clock alone ends nothing"
    assert no_more(rested, CODE, late)
    assert no_more(job, "database/away", NOON), "what a job lacks still ends by its attempts"


def received(
    office: Office, people: Path, enough: Callable[[int], bool], what: bytes = JUDGE
) -> tuple[int, str]:
    """The exit code of `gateway receive` while its helpers are killed, and what it said."""
    words = ("receive", str(shorter(office, people)), "--dataset", "family_register")
    with (
        serving.started(office, *words, "--from", borough.COUNCIL) as process,
        killed(process.pid, enough, what),
    ):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(serving.PATIENCE)
        return process.returncode, (office.home / "serve.log").read_text("utf-8")


def test_the_command_line_asks_a_fresh_judge_once(office: Office, people: Path) -> None:
    code, said = received(office, people, lambda killed: killed >= 1)
    assert code == 0, said


def test_the_command_line_says_that_nobody_has_checked(office: Office, people: Path) -> None:
    code, said = received(office, people, lambda _: False, CHECKER)
    assert (code, CODES[CHECKER] in said) == (7, True), said
    code, said = received(office, people, lambda _: True)
    assert code == 0, said


def test_the_command_line_says_that_nobody_has_judged(office: Office, people: Path) -> None:
    code, said = received(office, people, lambda _: False)
    assert (code, CODE in said) == (7, True), said
