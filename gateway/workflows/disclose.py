"""Disclose: one named person, to one safeguarding authority, because two people say so.

The way of `share`, for one person: decide; find that very person or nobody; count what
the law overrides; honour; minimise; pseudonymise; assess; seal; record, with what both
people owe; forward. An objection does not stop it, and nothing else is let through.

Source: privacy notice (Trafford), "to protect you or others from harm"; requirement R29;
security point 4; docs/adr/0298.
"""

from __future__ import annotations

from gateway.disclosure import assess
from gateway.minimise import coarser, minimise
from gateway.model import Plan, Refusal
from gateway.model.stages import Cohort, Pseudonymised, TooRisky
from gateway.objections import honour, overridden
from gateway.pseudonymise import pseudonymise
from gateway.selection import find_one, select
from gateway.workflows.disclosing import DisclosureDesk, DisclosureRun
from gateway.workflows.sharing import Outcome


def disclose(desk: DisclosureDesk) -> Outcome:
    """Make one disclosure and forward its package, or say why not.

    Args:
        desk: the disclosure that two people have asked for and confirmed.

    Returns:
        What was forwarded, or the refusal with its reasons.
    """
    decision = desk.decide()
    if isinstance(decision, Refusal):
        return desk.refuse(decision)
    with desk.begin(decision) as run:
        person = find_one(decision, run.sources[decision.cohort.dataset], run.sought)
        if person is None:
            return run.not_certain()
        assessed = assess(_pseudonymised(_cohort(decision, run, person), run), coarser=coarser)
        if isinstance(assessed, TooRisky):
            return run.too_risky(assessed)
        sealed = run.seal(assessed)
        recorded = run.record(sealed, "")
        return run.forward(recorded)


def _cohort(plan: Plan, run: DisclosureRun, person: str) -> Cohort:
    """The one person, with what was typed; what they had said is counted."""
    run.about(person)
    cohort = select(plan, run.sources, run.scratch, elements=run.elements, only=person)
    run.overrides(overridden(cohort, run.register))
    return cohort


def _pseudonymised(cohort: Cohort, run: DisclosureRun) -> Pseudonymised:
    willing = honour(cohort, run.register)
    minimised = minimise(willing, masking=run.masking)
    return pseudonymise(
        minimised,
        run.keys,
        unit_key=run.unit_key,
        scratch=run.scratch,
        entropy=run.entropy,
        link_map=run.link_map,
    )
