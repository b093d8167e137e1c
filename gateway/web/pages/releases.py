"""The data team's releases: what left and why, what was left out and why, what is to do.

Source: docs/explanation/service.md, "A release, exactly once"; security points 15-17.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, render_template

from gateway.adapters import deliveries, release_list
from gateway.adapters.release_store import PackageRecord, ReleaseRecord, packages_of
from gateway.model import Plan
from gateway.model.permissions import Action
from gateway.model.rounding import rounded
from gateway.policy import Bundle
from gateway.web import held_releases, release_choice, release_columns, release_duties, states
from gateway.web.callers import Caller, Realm
from gateway.web.desk import desk
from gateway.web.documents import decided, inputs
from gateway.web.guards import guarded
from gateway.web.pages.sending import A_PAGE, page_number
from gateway.web.release_counts import bars, counts_of, may_see_exact
from gateway.web.release_departures import STOPPED, departures, shown
from gateway.web.release_tasks import Told, tasks

pages = Blueprint("releases", __name__)


@pages.get("/releases")
@guarded(Action.RELEASE_READ, realm=Realm.PERSON)
def every(*, caller: Caller) -> str:
    """Show every release, newest first."""
    number = page_number()
    with desk().database.read() as connection:
        found = release_list.listed(connection, limit=A_PAGE + 1, offset=(number - 1) * A_PAGE)
    bundle = inputs().bundle
    exact = may_see_exact(caller)
    return render_template(
        "releases/every.html",
        lines=[
            (
                each,
                *release_choice.titles(bundle, each.purpose, each.agreement),
                counts_of(each.record, exact=exact),
            )
            for each in found[:A_PAGE]
        ],
        states=states.RELEASES,
        page=number,
        more=len(found) > A_PAGE,
    )


@pages.get("/releases/<release>")
@guarded(Action.RELEASE_READ, realm=Realm.PERSON)
def one(release: str, *, caller: Caller) -> str:
    """Show one release: its tasks, its people, its columns with their clauses."""
    with desk().database.read() as connection:
        found = release_list.one(connection, release)
        packages = packages_of(connection, release)
        receipts = receipts_of(connection, release)
        gone = departures(packages, deliveries.listed(connection, release=release))
        stopped = found.state in STOPPED
        owing = release_duties.owing(connection, desk(), release, stopped=stopped)
        held = held_releases.held(connection, found, caller)
    bundle = inputs().bundle
    plan = _plan(found)
    counts = counts_of(found.record, exact=may_see_exact(caller))
    title, agreement = release_choice.titles(bundle, found.purpose, found.agreement)
    told = Told(
        release=found, counts=counts, packages=packages, receipts=receipts, gone=gone, owing=owing
    )
    return render_template(
        "releases/one.html",
        release=found,
        state=shown(found.state, gone, bundle),
        title=title,
        agreement=agreement,
        tasks=tasks(told),
        counts=counts,
        bars=bars(counts) if counts else [],
        refusal=found.record.get("refusal", []),
        outputs=_outputs(found, packages, plan, bundle),
        packages=[(each, _rows(each, caller), _recipient(each, bundle)) for each in packages],
        receipts=receipts,
        gone=gone,
        stopped=stopped,
        plan=plan,
        **_duties(plan, owing, bundle),
        not_sent=_not_sent(plan),
        held=held,
    )


def receipts_of(connection: sa.Connection, release: str) -> Mapping[str, dt.datetime]:
    """When each package was acknowledged by its recipient, as far as that is known."""
    return {
        each.package: dt.datetime.fromisoformat(each.acknowledged_at)
        for each in deliveries.listed(connection, release=release)
        if each.state in deliveries.ARRIVED and each.acknowledged_at
    }


def _plan(release: ReleaseRecord) -> Plan | None:
    """The Plan of a release, if the agreement is still what it was made under."""
    decision = decided(inputs(), release.purpose, release.agreement)
    if isinstance(decision, Plan) and decision.policy_digest == release.policy_digest:
        return decision
    return None


def _outputs(
    release: ReleaseRecord, packages: Sequence[PackageRecord], plan: Plan | None, bundle: Bundle
) -> list[release_columns.OutputShown]:
    told = [each for each in packages if "columns" in each.manifest]
    if told:
        return [release_columns.of_package(each, release, bundle) for each in told]
    return release_columns.of_plan(plan, bundle) if plan else []


def _rows(package: PackageRecord, caller: Caller) -> int | str:
    return package.rows if may_see_exact(caller) else rounded(package.rows)


def _recipient(package: PackageRecord, bundle: Bundle) -> str:
    return release_columns.recipient_title(bundle, package.recipient)


def _duties(plan: Plan | None, owing: release_duties.Owing, bundle: Bundle) -> dict[str, Any]:
    known = bundle.vocabulary.duties
    return {
        "duties": [known.get(duty, duty) for duty in plan.duties] if plan else [],
        "owed": release_duties.lines(owing, bundle),
        "overdue": owing.overdue,
    }


def _not_sent(plan: Plan | None) -> list[tuple[str, list[str]]]:
    """The reasons for which columns stay, each with its columns."""
    by: dict[str, list[str]] = {}
    for each in plan.not_sent if plan else ():
        clause = f" (clause {each.clause})" if each.clause else ""
        by.setdefault(f"{each.reason}{clause}", []).append(each.column)
    return sorted(((why, sorted(set(names))) for why, names in by.items()), key=lambda r: len(r[1]))
