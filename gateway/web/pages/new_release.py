"""A new release: choose, rehearse, check the answers, run. Nothing leaves before the last step.

The rehearsal and the release are jobs of a worker, done as the officer who asks. One
rehearsal leads to one release, also for who goes back in the browser and presses again.

Source: docs/tutorial/data-team.md; GOV.UK Design System, "Check answers".
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from gateway.adapters import jobs, rehearsals
from gateway.adapters.jobs import OVER, Job, JobKind, JobState
from gateway.errors import RefusedError
from gateway.model import Plan
from gateway.model.permissions import Action
from gateway.web import release_choice, release_columns
from gateway.web.callers import Caller, Realm
from gateway.web.desk import desk
from gateway.web.documents import decided, inputs
from gateway.web.guards import guarded
from gateway.web.release_counts import bars, counts_of

pages = Blueprint("new_release", __name__)
NOT_CHOSEN = "Choose what you want to release"


@pages.get("/releases/new")
@guarded(Action.RELEASE, realm=Realm.PERSON)
def new(*, caller: Caller) -> str:
    """Show what may be released."""
    return render_template("releases/new.html", choices=release_choice.choices(), faults=[])


@pages.post("/releases/new")
@guarded(Action.RELEASE, realm=Realm.PERSON)
def rehearse(*, caller: Caller) -> Any:
    """Ask for a rehearsal of the chosen release."""
    choice = release_choice.chosen(request.form.get("what", ""))
    if choice is None:
        faults = [{"text": NOT_CHOSEN, "href": "#what"}]
        shown = release_choice.choices()
        return render_template("releases/new.html", choices=shown, faults=faults), 422
    with desk().database.begin() as connection:
        job = jobs.enqueue(
            connection,
            JobKind.REHEARSE,
            subject=f"{choice.purpose}/{choice.agreement}",
            by=caller.name,
            request={"purpose": choice.purpose, "agreement": choice.agreement},
            at=desk().now(),
        )
    return redirect(url_for("jobs.one", job=job), 303)


@pages.get("/releases/new/<rehearsal>")
@guarded(Action.RELEASE, realm=Realm.PERSON)
def check(rehearsal: str, *, caller: Caller) -> str:
    """Show the answers to check: what would leave, to whom, who is left out."""
    job, plan = _rehearsed(rehearsal, caller)
    with desk().database.read() as connection:
        used = rehearsals.released_by(connection, job)
    bundle = inputs().bundle
    counts = counts_of(job.outcome, exact=False)
    title, agreement = release_choice.titles(bundle, job.request["purpose"], plan.request.agreement)
    return render_template(
        "releases/check.html",
        job=job,
        used=used,
        used_over=used is not None and used.state in OVER,
        title=title,
        agreement=agreement,
        plan=plan,
        counts=counts,
        bars=bars(counts) if counts else [],
        outputs=release_columns.of_plan(plan, bundle),
        bases=[bundle.legal_bases[each].provision for each in plan.legal_bases],
        duties=[bundle.vocabulary.duties.get(duty, duty) for duty in plan.duties],
        sentences=release_choice.sentences(plan),
    )


@pages.post("/releases/new/<rehearsal>")
@guarded(Action.RELEASE, realm=Realm.PERSON)
def run(rehearsal: str, *, caller: Caller) -> Any:
    """Ask for the release that was rehearsed, or lead to the one that it led to before."""
    job, _ = _rehearsed(rehearsal, caller)
    with desk().database.begin() as connection:
        made = rehearsals.release(connection, job, by=caller.name, at=desk().now())
    if made.state in OVER:
        return redirect(url_for("new_release.check", rehearsal=job.id), 303)
    return redirect(url_for("jobs.one", job=made.id), 303)


def _rehearsed(rehearsal: str, caller: Caller) -> tuple[Job, Plan]:
    """A rehearsal of the caller's own that would forward, and the Plan it still has.

    Raises:
        UsageError: there is none, or it is another's.
        RefusedError: the agreement has changed since.
    """
    with desk().database.read() as connection:
        job = jobs.find(connection, rehearsal)
    ours = job.kind is JobKind.REHEARSE and job.by == caller.name
    if not ours or job.state is not JobState.DONE or job.outcome["state"] != "would-forward":
        raise release_choice.no_such_rehearsal()
    plan = decided(inputs(), job.request["purpose"], job.request["agreement"])
    if not isinstance(plan, Plan) or plan.policy_digest != job.outcome["policy_digest"]:
        raise RefusedError(
            "release/agreement-changed",
            "The agreement is not what it was when you rehearsed this release.",
            remedy="Rehearse it again and check the answers anew.",
        )
    return job, plan
