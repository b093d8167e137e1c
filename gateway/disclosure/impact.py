"""What a change of policy would do to a release: two pictures of it, compared in bounded counts.

A picture is exact and stays with the controller, sealed. What is told of two of them is
rounded first and subtracted afterwards, so that no difference below ten can be read
from it, however often and with however many drafts somebody asks.

Source: docs/explanation/disclosure.md, "Preview"; docs/reference/policy.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from gateway.disclosure.assess import Examined
from gateway.disclosure.shape import payload_columns
from gateway.disclosure.steadying import people
from gateway.disclosure.succession import Marks, Members, distinct, members
from gateway.model import OutputPlan
from gateway.model.rounding import rounded
from gateway.model.stages import Assessed, Pseudonymised, TooRisky

FEW = "<10"
_SEED = 20_150_402
_NOBODY = np.empty(0, dtype=np.uint64)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputPicture:
    """One output: its recipient, columns with treatments, groups, and rows alone on all columns.

    `small_groups` are those of fewer than `k` families before anything is done about them;
    `k_reached` is 0 where nothing is grouped or nothing would leave.
    """

    recipient: str
    columns: Mapping[str, str]
    k: int = 0
    k_reached: int = 0
    small_groups: int = field(default=0, repr=False)
    unique: int = field(default=0, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Exactly who and what would leave; with `reasons`, nothing would."""

    members: Members = field(default_factory=lambda: Members(_NOBODY, _NOBODY), repr=False)
    received: int = field(default=0, repr=False)
    withheld: Mapping[str, int] = field(default_factory=dict, repr=False)
    outputs: Mapping[str, OutputPicture] = field(default_factory=dict)
    reasons: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One count before and after, rounded to ten, and the difference of what was rounded."""

    before: str
    after: str
    difference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """People or families: how many, and how many come in and go out."""

    total: Change
    gained: str
    lost: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputImpact:
    """What changes in one output; the shares are of rows that are unique, in rounded counts."""

    output: str
    recipient: str
    columns_gained: tuple[str, ...]
    columns_lost: tuple[str, ...]
    columns_changed: tuple[tuple[str, str, str], ...]
    small_groups: Change
    k_before: str
    k_after: str
    unique: Change
    share_before: str
    share_after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """What changes in a release, in bounded counts."""

    people: Moved
    families: Moved
    withheld: Mapping[str, Change]
    outputs: tuple[OutputImpact, ...]


def picture(pseudonymised: Pseudonymised, examined: Examined) -> Picture:
    """What would leave, exactly: for the sealed record and for `impact`.

    Args:
        pseudonymised: everyone who is willing, as treated.
        examined: what `assess` made of it, and what it counted.
    """
    result, small = examined.result, examined.small_groups
    if isinstance(result, TooRisky):
        outputs = {
            output.name: _output(output, small_groups=small.get(output.name, 0))
            for output in pseudonymised.plan.outputs
        }
        return Picture(received=pseudonymised.received, outputs=outputs, reasons=result.reasons)
    leaving = _leaving(result)
    return Picture(
        members=leaving.members,
        received=result.received,
        withheld={why: count for why, count in result.counts.items() if count},
        outputs={
            each.output.name: replace(
                _output(each.output, small_groups=small.get(each.output.name, 0)),
                columns=dict(each.treatments),
                k_reached=each.k_reached,
                unique=leaving.unique.get(each.output.name, 0),
            )
            for each in result.outputs
        },
    )


def impact(before: Picture, after: Picture) -> Impact:
    """What leads from one picture to the other, in bounded counts."""
    return Impact(
        people=_moved(before.members.people, after.members.people),
        families=_moved(distinct(before.members.families), distinct(after.members.families)),
        withheld={
            why: _change(before.withheld.get(why, 0), after.withheld.get(why, 0))
            for why in sorted({*before.withheld, *after.withheld})
        },
        outputs=tuple(
            _output_impact(name, before, after) for name in _names(before.outputs, after.outputs)
        ),
    )


def _names(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    return list(dict.fromkeys([*after, *before]))


def _moved(before: Marks, after: Marks) -> Moved:
    return Moved(
        total=_change(before.size, after.size),
        gained=rounded(int(np.setdiff1d(after, before, assume_unique=True).size)),
        lost=rounded(int(np.setdiff1d(before, after, assume_unique=True).size)),
    )


def _change(before: int, after: int) -> Change:
    told = rounded(before), rounded(after)
    difference = _number(told[1]) - _number(told[0])
    return Change(
        before=told[0], after=told[1], difference=f"{difference:+d}" if difference else FEW
    )


def _number(told: str) -> int:
    return 0 if told == FEW else int(told)


def _output_impact(name: str, before: Picture, after: Picture) -> OutputImpact:
    nothing = OutputPicture(recipient="", columns={})
    old, new = before.outputs.get(name, nothing), after.outputs.get(name, nothing)
    old_columns = {} if before.reasons else old.columns
    new_columns = {} if after.reasons else new.columns
    return OutputImpact(
        output=name,
        recipient=new.recipient or old.recipient,
        columns_gained=tuple(each for each in new_columns if each not in old_columns),
        columns_lost=tuple(each for each in old_columns if each not in new_columns),
        columns_changed=tuple(
            (each, old_columns[each], treat)
            for each, treat in new_columns.items()
            if old_columns.get(each, treat) != treat
        ),
        small_groups=_change(old.small_groups, new.small_groups),
        k_before=_k(old),
        k_after=_k(new),
        unique=_change(old.unique, new.unique),
        share_before=_share(old.unique, before.members.size),
        share_after=_share(new.unique, after.members.size),
    )


def _k(output: OutputPicture) -> str:
    """The k that is reached, in tens; below ten only that it is the k that is asked for."""
    if not output.k:
        return ""
    if not output.k_reached:
        return "not reached"
    floor = output.k_reached // 10 * 10
    return f"{max(floor, output.k)} or more"


def _share(unique: int, rows: int) -> str:
    """The share of unique rows in whole per cent, of counts that were rounded before."""
    some, everyone = _number(rounded(unique)), _number(rounded(rows))
    return f"{round(100 * some / everyone)} %" if everyone else ""


def _output(output: OutputPlan, *, small_groups: int) -> OutputPicture:
    return OutputPicture(
        recipient=output.recipient.id,
        columns={rule.name: rule.treat for rule in payload_columns(output)},
        k=output.limits.k if output.limits else 0,
        small_groups=small_groups,
    )


@dataclass(frozen=True, slots=True)
class _Leaving:
    """Who leaves, and how many rows of each output are alone on all of their columns."""

    members: Members = field(repr=False)
    unique: Mapping[str, int] = field(repr=False)


def _leaving(assessed: Assessed) -> _Leaving:
    marks, units = [_NOBODY], [_NOBODY]
    rows: dict[str, list[Marks]] = {}
    for frame in assessed.partitions:
        one_each = people(frame)
        marks.append(frame["mark"].to_numpy())
        units.append(frame["unit"].to_numpy())
        for output in assessed.plan.outputs:
            if names := _columns(output):
                hashes = one_each.select(names).hash_rows(_SEED).to_numpy()
                rows.setdefault(output.name, []).append(hashes)
    return _Leaving(
        members(np.concatenate(marks), np.concatenate(units)),
        {name: _alone(np.concatenate(hashes)) for name, hashes in rows.items()},
    )


def _columns(output: OutputPlan) -> list[str]:
    return [f"payload.{output.name}.{rule.name}" for rule in payload_columns(output)]


def _alone(hashes: Marks) -> int:
    return int(np.count_nonzero(np.unique(hashes, return_counts=True)[1] == 1))
