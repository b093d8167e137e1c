"""Is what is left safe enough? Groups are counted, then kept, coarsened, dropped or refused.

Everything is counted on the output itself, as it would leave. A person who must
go for one output goes from every output of the run, and what is left is counted
again until nothing more has to go.

Source: docs/explanation/disclosure.md; docs/reference/policy.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import polars as pl

from gateway.disclosure.allowing import output_allowed
from gateway.disclosure.gate import Gate, Kept, is_counted
from gateway.disclosure.judge import Verdict, judge
from gateway.disclosure.profile import Profile, merge_profiles, profile
from gateway.disclosure.shape import (
    MANY_VALUES,
    Coarser,
    Shape,
    payload_columns,
    shape_of,
)
from gateway.disclosure.steadying import Earlier, Given
from gateway.disclosure.summary import Summary, merge
from gateway.model import Limits, OutputPlan, Plan, Withheld
from gateway.model.reading import shared_out
from gateway.model.stages import (
    Assessed,
    AssessedOutput,
    Pseudonymised,
    TooRisky,
    narrowed,
)


def assess(
    pseudonymised: Pseudonymised, *, coarser: Coarser, earlier: Earlier | None = None
) -> Assessed | TooRisky:
    """Apply each output's limits, or say why it may not leave.

    Args:
        pseudonymised: `unit`, `link_id` and `payload.OUTPUT.NAME`; a unit is in
            one partition only; with alias slots the first row of a link id counts.
        coarser: gives an already treated column in a coarser treatment.
        earlier: the releases that the same recipients hold, to be told apart from.

    Returns:
        What may leave, with the people of small groups taken out of every output
        and columns coarsened; or the reasons, counts rounded.

    Source: docs/explanation/disclosure.md, "Groups".
    """
    return examine(pseudonymised, coarser=coarser, earlier=earlier).result


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What `assess` answers, and the small groups of each output before anything was done."""

    result: Assessed | TooRisky
    small_groups: Mapping[str, int] = field(repr=False)


def examine(
    pseudonymised: Pseudonymised, *, coarser: Coarser, earlier: Earlier | None = None
) -> Examined:
    """The same as `assess`, with what it counted on the way."""
    given = Given(
        pseudonymised.plan,
        pseudonymised.partitions,
        pseudonymised.received,
        pseudonymised.counts,
    )
    small_groups: dict[str, int] = {}
    result = _assessed_alone(given, coarser, small_groups)
    # Who is withheld to hide others may make a group small, and the other way round.
    while earlier is not None and isinstance(result, Assessed):
        apart = earlier.apart(result, given)
        if not apart.size:
            break
        given = given.without(apart)
        result = _assessed_alone(given, coarser, {})
    return Examined(result=result, small_groups=small_groups)


def _assessed_alone(
    given: Given, coarser: Coarser, small_groups: dict[str, int]
) -> Assessed | TooRisky:
    seen = _profiled(given)
    shapes = _shapes(given.plan, seen)
    gate = Gate(narrowed(given.partitions, is_counted), shapes, coarser, {})
    settled = replace(gate, verdicts=_settled(gate, given.plan, small_groups))
    reasons = tuple(reason for each in settled.verdicts.values() for reason in each.reasons)
    if reasons:
        return TooRisky(reasons)
    return _assessed(given, settled, seen)


def _profiled(given: Given) -> Profile:
    seen = Profile({})
    names = [
        f"payload.{output.name}.{rule.name}"
        for output in given.plan.outputs
        for rule in payload_columns(output)
    ]
    held = narrowed(given.partitions, set(names).__contains__)
    for found in shared_out(held, partial(profile, columns=names)):
        seen = merge_profiles(seen, found)
    return seen


def _shapes(plan: Plan, seen: Profile) -> dict[str, Shape]:
    return {
        output.name: shape_of(
            output, output.limits, wide=seen.wide(f"payload.{output.name}.", MANY_VALUES)
        )
        for output in plan.outputs
        if output.limits is not None
    }


def _settled(gate: Gate, plan: Plan, small_groups: dict[str, int]) -> dict[str, Verdict]:
    """Judge, take out, count again: until no group is small, or an output may not leave.

    How many groups were small before is noted in `small_groups`.
    """
    outputs = {output.name: output for output in plan.outputs}
    verdicts: dict[str, Verdict] = {}
    while gate.shapes:
        round_gate = Gate(gate.source, gate.shapes, gate.coarser, verdicts)
        counted = _counted(round_gate)
        if not verdicts:
            small_groups.update({name: _few(each, outputs[name]) for name, each in counted.items()})
        found = {name: judged(summary, outputs[name]) for name, summary in counted.items()}
        more = any(verdict.small.height for verdict in found.values())
        verdicts = {name: _joined(verdicts.get(name), verdict) for name, verdict in found.items()}
        if not more or any(verdict.reasons for verdict in found.values()):
            break
        # People of one group are people of no other: with one output nothing else moved.
        if len(gate.shapes) == 1:
            break
    return verdicts


def _few(summary: Summary, output: OutputPlan) -> int:
    """How many groups hold fewer families than the limit; without keys there are no groups."""
    if not (summary.shape.keys and output.limits):
        return 0
    groups = summary.levels[0].groups
    return groups.filter(pl.col("families") < output.limits.k).height


def judged(summary: Summary, output: OutputPlan) -> Verdict:
    """The verdict on one output under its own limits."""
    limits = output.limits or Limits(key_variables=(), k=0)
    return judge(summary, limits, recipient=output.recipient.classes)


def _counted(gate: Gate) -> dict[str, Summary]:
    summaries: dict[str, Summary] = {}
    for found in shared_out(gate.source, gate.counted):
        for name, counted in found.items():
            summaries[name] = merge(summaries[name], counted) if name in summaries else counted
    return summaries


def _joined(earlier: Verdict | None, verdict: Verdict) -> Verdict:
    if earlier is None:
        return verdict
    return Verdict(
        level=verdict.level,
        small=pl.concat([earlier.small, verdict.small]),
        people_suppressed=earlier.people_suppressed + verdict.people_suppressed,
        k_reached=verdict.k_reached,
        reasons=verdict.reasons,
    )


def _assessed(given: Given, gate: Gate, seen: Profile) -> Assessed:
    found = list(shared_out(gate.source, gate.leaving))
    counts = Counter(given.counts)
    if leaving := sum(each.people for each in found):
        counts[Withheld.SMALL_GROUP.value] += leaving
    return Assessed(
        plan=given.plan,
        partitions=Kept(given.partitions, tuple(each.stays for each in found), gate),
        received=given.received,
        counts=dict(counts),
        rows=sum(each.rows for each in found),
        outputs=tuple(_output(output, gate, seen) for output in given.plan.outputs),
    )


def _output(output: OutputPlan, gate: Gate, seen: Profile) -> AssessedOutput:
    verdict, shape = gate.verdicts.get(output.name), gate.shapes.get(output.name)
    return output_allowed(output, verdict, shape, coarser=gate.coarser, seen=seen)
