"""Jobs are done once: by whoever holds the lease, whatever clocks and rivals do."""

import datetime as dt
import tempfile
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters import jobs
from gateway.adapters.database import Database
from gateway.adapters.jobs import JobKind, JobState, Watch
from gateway.errors import UsageError

NOON = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)
LEASE = dt.timedelta(seconds=30)
EVERY = tuple(JobKind)


class Steady:
    """A steady clock that the test moves."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


def ask(database, subject="upl-1", kind=JobKind.CHECK, at=NOON, **more):
    with database.begin() as connection:
        return jobs.enqueue(
            connection, kind, subject=subject, by="rosa", request={"upload": subject}, at=at, **more
        )


def claim(database, worker="here-1#a", at=NOON, kinds=EVERY, watch=None):
    with database.begin() as connection:
        return jobs.claim(connection, worker, kinds=kinds, at=at, lease=LEASE, watch=watch)


def look(database, job):
    with database.begin() as connection:
        return jobs.find(connection, job)


def end(database, job, worker="here-1#a", state=JobState.DONE, code=""):
    with database.begin() as connection:
        return jobs.finish(
            connection, job, worker, state=state, outcome={"rows": 7}, code=code, at=NOON
        )


def test_a_job_goes_from_asked_to_done(database):
    asked = ask(database)
    taken = claim(database)
    assert (taken.id, taken.state, taken.attempts) == (asked, JobState.RUNNING, 1)
    assert taken.request == {"upload": "upl-1"}
    assert end(database, asked)
    done = look(database, asked)
    assert (done.state, done.outcome, done.by) == (JobState.DONE, {"rows": 7}, "rosa")
    assert done.finished.startswith("2026-05-04T12:00:00")


def test_the_same_live_job_is_written_once(database):
    first = ask(database)
    assert ask(database) == first
    claim(database)
    assert ask(database) == first, "a running job is live too"
    assert ask(database, kind=JobKind.PURGE) != first
    end(database, first)
    assert ask(database) != first, "what is over may be asked for anew"


def test_the_oldest_job_of_a_workers_kinds_comes_first(database):
    share = ask(database, "p/a", JobKind.SHARE)
    late = ask(database, "upl-2", at=NOON + dt.timedelta(seconds=2))
    early = ask(database, "upl-1", at=NOON + dt.timedelta(seconds=1))
    assert claim(database, kinds=(JobKind.CHECK,)).id == early
    assert claim(database, kinds=(JobKind.CHECK,)).id == late
    assert claim(database, kinds=(JobKind.CHECK,)) is None
    assert claim(database).id == share


def test_a_pause_ends_at_its_time(database):
    until = NOON + dt.timedelta(minutes=5)
    job = ask(database, not_before=until)
    assert claim(database, at=NOON + dt.timedelta(minutes=4)) is None
    assert claim(database, at=until).id == job


def test_a_clock_that_goes_back_prolongs_no_pause(database):
    ask(database, not_before=NOON + dt.timedelta(minutes=5))
    assert claim(database, at=NOON - dt.timedelta(days=400)) is not None


def test_a_silent_worker_loses_its_job_after_a_whole_lease_of_watching(database):
    job = ask(database)
    claim(database, "here-1#a")
    steady = Steady()
    watch = Watch(steady)
    assert claim(database, "there-1#b", watch=watch) is None
    steady.seconds += 29.9
    assert claim(database, "there-1#b", watch=watch) is None
    steady.seconds += 0.2
    taken = claim(database, "there-1#b", watch=watch)
    assert (taken.id, taken.attempts) == (job, 2)


def test_a_worker_that_counts_keeps_its_job(database):
    job = ask(database)
    claim(database, "here-1#a")
    steady = Steady()
    watch = Watch(steady)
    for _ in range(10):
        steady.seconds += 20
        assert claim(database, "there-1#b", watch=watch) is None
        with database.begin() as connection:
            assert jobs.told(connection, job, "here-1#a")


@pytest.mark.parametrize("jump", [dt.timedelta(days=-4000), dt.timedelta(days=4000)])
def test_no_jump_of_the_clock_frees_a_lease(database, jump):
    ask(database)
    claim(database, "here-1#a")
    steady = Steady()
    watch = Watch(steady)
    for _ in range(3):
        steady.seconds += 5
        assert claim(database, "there-1#b", at=NOON + jump, watch=watch) is None


def test_what_the_loser_of_a_lease_writes_changes_nothing(database):
    job = ask(database)
    claim(database, "here-1#a")
    steady = Steady()
    watch = Watch(steady)
    claim(database, "there-1#b", watch=watch)
    steady.seconds += 31
    claim(database, "there-1#b", watch=watch)
    with database.begin() as connection:
        assert not jobs.told(connection, job, "here-1#a", step="sealing")
        assert not jobs.choose(connection, job, "here-1#a", effect="rel-other")
        assert not jobs.again(connection, job, "here-1#a", at=NOON, not_before=NOON, code="x/y")
    assert not end(database, job, "here-1#a", JobState.FAILED, "x/y")
    found = look(database, job)
    assert (found.state, found.step, found.effect) == (JobState.RUNNING, "", "")
    assert end(database, job, "there-1#b")


def test_the_successor_in_a_workers_place_takes_up_what_it_let_fall(database):
    mine = ask(database, "upl-1")
    other = ask(database, "upl-2", at=NOON + dt.timedelta(seconds=1))
    claim(database, "here_1#a")
    claim(database, "hereX1#a", at=NOON + dt.timedelta(hours=1))
    with database.begin() as connection:
        assert jobs.let_fall(connection, "here_1") == 1
    assert look(database, mine).state is JobState.QUEUED
    assert look(database, other).state is JobState.RUNNING, "a name is no pattern"
    assert claim(database, "here_1#b").attempts == 2


def test_an_orderly_stop_costs_no_attempt(database):
    job = ask(database)
    claim(database)
    with database.begin() as connection:
        assert jobs.give_back(connection, "here-1#a") == 1
    found = look(database, job)
    assert (found.state, found.attempts) == (JobState.QUEUED, 0)


def test_a_job_that_is_tried_again_says_why_and_waits(database):
    job = ask(database)
    claim(database)
    later = NOON + dt.timedelta(seconds=10)
    with database.begin() as connection:
        assert jobs.again(
            connection, job, "here-1#a", at=NOON, not_before=later, code="store/database"
        )
    assert look(database, job).code == "store/database"
    assert claim(database) is None
    assert claim(database, at=later).attempts == 2


def test_what_waits_for_keys_is_held_and_taken_by_the_first_worker_that_has_them(database):
    check, purge = ask(database), ask(database, kind=JobKind.PURGE)
    with database.begin() as connection:
        assert jobs.hold(connection, kinds=(JobKind.CHECK,), code="job/no-keys") == 1
    held = look(database, check)
    assert (held.state, held.code) == (JobState.HELD, "job/no-keys")
    assert ask(database) == check, "a held job is live"
    assert claim(database, kinds=(JobKind.PURGE,)).id == purge
    assert claim(database, kinds=(JobKind.CHECK,)).id == check
    assert look(database, check).code == ""


def test_progress_is_seen_by_who_asks(database):
    job = ask(database)
    claim(database)
    with database.begin() as connection:
        assert jobs.told(connection, job, "here-1#a", step="read, MiB:", done=3, total=9)
        assert jobs.told(connection, job, "here-1#a")
    found = look(database, job)
    assert (found.step, found.done, found.total) == ("read, MiB:", 3, 9)


def test_lists_and_counts_show_the_newest_first(database):
    first = ask(database, "upl-1")
    second = ask(database, "upl-2", at=NOON + dt.timedelta(seconds=1))
    with database.begin() as connection:
        assert [job.id for job in jobs.listed(connection)] == [second, first]
        assert jobs.listed(connection, by="someone") == []
        assert jobs.tally(connection) == {("check", "queued"): 2}


def test_only_what_is_over_is_forgotten(database):
    over, live = ask(database, "upl-1"), ask(database, "upl-2", at=NOON + dt.timedelta(seconds=1))
    claim(database)
    end(database, over)
    with database.begin() as connection:
        assert jobs.forget(connection, before=NOON) == 0
        assert jobs.forget(connection, before=NOON + dt.timedelta(seconds=1)) == 1
    with pytest.raises(UsageError, match="job/unknown"):
        look(database, over)
    assert look(database, live).id == live


def test_two_workers_never_hold_one_job(database):
    for number in range(20):
        ask(database, f"upl-{number}", at=NOON + dt.timedelta(seconds=number))
    taken = []

    def work(worker):
        while (job := claim(database, worker)) is not None:
            taken.append(job.id)

    threads = [threading.Thread(target=work, args=(f"here-{n}#a",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 20


@given(
    moves=st.lists(
        st.sampled_from(["ask", "claim-a", "claim-b", "wait", "beat-a", "end-a", "end-b", "fall"]),
        max_size=40,
    )
)
@settings(max_examples=60)
def test_whatever_happens_each_job_ends_at_most_once_and_is_never_lost(moves):
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/jobs.sqlite")
        database.create_all()
        ended, asked = played(database, moves)
        assert len(ended) == len(set(ended))
        for job in asked:
            assert (look(database, job).state is JobState.DONE) == (job in ended)
        database.close()


def played(database, moves):
    """What two workers and an asker do; what was ended, and what was asked."""
    steady, ended, asked = Steady(), [], set()
    watches = {name: Watch(steady) for name in "ab"}
    held = {"a": None, "b": None}
    for move in moves:
        what, _, who = move.partition("-")
        if what == "ask":
            asked.add(ask(database))
        elif what == "claim":
            job = claim(database, f"here-{who}#1", watch=watches[who])
            held[who] = job.id if job else held[who]
        elif what == "wait":
            steady.seconds += 16
        elif what == "beat" and held[who]:
            with database.begin() as connection:
                jobs.told(connection, held[who], f"here-{who}#1")
        elif what == "end" and held[who] and end(database, held[who], f"here-{who}#1"):
            ended.append(held[who])
        elif what == "fall":
            with database.begin() as connection:
                jobs.let_fall(connection, "here-a")
    return ended, asked
