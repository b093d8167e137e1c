"""Preview: what a change of policy would do, before anybody has approved it.

Refuse who may not ask and cohorts that nobody has approved; decide each purpose by
both versions; where they differ, count and record the question; run both over what
is stored, under keys of this run alone, as far as the assessment and no further; seal
what was seen exactly; answer with the difference in bounded counts.

Source: UK GDPR Art 25, 35; docs/explanation/disclosure.md, "Preview"; requirement N4.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial

from gateway import objections, selection
from gateway.disclosure import examine
from gateway.disclosure.impact import Picture, impact, picture
from gateway.minimise import coarser, minimise
from gateway.model import IdentifierForm, Plan, Reason, Refusal
from gateway.model.reading import side_by_side
from gateway.model.stages import Cohort, Willing
from gateway.pseudonymise import pseudonymise
from gateway.workflows.previewing import (
    Decided,
    Preview,
    PreviewDesk,
    PurposeImpact,
    Seen,
    together,
)
from gateway.workflows.sharing import ReleaseRun


def preview(desk: PreviewDesk) -> Preview:
    """Compare what would leave now with what would leave under a draft.

    Args:
        desk: both versions of the documents, and what is stored.

    Returns:
        For each purpose the people, families, columns and groups that come and go, in
        counts rounded to ten; the exact pictures are sealed.

    Raises:
        RefusedError: the editor may not, has asked too often today, or the draft
            changes a cohort.
    """
    desk.require_bounded()
    seen, answered = [], []
    for each in desk.decided():
        if same(each) or not _readable(desk, each):
            answered.append(_unread(each))
            continue
        desk.note(each)
        pictures = _seen(desk, each)
        seen.append(pictures)
        answered.append(compared(pictures, received=desk.received))
    return desk.keep(seen, answered)


def same(decided: Decided) -> bool:
    """Whether both versions let the same leave, whatever their digests are."""
    before, after = decided.before, decided.after
    if isinstance(before, Plan) and isinstance(after, Plan):
        return _way_out(before) == _way_out(after)
    return not isinstance(before, Plan) and not isinstance(after, Plan)


def compared(seen: Seen, *, received: Collection[str]) -> PurposeImpact:
    """What may be told of a purpose that was seen with both versions."""
    told = impact(seen.before, seen.after)
    return PurposeImpact(
        purpose=seen.decided.purpose,
        state="changed",
        refused_before=_reasons(seen.decided.before, seen.before),
        refused_after=_reasons(seen.decided.after, seen.after),
        impact=told,
        new_fields=tuple(
            dict.fromkeys(
                name
                for output in told.outputs
                for name in output.columns_gained
                if name not in received
            )
        ),
    )


def _seen(desk: PreviewDesk, decided: Decided) -> Seen:
    """Both versions; where they select the same people, those are read once for both."""
    plans = decided.before, decided.after
    before, after = (_without_tokens(p) if isinstance(p, Plan) else None for p in plans)
    if before and after and (both := together(before, after)):
        with desk.imagine(before, draft=False) as now, desk.imagine(after, draft=True) as then:
            if now.alike(then):
                ours, theirs = _for_versions(_selected(both, now), before, after, now)
                now.progress("comparing both versions")
                seen = side_by_side(lambda: _picture(ours(), now), lambda: _picture(theirs(), then))
                return Seen(decided=decided, before=seen[0], after=seen[1])
    return Seen(
        decided=decided,
        before=_alone(desk, before, draft=False),
        after=_alone(desk, after, draft=True),
    )


def _for_versions(
    cohort: Cohort, before: Plan, after: Plan, run: ReleaseRun
) -> tuple[Callable[[], Willing], Callable[[], Willing]]:
    """Who stays by each version: compared with the register once, or once for each."""
    if objections.alike(before, after):
        run.progress("honouring objections")
        willing = objections.honour(cohort, run.register)
        share = partial(objections.for_version, willing)
        return partial(share, before), partial(share, after)
    one, other = (selection.for_version(cohort, plan) for plan in (before, after))
    honour = partial(objections.honour, register=run.register)
    return partial(honour, one), partial(honour, other)


def _alone(desk: PreviewDesk, plan: Plan | None, *, draft: bool) -> Picture:
    """One version, read for itself."""
    if plan is None:
        return Picture()
    with desk.imagine(plan, draft=draft) as run:
        willing = _willing(plan, run)
        run.progress("assessing")
        return _picture(willing, run)


def _willing(plan: Plan, run: ReleaseRun) -> Willing:
    cohort = _selected(plan, run)
    run.progress("honouring objections")
    return objections.honour(cohort, run.register)


def _selected(plan: Plan, run: ReleaseRun) -> Cohort:
    run.progress("selecting the cohort")
    return selection.select(plan, run.sources, run.scratch, elements=run.elements)


def _picture(willing: Willing, run: ReleaseRun) -> Picture:
    minimised = minimise(willing, masking=run.masking)
    pseudonymised = pseudonymise(
        minimised,
        run.keys,
        unit_key=run.unit_key,
        scratch=run.scratch,
        entropy=run.entropy,
        link_map=_nobody_keeps,
    )
    return picture(pseudonymised, examine(pseudonymised, coarser=coarser, earlier=run.earlier))


def _nobody_keeps(_frame: object) -> None:
    """Nothing leaves, so that nobody has to know who received which link id."""


def _without_tokens(plan: Plan) -> Plan:
    """The same rows and columns; nobody reads the tokens of a preview, so none are made."""
    return replace(
        plan,
        outputs=tuple(
            replace(output, tokens=(), key=None, identifiers=IdentifierForm.LINK_ID)
            if output.identifiers is IdentifierForm.TOKENS
            else output
            for output in plan.outputs
        ),
    )


def _way_out(plan: Plan) -> Plan:
    """What of a plan says who and what leaves; the rest is words and dates."""
    return replace(
        plan,
        policy_digest="",
        agreement_version=0,
        clause="",
        legal_bases=(),
        retain_until=dt.date.max,
        link_map_until="",
        returns="",
        duties=(),
        duty_sentences=(),
        warnings=(),
        not_sent=(),
        notice="",
    )


def _readable(desk: PreviewDesk, decided: Decided) -> bool:
    plans = (decided.before, decided.after)
    return all(desk.stored(plan) for plan in plans if isinstance(plan, Plan))


def _unread(decided: Decided) -> PurposeImpact:
    return PurposeImpact(
        purpose=decided.purpose,
        state="the-same" if same(decided) else "no-extract",
        refused_before=_reasons(decided.before),
        refused_after=_reasons(decided.after),
    )


def _reasons(decided: Plan | Refusal | None, seen: Picture | None = None) -> tuple[Reason, ...]:
    """Why nothing leaves: by the policy, or by the assessment."""
    if isinstance(decided, Refusal):
        return decided.reasons
    clause = decided.clause if decided else ""
    found = seen.reasons if seen else ()
    return tuple(Reason(code=code, clause=clause, reason=said) for code, said in found)
