"""Agreements as people read them: what goes to whom under which clause, and where each stands.

Approving and withdrawing are jobs of a worker, signed with the personal key of the
one who asked; the form carries the digest of what they read.

Source: docs/reference/policy.md, "Life of a version"; requirement N1.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for

from gateway.adapters import (
    jobs,
    policy_drafts,
    policy_since,
    policy_store,
    policy_versions,
    policy_waiting,
)
from gateway.adapters.jobs import JobKind
from gateway.errors import GatewayError, UsageError
from gateway.model import SharingRequest
from gateway.model.permissions import Action, permits
from gateway.policy import Bundle, Trace, by_clause, expected, explain, stands_under
from gateway.policy import traces as every_trace
from gateway.policy.agreements import Agreement
from gateway.publishing import REGISTER_FIELDS, agreement_register, notice
from gateway.web import differences, proposals, reaching, states, traces_shown, workshop
from gateway.web.callers import Caller, Realm
from gateway.web.desk import desk
from gateway.web.documents import (
    agreement_title,
    in_force,
    inputs,
    known_agreement,
    party_title,
    standings,
    was_approved,
)
from gateway.web.guards import guarded
from gateway.web.spreadsheets import as_csv
from gateway.workflows.ports_policy import Proposal

pages = Blueprint("policies", __name__)
_SENTENCES = "gateway-sentences"


@pages.get("/agreements")
@guarded(Action.AGREEMENT_READ, realm=Realm.PERSON)
def every(*, caller: Caller) -> str:
    """List the agreements with their state, and the drafts."""
    with desk().database.read() as connection:
        drafts = policy_drafts.listed(connection)
    return render_template(
        "policies/every.html",
        lines=workshop.lines(),
        drafts=drafts,
        states=states.AGREEMENTS,
        review_due=states.REVIEW_DUE,
        may_write=bool(permits(Action.POLICY_PROPOSE, caller.roles)),
    )


@pages.get("/agreements/<agreement>")
@guarded(Action.AGREEMENT_READ, realm=Realm.PERSON)
def one(agreement: str, *, caller: Caller) -> Any:
    """Show one agreement as a document: parties, purposes, what leaves, and its clauses."""
    read = inputs()
    with desk().database.read() as connection:
        proposal = workshop.newest(connection, agreement)
        if proposal is not None and agreement not in read.bundle.agreements:
            return redirect(url_for("policies.proposed", agreement=agreement), 303)
        found = known_agreement(read.bundle, agreement)
        drafts = policy_drafts.listed(connection, agreement=agreement)
        documents = workshop.current(connection)
        signers = proposals.signers(connection, proposal)
        waits = policy_waiting.of(connection, agreement)
        today = desk().now().date()
        later = policy_waiting.said(connection, waits, on=today) if waits else ""
        since = differences.since_approval(connection, read, agreement)
    return render_template(
        "policies/one.html",
        later=later,
        since=since,
        agreement=found,
        state=states.AGREEMENTS[_state(agreement)],
        approved=was_approved(read, agreement),
        proposal=proposal,
        drafts=drafts,
        sentences=_sentences(read.bundle, found),
        standing=by_clause(workshop.traces(read.bundle, agreement)),
        remarks=workshop.reviewed(read.bundle, agreement),
        text=_text(documents, agreement),
        people=proposals.parties_of(read.bundle, found),
        may_write=bool(permits(Action.POLICY_PROPOSE, caller.roles)),
        may_withdraw=bool(permits(Action.POLICY_WITHDRAW, caller.roles)),
        may_approve=_may_approve(signers, caller),
    )


@pages.get("/agreements/<agreement>/proposal")
@guarded(Action.AGREEMENT_READ, realm=Realm.PERSON)
def proposed(agreement: str, *, caller: Caller) -> str:
    """Show what waits for approval: the difference in sentences, and who has signed."""
    with desk().database.read() as connection:
        proposal = workshop.newest(connection, agreement)
        if proposal is None:
            raise _nothing_waits()
        documents = workshop.current(connection)
        changes = workshop.proposed_changes(connection, proposal)
        draft = policy_versions.draft_of(connection, agreement, changes)
        why = policy_versions.reasons(connection, draft)
        signers = proposals.signers(connection, proposal)
        past = policy_since.basis(connection, agreement)
        signed = policy_since.signing(connection, proposal, past)
        begins = policy_since.begins(connection, proposal, on=desk().now().date())
        now, then = inputs().bundle, proposals.proposed_bundle(documents, changes)
        whole = then.agreements.get(agreement)
        fits = whole is not None and policy_waiting.fits(connection, then, proposal)
    shown = differences.proposed(documents, changes, past, signed)
    return render_template(
        "policies/proposal.html",
        agreement=agreement,
        new=agreement not in now.agreements,
        title=agreement_title(then, agreement),
        whole=whole,
        people=proposals.parties_of(then, whole) if whole else None,
        sentences=_sentences(then, whole) if whole else {},
        sections=notice(whole, then) if whole else (),
        controllers={each: party_title(then, each) for each in proposal.controllers},
        proposal=proposal,
        reasons=why,
        shown=shown,
        past=past,
        begins=begins,
        failed=[] if shown.untold else workshop.failed_cases(then, agreement),
        reach=reaching.reach(now, now if shown.untold else then, agreement),
        own_text=bool(permits(Action.POLICY_APPROVE, caller.roles)) and _wrote(proposal, caller),
        fits=fits,
        may_approve=fits and _may_approve(signers, caller),
        may_withdraw=bool(permits(Action.POLICY_WITHDRAW, caller.roles)),
        approved=was_approved(inputs(), agreement),
    )


@pages.post("/agreements/<agreement>/approve")
@guarded(Action.POLICY_APPROVE, realm=Realm.PERSON)
def approve(agreement: str, *, caller: Caller) -> Any:
    """Ask the worker to sign the proposal that was read."""
    with desk().database.read() as connection:
        proposal = workshop.newest(connection, agreement)
    if proposal is None:
        raise _nothing_waits()
    return _ask(JobKind.APPROVE, agreement, caller, proposals.read_in(request.form, proposal))


@pages.post("/agreements/<agreement>/withdraw")
@guarded(Action.POLICY_WITHDRAW, realm=Realm.PERSON)
def withdraw(agreement: str, *, caller: Caller) -> Any:
    """Ask the worker to withdraw an agreement at once, or to take back the proposal read."""
    with desk().database.read() as connection:
        proposal = workshop.newest(connection, agreement)
    if proposal is None:
        known_agreement(inputs().bundle, agreement)
    asked = proposals.read_in(request.form, proposal) if "policy_digest" in request.form else {}
    return _ask(JobKind.WITHDRAW, agreement, caller, asked)


@pages.get("/agreements/<agreement>/notice")
@guarded(Action.AGREEMENT_READ, realm=Realm.PERSON)
def notice_of(agreement: str, *, caller: Caller) -> str:
    """Show the privacy notice that the agreement makes."""
    bundle = inputs().bundle
    found = known_agreement(bundle, agreement)
    sections = notice(found, bundle, standing=standings(bundle)[agreement])
    return render_template("policies/notice.html", agreement=found, sections=sections)


@pages.get("/traces")
@guarded(Action.AGREEMENT_READ, realm=Realm.PERSON)
def traces(*, caller: Caller) -> Any:
    """Show each column that may leave with its clause, and the other way round."""
    read = inputs()
    bundle, now = read.bundle, in_force(read)
    wanted = {name: request.args.get(name, "") for name in ("agreement", "clause", "column")}
    found = [
        trace
        for trace in _traces(bundle, wanted["agreement"])
        if stands_under(trace.clause, wanted["clause"])
        and wanted["column"] in ("", trace.column, trace.field)
    ]
    if request.args.get("as") == "csv":
        names = ("agreement", "clause", "purpose", "output", "recipient", "column", "treat")
        rows = [
            [*(str(getattr(trace, name)) for name in names), str(trace.agreement in now).lower()]
            for trace in found
        ]
        return _download("traces.csv", as_csv((*names, "in_force"), rows))
    shown = traces_shown.rows(found, bundle, now)
    known = sorted(bundle.agreements.values(), key=lambda each: each.title)
    return render_template(
        "policies/traces.html",
        traces=shown,
        told=traces_shown.told(shown, one=bool(wanted["agreement"])),
        wanted=wanted,
        agreements={each.id: each.title for each in known},
    )


@pages.get("/register.csv")
@guarded(Action.AGREEMENT_READ, realm=Realm.PERSON)
def register(*, caller: Caller) -> Response:
    """Give the agreement register, eighteen fields for each purpose."""
    bundle = inputs().bundle
    rows = agreement_register(bundle, standings=standings(bundle))
    written = as_csv(REGISTER_FIELDS, [list(row.values()) for row in rows])
    return _download("agreement-register.csv", written)


def _download(name: str, content: str) -> Response:
    answer = Response(content, mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _state(agreement: str) -> str:
    return next(line.state for line in workshop.lines() if line.id == agreement)


def _sentences(bundle: Bundle, agreement: Agreement) -> Mapping[str, list[str]]:
    """What each purpose does, sentence by sentence, taken as approved."""
    today = desk().now().date()
    kept = current_app.extensions.setdefault(_SENTENCES, {})
    at = (agreement.id, today, id(bundle))
    known = kept.get(at)
    if known is None or known[0] is not bundle:
        if len(kept) >= workshop.MOST_REVIEWS:
            kept.clear()
        known = kept[at] = (bundle, _told(bundle, agreement))
    found: Mapping[str, list[str]] = known[1]
    return found


def _told(bundle: Bundle, agreement: Agreement) -> Mapping[str, list[str]]:
    """What each purpose does today, or on the first day of an agreement that begins later."""
    on = max(desk().now().date(), agreement.starts)
    return {
        key: explain(
            expected(SharingRequest(purpose=key, agreement=agreement.id), bundle, on=on),
            bundle.knowledge,
        )
        for key in agreement.purposes
    }


def _text(documents: Mapping[str, str], agreement: str) -> str:
    path = workshop.path_of(documents, agreement)
    return documents.get(path, "")


def _may_approve(signers: Collection[str], caller: Caller) -> bool:
    return caller.name in signers and bool(permits(Action.POLICY_APPROVE, caller.roles))


def _wrote(proposal: Proposal, caller: Caller) -> bool:
    """Whether they proposed this very text, or saved the draft that it was made from."""
    with desk().database.read() as connection:
        return caller.name in policy_store.editors(connection, proposal.policy_digest)


def _ask(kind: JobKind, agreement: str, caller: Caller, more: Mapping[str, str]) -> Any:
    with desk().database.begin() as connection:
        job = jobs.enqueue(
            connection,
            kind,
            subject=f"{agreement}:{caller.name}",
            by=caller.name,
            request={"agreement": agreement, **more},
            at=desk().now(),
        )
    return redirect(url_for("jobs.one", job=job), 303)


def _nothing_waits() -> GatewayError:
    return UsageError(
        "policy/not-proposed",
        "No proposal of that agreement is waiting or in force.",
        remedy="An editor proposes a draft.",
    )


def _traces(bundle: Bundle, agreement: str) -> Sequence[Trace]:
    if not agreement:
        return every_trace(bundle)
    return workshop.traces(bundle, agreement) if agreement in bundle.agreements else ()
