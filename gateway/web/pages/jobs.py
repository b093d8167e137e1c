"""Work in hand: how far each job is, and what came of it.

Source: docs/explanation/service.md, "Processes".
"""

from __future__ import annotations

import sqlalchemy as sa
from flask import Blueprint, render_template

from gateway.adapters import deliveries
from gateway.adapters import jobs as job_store
from gateway.adapters.jobs import OVER, Job, JobKind
from gateway.model.permissions import Action, permits
from gateway.web import release_choice, states
from gateway.web.callers import Caller, Realm
from gateway.web.desk import desk
from gateway.web.documents import dataset_title, inputs, party_title
from gateway.web.guards import guarded
from gateway.web.preview_shown import preview_shown
from gateway.web.release_counts import bars, counts_of
from gateway.web.release_departures import carrying, to_carry

pages = Blueprint("jobs", __name__)


@pages.get("/jobs")
@guarded(Action.RELEASE_READ, realm=Realm.PERSON)
def every(*, caller: Caller) -> str:
    """Show the newest jobs."""
    with desk().database.read() as connection:
        found = job_store.listed(connection, limit=50)
    return render_template(
        "jobs/every.html",
        lines=[(job, states.JOB_KINDS[job.kind], about(job)) for job in found],
        states=states.JOBS,
        live=any(job.state not in OVER for job in found),
    )


@pages.get("/jobs/<job>")
@guarded(Action.RELEASE_READ, realm=Realm.PERSON)
def one(job: str, *, caller: Caller) -> str:
    """Show one job: its progress, then its outcome."""
    with desk().database.read() as connection:
        found = job_store.find(connection, job)
        hand = _by_hand(connection, found)
    counts = counts_of(found.outcome, exact=False)
    return render_template(
        "jobs/one.html",
        job=found,
        kind=states.JOB_KINDS[found.kind],
        about=about(found),
        state=states.JOBS[found.state],
        live=found.state not in OVER,
        preview=preview_shown(found, inputs().bundle),
        counts=counts,
        bars=bars(counts) if counts else [],
        by_hand=hand,
        carrying=carrying(hand),
        may_run=_may_run(found, caller),
        failed_because=found.outcome.get("sentence", ""),
    )


def about(job: Job) -> str:
    """What a job is about, by the titles of the documents."""
    bundle = inputs().bundle
    asked = job.request
    if job.kind is JobKind.CHECK:
        name = dataset_title(bundle, str(asked.get("dataset", "")))
        return f"{name}, {party_title(bundle, str(asked.get('party', '')))}"
    if "purpose" in asked and "agreement" in asked:
        return " – ".join(release_choice.titles(bundle, asked["purpose"], asked["agreement"]))
    if asked.get("agreement") in bundle.agreements:
        return bundle.agreements[asked["agreement"]].title
    return ""


def _by_hand(connection: sa.Connection, job: Job) -> int:
    """How many packages of a release that a job made wait for a person to carry them."""
    release = str(job.outcome.get("release", "")) if job.kind is JobKind.SHARE else ""
    return to_carry(deliveries.listed(connection, release=release)) if release else 0


def _may_run(job: Job, caller: Caller) -> bool:
    """Whether the caller may go on from this rehearsal to the release."""
    return (
        job.kind is JobKind.REHEARSE
        and job.by == caller.name
        and job.outcome.get("state") == "would-forward"
        and bool(permits(Action.RELEASE, caller.roles))
    )
