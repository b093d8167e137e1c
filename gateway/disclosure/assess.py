"""Is what is left safe enough? Groups are counted, then kept, coarsened, dropped or refused.

Everything is counted on the output itself, as it would leave. A person who must
go for one output goes from every output of the run, and what is left is counted
again until nothing more has to go.

Source: docs/explanation/disclosure.md; docs/reference/policy.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from gateway.disclosure.allowing import output_allowed
from gateway.disclosure.judge import Verdict, judge
from gateway.disclosure.profile import Profile, merge_profiles, profile
from gateway.disclosure.shape import (
    MANY_VALUES,
    Coarser,
    Shape,
    payload_columns,
    shape_of,
)
from gateway.disclosure.steadying import Earlier, Given, people
from gateway.disclosure.summary import Summary, count, group_keys, key_values, merge
from gateway.model import Limits, OutputPlan, Plan, Withheld
from gateway.model.stages import (
    Assessed,
    AssessedOutput,
    Partitions,
    Pseudonymised,
    TooRisky,
    Wanted,
    every_column,
    narrowed,
)

_ROW = "~row"


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

    Source: docs/reference/policy.md, "The unit, joins, small groups".
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
        apart = earlier.apart(result)
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
    gate = _Gate(narrowed(given.partitions, _is_counted), shapes, coarser, {})
    settled = replace(gate, verdicts=_settled(gate, given.plan, small_groups))
    reasons = tuple(reason for each in settled.verdicts.values() for reason in each.reasons)
    if reasons:
        return TooRisky(reasons)
    return _assessed(given, settled, seen)


def _is_counted(name: str) -> bool:
    """Whether groups are told by a column, or people and families by it."""
    return name in {"unit", "slot", "link_id"} or name.startswith("payload.")


_Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Gate:
    """Partitions without the people of the small groups that were found."""

    source: Partitions = field(repr=False)
    shapes: Mapping[str, Shape]
    coarser: Coarser
    verdicts: Mapping[str, Verdict]

    def survivors(self) -> Iterator[pl.DataFrame]:
        """The rows that stay, still as they were treated."""
        for frame in self.source:
            stays = self.stays(frame)
            yield frame if stays is None else frame.filter(pl.Series(stays))

    def stays(self, frame: pl.DataFrame) -> _Flags | None:
        """Which rows of one partition belong to nobody in a small group; None: all of them."""
        one_each = people(frame.with_row_index(_ROW))
        leaving = [
            _in_small(one_each, self.shapes[output], verdict, self.coarser)
            for output, verdict in self.verdicts.items()
            if verdict.small.height
        ]
        gone = pl.concat(leaving).unique() if leaving else pl.Series(_ROW, [], dtype=pl.UInt32)
        if not gone.len():
            return None
        if "slot" in frame.columns:
            theirs = frame[gone].select("link_id")
            gone = frame.with_row_index(_ROW).join(theirs, on="link_id", how="semi")[_ROW]
        stays = np.ones(frame.height, dtype=np.bool_)
        stays[gone.to_numpy()] = False
        return stays


@dataclass(frozen=True, slots=True)
class _Kept:
    """Partitions without the people of small groups, coarsened as decided.

    Who stays is found once for each partition, and held as one bit a row.
    """

    source: Partitions = field(repr=False)
    stays: tuple[bytes | None, ...] = field(repr=False)
    gate: _Gate
    wanted: Wanted = every_column

    def __iter__(self) -> Iterator[pl.DataFrame]:
        for frame, bits in zip(narrowed(self.source, self.wanted), self.stays, strict=True):
            left = frame
            if bits is not None:
                flags = np.unpackbits(np.frombuffer(bits, np.uint8), count=frame.height)
                left = frame.filter(pl.Series(flags.view(np.bool_)))
            yield left.with_columns(self._coarsened(frame.columns))

    def narrowed(self, wanted: Wanted) -> _Kept:
        """The same people, with the wanted columns only."""
        return replace(self, wanted=wanted)

    def _coarsened(self, present: Sequence[str]) -> list[pl.Expr]:
        gate = self.gate
        return [
            shape.value(name, gate.verdicts[output].level, gate.coarser).alias(column)
            for output, shape in gate.shapes.items()
            for name, _treat in shape.steps[: gate.verdicts[output].level]
            if (column := f"payload.{output}.{name}") in present
        ]


def _in_small(frame: pl.DataFrame, shape: Shape, verdict: Verdict, coarser: Coarser) -> pl.Series:
    """The row numbers of people in small groups."""
    keyed = frame.select(_ROW, *key_values(shape, verdict.level, coarser))
    small = verdict.small
    return keyed.join(small, on=group_keys(shape), how="semi", nulls_equal=True)[_ROW]


def _profiled(given: Given) -> Profile:
    seen = Profile({})
    names = [
        f"payload.{output.name}.{rule.name}"
        for output in given.plan.outputs
        for rule in payload_columns(output)
    ]
    for frame in narrowed(given.partitions, set(names).__contains__):
        seen = merge_profiles(seen, profile(frame, names))
    return seen


def _shapes(plan: Plan, seen: Profile) -> dict[str, Shape]:
    return {
        output.name: shape_of(
            output, output.limits, wide=seen.wide(f"payload.{output.name}.", MANY_VALUES)
        )
        for output in plan.outputs
        if output.limits is not None
    }


def _settled(gate: _Gate, plan: Plan, small_groups: dict[str, int]) -> dict[str, Verdict]:
    """Judge, take out, count again: until no group is small, or an output may not leave.

    How many groups were small before is noted in `small_groups`.
    """
    outputs = {output.name: output for output in plan.outputs}
    verdicts: dict[str, Verdict] = {}
    while gate.shapes:
        round_gate = _Gate(gate.source, gate.shapes, gate.coarser, verdicts)
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


def _counted(gate: _Gate) -> dict[str, Summary]:
    summaries: dict[str, Summary] = {}
    for frame in gate.survivors():
        one_each = people(frame)
        for name, shape in gate.shapes.items():
            counted = count(one_each, shape, coarser=gate.coarser)
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


def _assessed(given: Given, gate: _Gate, seen: Profile) -> Assessed:
    rows = leaving = 0
    stays: list[bytes | None] = []
    for frame in gate.source:
        flags = gate.stays(frame)
        stays.append(None if flags is None else np.packbits(flags).tobytes())
        left = frame if flags is None else frame.filter(pl.Series(flags))
        rows += left.height
        leaving += people(frame).height - people(left).height
    counts = Counter(given.counts)
    if leaving:
        counts[Withheld.SMALL_GROUP.value] += leaving
    return Assessed(
        plan=given.plan,
        partitions=_Kept(given.partitions, tuple(stays), gate),
        received=given.received,
        counts=dict(counts),
        rows=rows,
        outputs=tuple(_output(output, gate, seen) for output in given.plan.outputs),
    )


def _output(output: OutputPlan, gate: _Gate, seen: Profile) -> AssessedOutput:
    verdict, shape = gate.verdicts.get(output.name), gate.shapes.get(output.name)
    return output_allowed(output, verdict, shape, coarser=gate.coarser, seen=seen)
