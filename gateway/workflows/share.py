"""Share: what the privacy notice promises, in the order in which it is kept.

Find the agreement in force and decide; if refused, record and answer. Select the
cohort; honour objections; minimise to the Plan; pseudonymise under this
recipient's key; assess the risk of re-identification, alone and beside what the
recipient holds; hold what is unusual; seal under the clause; record in the ledger;
forward; answer with the receipt.

Source: UK GDPR Arts 5, 21, 25, 32; docs/explanation/architecture.md.
"""

from __future__ import annotations

from gateway.disclosure import assess
from gateway.minimise import coarser, minimise
from gateway.model import Plan, Refusal, SharingRequest
from gateway.model.stages import Assessed, Pseudonymised, TooRisky
from gateway.objections import honour
from gateway.pseudonymise import pseudonymise
from gateway.selection import select
from gateway.workflows.sharing import Outcome, ReleaseRun, ShareDesk


def share(desk: ShareDesk, request: SharingRequest, *, officer: str, outbox: str) -> Outcome:
    """Make one release and forward its packages, or say why not.

    Args:
        desk: policies, extracts, register, keys, ledger and outbox.
        request: the purpose and the agreement.
        officer: the release officer who runs it.
        outbox: where the packages go, each to its recipient's folder; "" means by each
            recipient's registered channel.

    Returns:
        What was forwarded with its conservation, or the refusal with its reasons.
    """
    decision = desk.decide(request, officer)
    if isinstance(decision, Refusal):
        return desk.refuse(request, decision, officer=officer)
    with desk.begin(decision, officer) as run:
        assessed = assess(_pseudonymised(decision, run), coarser=coarser, earlier=run.earlier)
        if isinstance(assessed, TooRisky):
            return run.too_risky(assessed)
        if unusual := run.unusual(assessed):
            return run.hold(unusual)
        sealed = run.seal(assessed)
        recorded = run.record(sealed, outbox)
        return run.forward(recorded)


def preview(
    desk: ShareDesk, request: SharingRequest, *, officer: str, reason: str = "before-release"
) -> Outcome:
    """Say what would leave and why, in rounded counts; nothing but the question is kept."""
    decision = desk.decide(request, officer)
    if isinstance(decision, Refusal):
        return desk.would_refuse(request, decision)
    with desk.rehearse(decision, officer, reason=reason) as run:
        pseudonymised = _pseudonymised(decision, run)
        assessed: Assessed | TooRisky = assess(pseudonymised, coarser=coarser, earlier=run.earlier)
        return run.would_share(assessed)


def _pseudonymised(plan: Plan, run: ReleaseRun) -> Pseudonymised:
    run.progress("selecting the cohort")
    cohort = select(plan, run.sources, run.scratch, elements=run.elements)
    run.progress("honouring objections")
    willing = honour(cohort, run.register, doubts=run.doubts)
    run.progress("minimising and pseudonymising")
    minimised = minimise(willing, masking=run.masking)
    return pseudonymise(
        minimised,
        run.keys,
        unit_key=run.unit_key,
        scratch=run.scratch,
        entropy=run.entropy,
        link_map=run.link_map,
    )
