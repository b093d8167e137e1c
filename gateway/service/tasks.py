"""What each kind of job does, on the same workflows as the command line.

A task may be begun again after any fault: `receive` knows the bytes it has seen, and
a release is made under an id that was tied to its job before anything was written.

Source: docs/explanation/service.md; security points 8, 15 and 23.
"""

from __future__ import annotations

import datetime as dt
import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from gateway.adapters import inbox, jobs, notice_records, receipts, uploads
from gateway.adapters.jobs import Job, JobKind
from gateway.adapters.release_store import (
    RELEASES,
    ReleaseState,
    not_forwarded,
    packages_of,
    releases,
    still_waits,
)
from gateway.adapters.share_desk import Desk
from gateway.adapters.uploads import UploadState
from gateway.errors import HeldForPerson, RefusedError, Unavailable
from gateway.model import SharingRequest
from gateway.model.keys import KeyKind
from gateway.service import emergency_tasks, outcomes, policy_tasks
from gateway.service.workshop import TURN_SECONDS, Later, Task, Workshop
from gateway.wiring.common import extract_store, new_id, now
from gateway.workflows.ports import Progress

JOBS_KEPT = dt.timedelta(days=90)


def check(shop: Workshop, job: Job, progress: Progress) -> Mapping[str, Any]:
    """Take in an upload: open its segments, run `receive`, keep receipt and state."""
    from gateway.wiring.receiving import intake_desk
    from gateway.workflows.receive import receive

    with shop.database.read() as connection:
        upload = uploads.find(connection, job.subject)
    if upload.state is UploadState.DONE:
        # An earlier attempt came as far as the receipt.
        record = extract_store(shop.settings, shop.database).get(upload.extract)
    else:
        with (
            shop.warm.take() as ahead,
            uploads.opened(shop.settings, shop.ring, job.subject) as source,
            intake_desk(shop.settings, progress=progress, ahead=ahead) as desk,
        ):
            record = receive(desk, source, dataset=upload.dataset, party=upload.party)
    receipts.give(
        shop.database,
        record,
        signer=shop.ring.signer(KeyKind.PACKAGE_SIGNING),
        sender=shop.ring.sender,
        at=now(),
    )
    uploads.checked(shop.settings, shop.database, job.subject, record)
    return outcomes.of_extract(record)


def give_up_check(shop: Workshop, job: Job, code: str) -> None:
    """Say at the upload that its check failed: its sender sends the file again."""
    uploads.failed(shop.settings, shop.database, job.subject, code=code)


def share(shop: Workshop, job: Job, progress: Progress) -> Mapping[str, Any]:
    """Make the release that an officer asked for, or finish the one that was begun."""
    from gateway.wiring.sharing import share_desk
    from gateway.workflows.share import share as make_release

    with share_desk(shop.settings, progress=progress, turn_within=TURN_SECONDS) as desk:
        made = _made_before(desk, job)
        if made is not None:
            return made
        tied = _tied(shop, desk, job)
        try:
            outcome = make_release(tied, _request(job), officer=job.by, outbox="")
        except (RefusedError, HeldForPerson) as no:
            return outcomes.of_no("refused" if isinstance(no, RefusedError) else "held", no)
    return outcomes.of_share(outcome)


def rehearse(shop: Workshop, job: Job, progress: Progress) -> Mapping[str, Any]:
    """Say what would leave and why, in rounded counts."""
    from gateway.wiring.sharing import share_desk
    from gateway.workflows.share import preview

    day = job.request.get("on")
    on = dt.date.fromisoformat(day) if day else None
    with share_desk(shop.settings, progress=progress, rehearsal=True, on=on) as desk:
        try:
            outcome = preview(desk, _request(job), officer=job.by)
        except (RefusedError, HeldForPerson) as no:
            return outcomes.of_no("would-refuse", no)
    return outcomes.of_share(outcome)


def preview_draft(shop: Workshop, job: Job, progress: Progress) -> Mapping[str, Any]:
    """Compare what leaves now with what would leave under a draft."""
    return policy_tasks.preview(shop.settings, shop.database, job, progress=progress)


def deliver(shop: Workshop, job: Job, progress: Progress) -> Mapping[str, Any] | Later:
    """Try once to bring a package to its recipient."""
    progress("delivering")
    from gateway.wiring import delivering

    told = delivering.attempt(shop.settings, shop.ring, job.subject)
    if isinstance(told, delivering.Wait):
        return Later(not_before=told.not_before, code=told.code)
    return told


def acknowledge(shop: Workshop, job: Job, progress: Progress) -> Mapping[str, Any]:
    """Sign the receipt of a package that arrived in the inbox."""
    progress("signing the receipt")
    with shop.database.read() as connection:
        found = inbox.find(connection, job.request["sender"], job.request["package"])
    signer = shop.ring.signer(KeyKind.PACKAGE_SIGNING)
    recipient, at = shop.ring.sender, now()
    inbox.acknowledge(shop.database, found, signer=signer, recipient=recipient, at=at)
    return {"package": found.package, "state": "acknowledged"}


def look_after_duties(shop: Workshop, _job: Job, progress: Progress) -> Mapping[str, Any] | Later:
    """Ask recipients for certificates of destruction; close what is done."""
    from gateway.wiring import duties

    try:
        return duties.look_after(
            shop.settings, shop.ring, progress=progress, turn_within=TURN_SECONDS
        )
    except HeldForPerson as held:
        return Later(not_before=now() + dt.timedelta(hours=1), code=held.code)


def give_up_delivery(shop: Workshop, job: Job, code: str) -> None:
    """Say at the delivery that nobody tries any more."""
    from gateway.wiring import delivery_desk

    delivery_desk.give_up(shop.settings, job.subject, code=code)


def purge(shop: Workshop, _job: Job, progress: Progress) -> Mapping[str, Any]:
    """Let go of what has outlived its time: unfinished uploads, old jobs, expired data."""
    progress("purging")
    shelf = uploads.of_settings(
        shop.settings, shop.database, recipient=shop.ring.upload_recipient, now=now
    )
    told: dict[str, Any] = {"pieces": shelf.tidy()}
    with shop.database.begin() as connection:
        told["jobs"] = jobs.forget(connection, before=now() - JOBS_KEPT)
        notice_records.forget(connection, before=now() - notice_records.KEPT)
    if importlib.util.find_spec("gateway.adapters.retention") is not None:
        retention = importlib.import_module("gateway.adapters.retention")
        told |= retention.purge(shop.settings, shop.ring)
    return told


def _signed(act: policy_tasks.Act) -> Task:
    return lambda shop, job, _progress: policy_tasks.said(act, shop.database, shop.ring, job)


TASKS: Mapping[JobKind, Task] = {
    JobKind.CHECK: check,
    JobKind.SHARE: share,
    JobKind.REHEARSE: rehearse,
    JobKind.DELIVER: deliver,
    JobKind.ACKNOWLEDGE: acknowledge,
    JobKind.PURGE: purge,
    JobKind.SEEK: emergency_tasks.seek,
    JobKind.DISCLOSE: emergency_tasks.disclose,
    JobKind.REASONS: emergency_tasks.read_reasons,
    JobKind.DUTIES: look_after_duties,
    JobKind.PREVIEW: preview_draft,
    JobKind.PROPOSE: _signed(policy_tasks.propose),
    JobKind.APPROVE: _signed(policy_tasks.approve),
    JobKind.WITHDRAW: _signed(policy_tasks.withdraw),
}
# Told when a job has failed for good.
GIVEN_UP: Mapping[JobKind, Callable[[Workshop, Job, str], None]] = {
    JobKind.CHECK: give_up_check,
    JobKind.DELIVER: give_up_delivery,
    JobKind.SEEK: emergency_tasks.give_up_seeking,
    JobKind.DISCLOSE: emergency_tasks.give_up_disclosing,
}


def _request(job: Job) -> SharingRequest:
    return SharingRequest(purpose=job.request["purpose"], agreement=job.request["agreement"])


def _made_before(desk: Desk, job: Job) -> Mapping[str, Any] | None:
    """What an earlier attempt made, now that `share_desk` has finished or withdrawn it."""
    if not job.effect:
        return None
    with desk.world.database.begin() as connection:
        found = releases(connection, RELEASES.c.id == job.effect)
        packages = packages_of(connection, job.effect)
        waits = bool(found) and still_waits(connection, job.effect)
    if not found or found[0].state is ReleaseState.WITHDRAWN:
        return None
    if waits:
        raise not_forwarded(job.effect)
    return outcomes.of_release(found[0], packages)


def _tied(shop: Workshop, desk: Desk, job: Job) -> Desk:
    """A desk whose release has an id that the job's row knows before anything else does."""
    release = f"rel-{new_id()}"
    with shop.database.begin() as connection:
        ours = jobs.choose(connection, job.id, shop.worker, effect=release)
    if not ours:
        raise Unavailable(
            "job/lease-lost",
            "Another worker has taken this job over.",
            remedy="Nothing is to be done: it goes on there.",
        )
    return replace(desk, world=replace(desk.world, release=release))
