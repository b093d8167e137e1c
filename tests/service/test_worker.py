"""The worker does each job once, waits for its keys, and stops in order."""

from __future__ import annotations

import datetime as dt
import os
import signal
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from gateway.adapters import jobs
from gateway.adapters.jobs import Job, JobKind, JobState
from gateway.adapters.release_store import RELEASES
from gateway.adapters.uploads import UploadState, find
from gateway.cli.serve import KINDS
from gateway.service.patience import LONGEST_PAUSE, pause_after
from gateway.service.schedule import ask_for_the_day
from gateway.service.tasks import TASKS
from gateway.service.worker import TIME_LIMITS
from tests.journeys import borough
from tests.journeys.office import Office
from tests.service import serving
from tests.service.serving import until

NOON = dt.datetime(2126, 5, 4, 12, tzinfo=dt.UTC)


def working(office: Office, *words: str, **more: str):  # type: ignore[no-untyped-def]
    return serving.started(office, "worker", "--json", *words, **more)


def test_an_upload_becomes_an_extract_with_its_receipt(office: Office, people: Path) -> None:
    file = people / "family_register.csv"
    shorter = office.home / "shorter.csv"
    shorter.write_text("".join(file.read_text("utf-8").splitlines(keepends=True)[:-1]), "utf-8")
    upload, job = serving.send(office, shorter, "family_register", borough.COUNCIL)
    with working(office):
        done = serving.finished(office, job)
    assert (done.state, done.code) == (JobState.DONE, ""), done
    assert done.outcome["state"] == "accepted"
    with serving.database_of(office) as database, database.read() as connection:
        told = find(connection, upload)
    assert (told.state, told.extract) == (UploadState.DONE, done.outcome["extract"])
    assert not (office.data / "uploads" / upload).exists(), "pieces go once there is a receipt"


def test_the_same_bytes_get_the_same_receipt(office: Office, people: Path) -> None:
    file = people / "family_register.csv"
    with working(office):
        ends = [
            serving.finished(
                office, serving.send(office, file, "family_register", borough.COUNCIL)[1]
            )
            for _ in range(2)
        ]
    assert len({end.outcome["extract"] for end in ends}) == 1


def test_an_upload_whose_piece_was_changed_fails_and_says_so(office: Office, people: Path) -> None:
    upload, job = serving.send(
        office, people / "family_register.csv", "family_register", borough.COUNCIL
    )
    (piece,) = (office.data / "uploads" / upload).iterdir()
    piece.chmod(0o600)
    sealed = bytearray(piece.read_bytes())
    sealed[500] ^= 1
    piece.write_bytes(sealed)
    with working(office):
        failed = serving.finished(office, job)
    assert (failed.state, failed.code) == (JobState.FAILED, "upload/not-as-received")
    with serving.database_of(office) as database, database.read() as connection:
        told = find(connection, upload)
    assert (told.state, told.code) == (UploadState.FAILED, "upload/not-as-received")


def test_a_release_that_is_refused_says_why_and_is_done(office: Office) -> None:
    job = serving.ask(office, JobKind.SHARE, by="edith")
    with working(office):
        done = serving.finished(office, job)
    assert done.state is JobState.DONE
    assert done.outcome["state"] == "refused"
    assert done.outcome["refusal"][0]["code"]


def test_a_release_for_nobody_known_fails_with_its_code(office: Office) -> None:
    job = serving.ask(office, JobKind.SHARE, by="nobody")
    with working(office):
        failed = serving.finished(office, job)
    assert failed.state is JobState.FAILED
    assert failed.code.startswith("operators/")


def test_a_rehearsal_tells_rounded_counts_and_writes_no_release(office: Office) -> None:
    job = serving.ask(office, JobKind.REHEARSE)
    with working(office):
        done = serving.finished(office, job)
    assert done.outcome["state"] == "would-forward", done
    people = [done.outcome["received"], done.outcome["forwarded"]]
    people += done.outcome["withheld"].values()
    assert all(count == "<10" or count.endswith("0") for count in people)
    assert releases(office) == []


def test_a_release_tells_rounded_counts(office: Office) -> None:
    job = serving.ask(office, JobKind.SHARE)
    with working(office):
        done = serving.finished(office, job)
    assert done.outcome["state"] == "forwarded", done
    assert [each["id"] for each in releases(office)] == [done.outcome["release"]]
    people = [done.outcome["received"], done.outcome["forwarded"]]
    people += done.outcome["withheld"].values()
    assert all(count == "<10" or count.endswith("0") for count in people)


def test_a_job_whose_end_was_not_written_down_makes_no_second_release(office: Office) -> None:
    job = serving.ask(office, JobKind.SHARE)
    with working(office):
        first = serving.finished(office, job)
    with serving.database_of(office) as database, database.begin() as connection:
        # As a kill leaves it between the last package and the end of the job.
        undone = {"state": "running", "worker": "elsewhere-1#dead", "outcome": "{}"}
        connection.execute(
            jobs.JOBS.update().where(jobs.JOBS.c.id == job).values(live="share:x", **undone)
        )
        jobs.let_fall(connection, "elsewhere-1")
    with working(office):
        second = serving.finished(office, job)
    assert second.outcome["release"] == first.outcome["release"]
    assert second.outcome["packages"] == first.outcome["packages"]
    assert second.outcome["withheld"] == first.outcome["withheld"]
    assert len(releases(office)) == 1


def test_without_its_passphrase_jobs_wait_with_a_reason_and_go_on_once_it_is_there(
    office: Office,
) -> None:
    passphrase = office.home / "passphrase"
    away = passphrase.rename(office.home / "away")
    job = serving.ask(office, JobKind.REHEARSE)
    with working(office):
        held = until(lambda: serving.job_of(office, job), lambda each: each.state is JobState.HELD)
        assert held.code == "job/no-keys"
        away.rename(passphrase)
        assert serving.finished(office, job).state is JobState.DONE


def test_a_job_rests_longer_for_what_it_lacks_and_not_for_workers_that_were_killed() -> None:
    job = Job(id="j", kind=JobKind.CHECK, subject="", by="", request={}, state=JobState.RUNNING,
              created=NOON.isoformat(), attempts=9)  # fmt: skip
    rests = []
    for _ in range(12):
        rests.append(pause_after(job).total_seconds())
        after = NOON + pause_after(job)
        job = replace(job, paused=NOON.isoformat(), ready=after.isoformat(), attempts=10)
    assert rests[:4] == [2, 4, 8, 16]
    assert rests[-1] == LONGEST_PAUSE.total_seconds()
    begun_late = replace(job, attempts=1)
    assert pause_after(begun_late).total_seconds() == 2, "when it was to begin was no rest"


def test_a_stop_lets_the_job_at_hand_end(office: Office) -> None:
    job = serving.ask(office, JobKind.SHARE)
    with working(office) as process:
        until(lambda: serving.job_of(office, job), lambda each: each.state is JobState.RUNNING)
        process.send_signal(signal.SIGTERM)
        assert process.wait(serving.PATIENCE) == 0
    assert serving.job_of(office, job).state is JobState.DONE


def test_a_worker_leaves_no_core_and_no_window_into_its_memory(office: Office) -> None:
    with working(office) as process:
        assert process.stdout is not None
        process.stdout.readline()
        limits = Path(f"/proc/{process.pid}/limits").read_text().splitlines()
        (core,) = (line.split() for line in limits if line.startswith("Max core file size"))
        assert core[4:6] == ["0", "0"]
        # What cannot be dumped belongs to root in /proc, whoever runs it.
        assert os.stat(f"/proc/{process.pid}/mem").st_uid == 0


def test_each_days_work_is_asked_for_once_and_done(office: Office) -> None:
    def asked(hours: int) -> tuple[str, ...]:
        return ask_for_the_day(database, tuple(JobKind), at=NOON + dt.timedelta(hours=hours))

    with serving.database_of(office) as database:
        first = asked(0)
        assert len(first) == 2
        with working(office):
            done = [serving.finished(office, job) for job in first]
        assert {each.kind for each in done} == {JobKind.PURGE, JobKind.DUTIES}
        assert {(each.state, each.code) for each in done} == {(JobState.DONE, "")}, done
        assert asked(23) == ()
        assert len({*asked(25), *first}) == 4


def test_every_kind_of_job_has_a_task_a_limit_and_a_name_on_the_command_line() -> None:
    assert set(TASKS) == set(TIME_LIMITS) == set(JobKind)
    assert {kind.value for kind in JobKind} == set(KINDS)


def releases(office: Office) -> list[dict[str, object]]:
    with serving.database_of(office) as database, database.read() as connection:
        return [dict(row._mapping) for row in connection.execute(sa.select(RELEASES))]
