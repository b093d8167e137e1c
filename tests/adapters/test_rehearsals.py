"""One rehearsal leads to one release, whoever presses how often, on each back end."""

import datetime as dt
import threading

import pytest

from gateway.adapters import jobs, rehearsals
from gateway.adapters.jobs import JobKind, JobState
from gateway.adapters.release_store import ReleaseRecord, ReleaseState, open_release

NOON = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)
ASKED = {"purpose": "study", "agreement": "trafford"}


def rehearsed(database):
    with database.begin() as connection:
        job = jobs.enqueue(
            *(connection, JobKind.REHEARSE),
            subject="study/trafford",
            by="rosa",
            request=ASKED,
            at=NOON,
        )
    finished(database, "")
    return job


def finished(database, effect, state=JobState.DONE):
    with database.begin() as connection:
        lease = dt.timedelta(seconds=30)
        kinds = (JobKind.REHEARSE, JobKind.SHARE)
        job = jobs.claim(connection, "here-1#a", kinds=kinds, at=NOON, lease=lease)
        jobs.choose(connection, job.id, "here-1#a", effect=effect)
        jobs.finish(*(connection, job.id, "here-1#a"), state=state, outcome={}, code="", at=NOON)


def released(database, rehearsal):
    with database.begin() as connection:
        found = jobs.find(connection, rehearsal)
        return rehearsals.release(connection, found, by="rosa", at=NOON).id


def standing(database, rehearsal):
    with database.read() as connection:
        found = rehearsals.released_by(connection, jobs.find(connection, rehearsal))
        return found and found.id


def made(database, release, state):
    with database.begin() as connection:
        record = ReleaseRecord(
            id=release,
            state=state,
            officer="rosa",
            created=NOON,
            **{"policy_digest": "0" * 64, **ASKED},
        )
        open_release(connection, record)


def test_a_released_rehearsal_leads_to_its_release_ever_after(database):
    rehearsal = rehearsed(database)
    assert standing(database, rehearsal) is None
    first = released(database, rehearsal)
    assert released(database, rehearsal) == first
    finished(database, "rel-1")
    made(database, "rel-1", ReleaseState.RECORDED)
    assert standing(database, rehearsal) == first
    assert released(database, rehearsal) == first
    assert released(database, rehearsed(database)) != first


def test_two_at_once_make_one_release(database):
    rehearsal = rehearsed(database)
    start, told = threading.Barrier(4), []

    def press():
        start.wait()
        told.append(released(database, rehearsal))

    threads = [threading.Thread(target=press) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(told) == 4
    assert len(set(told)) == 1
    with database.read() as connection:
        assert len(jobs.listed(connection, kind=JobKind.SHARE)) == 1


def test_a_rehearsal_that_was_led_to_a_release_under_way_has_led_to_it(database):
    one, other = rehearsed(database), rehearsed(database)
    first = released(database, one)
    assert released(database, other) == first
    finished(database, "rel-1")
    made(database, "rel-1", ReleaseState.FORWARDED)
    assert released(database, one) == released(database, other) == first


@pytest.mark.parametrize("state", ["refused", "held", "withdrawn", None])
def test_a_rehearsal_whose_release_came_to_nothing_may_be_released_again(database, state):
    rehearsal = rehearsed(database)
    first = released(database, rehearsal)
    finished(database, "rel-1", JobState.DONE if state else JobState.FAILED)
    if state:
        made(database, "rel-1", ReleaseState(state))
    assert standing(database, rehearsal) is None
    second = released(database, rehearsal)
    assert second != first
    assert standing(database, rehearsal) == second


def test_a_failed_job_whose_release_may_yet_leave_is_not_released_again(database):
    rehearsal = rehearsed(database)
    first = released(database, rehearsal)
    finished(database, "rel-1", JobState.FAILED)
    made(database, "rel-1", ReleaseState.RECORDED)
    assert released(database, rehearsal) == first
