"""Who has released a rehearsal and goes back in the browser makes no second release."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from gateway.adapters import jobs
from gateway.adapters.jobs import JobKind, JobState
from gateway.adapters.release_store import ReleaseRecord, ReleaseState, open_release
from gateway.web.desk import desk_of
from gateway.web.documents import decided, inputs
from tests.journeys import borough
from tests.web.office import Browser

AT = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)
ASKED = {"what": f"{borough.AGREEMENT}/{borough.STUDY}"}


def worked(app: Flask, outcome: dict[str, Any], effect: str = "") -> None:
    """Do the job that waits, as a worker would."""
    with desk_of(app).database.begin() as connection:
        kinds = (JobKind.REHEARSE, JobKind.SHARE)
        lease = dt.timedelta(seconds=30)
        job = jobs.claim(connection, "here-1#a", kinds=kinds, at=AT, lease=lease)
        assert job is not None
        jobs.choose(connection, job.id, "here-1#a", effect=effect)
        done = {"state": JobState.DONE, "outcome": outcome, "code": "", "at": AT}
        jobs.finish(connection, job.id, "here-1#a", **done)  # type: ignore[arg-type]


@pytest.fixture
def digest(app: Flask) -> str:
    with app.test_request_context():
        return str(decided(inputs(), borough.STUDY, borough.AGREEMENT).policy_digest)


def test_who_goes_back_after_a_release_is_led_to_it(
    client_as: Callable[[str], Browser], app: Flask, digest: str
) -> None:
    rosa = client_as("release-officer")
    job = rosa.post("/releases/new", data=ASKED).headers["Location"].rpartition("/")[2]
    worked(app, {"state": "would-forward", "policy_digest": digest})
    check = f"/releases/new/{job}"
    assert ">Release it<" in rosa.get(check).text
    first = rosa.post(check).headers["Location"]
    assert rosa.post(check).headers["Location"] == first
    under_way = rosa.get(check).text
    assert (">Release it<" in under_way, first in under_way) == (False, True)
    with desk_of(app).database.begin() as connection:
        record = ReleaseRecord(
            id="rel-1",
            state=ReleaseState.RECORDED,
            purpose=borough.STUDY,
            agreement=borough.AGREEMENT,
            policy_digest=digest,
            officer="rosa",
            created=AT,
        )
        open_release(connection, record)
    worked(app, {"state": "recorded", "release": "rel-1", "packages": []}, "rel-1")
    assert rosa.post(check).headers["Location"] == check
    page = " ".join(rosa.get(check).text.split())
    assert ">Release it<" not in page
    assert "You released this on" in page
    assert 'href="/releases/rel-1">See the release' in page
    with desk_of(app).database.read() as connection:
        assert len(jobs.listed(connection, kind=JobKind.SHARE)) == 1
