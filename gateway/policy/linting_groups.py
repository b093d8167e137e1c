"""Whether the groups that an output promises can be reached by the people who are stored.

The decision knows columns, not people. What each extract's checks have counted (rows,
and how often each code stands in a coded column) is enough to say, before anybody is
selected, that a value is too rare or that there are too many groups. It is an upper
bound: rows are no fewer than families. The preview counts exactly.

Source: docs/reference/policy.md, "Disclosure limits"; UK GDPR Arts 5(1)(c), 25.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.model import Limits, Role
from gateway.model.rounding import rounded
from gateway.policy.findings import name
from gateway.policy.limits import limits_of
from gateway.policy.matter import Delivery, Matter
from gateway.policy.remarks import Remark, Weight
from gateway.policy.resolving import Resolved, find_column

# How many values the date of birth of a population can take in each form.
BIRTHS: Mapping[str, int] = {
    "age-band-10": 8,
    "age-band-5": 16,
    "age": 80,
    "year": 80,
    "quarter": 320,
    "month": 960,
    "week-of-birth": 4_160,
    "keep": 29_200,
}
REMEDY = "Coarsen a key variable or take one out; the preview counts who would be left out."


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What the checks counted in the newest extracts of a dataset: rows, and codes by column."""

    rows: int
    codes: Mapping[str, Mapping[str, int]]


def groups_out_of_reach(matter: Matter, stored: Mapping[str, Stored]) -> Iterator[Remark]:
    """Remarks on outputs of rows whose key variables this population cannot fill."""
    people = stored.get(matter.purpose.spine)
    if people is None or matter.purpose.kind != "records":
        return
    rows = _chosen(matter, people)
    for delivery in matter.deliveries:
        limits = limits_of(matter, delivery)
        if limits is None:
            continue
        keys = [rule for rule in delivery.rules if set(rule.names) & set(limits.key_variables)]
        for rule in keys:
            yield from _too_rare(matter, rule, limits, stored)
        groups = math.prod(_values(rule, stored) for rule in keys)
        yield from _too_many(matter, delivery, limits, groups, rows)


def _chosen(matter: Matter, people: Stored) -> int:
    """The most rows that the cohort can choose."""
    contract = matter.knowledge.contracts.get(matter.purpose.spine)
    most = people.rows
    for word, wanted in (matter.cohort.where if matter.cohort else {}).items():
        column = find_column(contract, word) if contract else None
        counted = people.codes.get(column.name) if column else None
        if counted is not None and isinstance(wanted, (str, tuple)):
            codes = (wanted,) if isinstance(wanted, str) else wanted
            most = min(most, sum(counted.get(code, 0) for code in codes))
    return most


def _too_rare(
    matter: Matter, rule: Resolved, limits: Limits, stored: Mapping[str, Stored]
) -> Iterator[Remark]:
    counted = _counted(rule, stored)
    rare = sum(0 < count < limits.k for count in counted.values())
    if rule.rule.treat == "keep" and rare:
        yield _remark(
            matter,
            "lint/value-too-rare",
            rule.rule.clause,
            f"{name(rule.name)} has {'values that stand' if rare > 1 else 'a value that stands'} "
            f"in fewer than k = {limits.k} of the rows stored: whoever has it cannot be sent.",
        )


def _too_many(
    matter: Matter, delivery: Delivery, limits: Limits, groups: int, rows: int
) -> Iterator[Remark]:
    if rows >= groups * limits.k:
        return
    about = f"about {rounded(rows)}" if rows >= 10 else "fewer than 10"
    yield _remark(
        matter,
        "lint/k-out-of-reach",
        delivery.output.clause,
        f"The key variables of {name(delivery.name)} ({', '.join(limits.key_variables)}) can form "
        f"{groups} groups or more, and {about} rows are stored: fewer than k = {limits.k} to each.",
    )


def _counted(rule: Resolved, stored: Mapping[str, Stored]) -> Mapping[str, int]:
    held = stored.get(rule.contract.id)
    return held.codes.get(rule.column.name, {}) if held else {}


def _values(rule: Resolved, stored: Mapping[str, Stored]) -> int:
    """The least number of values that the columns of a rule can take together."""
    treat, _, number = rule.rule.treat.partition(":")
    if treat in {"flag", "threshold"}:
        values = 2
    elif treat == "band":
        values = _bands(rule, [int(bound) for bound in number.split(",")])
    elif rule.column.role is Role.DATE_OF_BIRTH:
        values = BIRTHS.get(treat, 1)
    elif treat == "keep":
        values = sum(count > 0 for count in _counted(rule, stored).values())
    else:
        values = 1
    return max(values, 1)


def _bands(rule: Resolved, bounds: list[int]) -> int:
    """How many bands the column's agreed numbers reach: below the first bound, then from each."""
    low = -math.inf if rule.column.minimum is None else rule.column.minimum
    high = math.inf if rule.column.maximum is None else rule.column.maximum
    edges = [-math.inf, *bounds, math.inf]
    return sum(low < end and start <= high for start, end in itertools.pairwise(edges))


def _remark(matter: Matter, code: str, clause: str, sentence: str) -> Remark:
    return Remark(
        weight=Weight.WARNING,
        code=code,
        agreement=matter.request.agreement,
        purpose=matter.request.purpose,
        clause=clause,
        sentence=sentence,
        remedy=REMEDY,
    )
