"""Who may be shared: the cohort, without everyone who has said no or was not asked.

Nobody is deleted and nobody is judged here: a person is withheld for a reason
that is counted, or goes on. What is doubtful waits for a human; the rest goes on.
Relatives beside the cohort end here: their "no" holds their family, and nothing counts them.

Source: UK GDPR Art 7(3), Art 21; privacy notices, "you can opt out at any time";
docs/explanation/objections.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import polars as pl

from gateway.model import ColumnRule, Participation, Plan, Withheld
from gateway.model.reading import shared_out
from gateway.model.stages import Again, Cohort, Partitions, Willing, last_reading, narrowed
from gateway.objections.compare import PREFIX, compare, merge_hits
from gateway.objections.household import household_effect, without_relatives
from gateway.objections.register import Register, empty_register
from gateway.objections.resolve import Resolution, decide, resolve


def honour(
    cohort: Cohort, register: Register, *, doubts: Callable[[pl.DataFrame], None] | None = None
) -> Willing:
    """Leave out everyone who may not be shared, and what follows for their families.

    Args:
        cohort: `person`, `family`, `std.ELEMENT`, `spine.participation` and the
            source columns; partitions hold whole families.
        register: opened for this purpose and controller.
        doubts: takes the queue for a human: `sequence`, `match`, `because`; no person.

    Returns:
        The same people without the withheld ones; `counts` by reason, `doubtful`
        the number of people queued for a human, relatives beside the cohort with them.
    """
    resolution = resolution_of(cohort, register)
    if doubts is not None:
        doubts(resolution.doubtful.select("sequence", "match", "because"))
    willing = _WillingOnes(cohort.partitions, resolution, cohort.plan)
    return Willing(
        plan=cohort.plan,
        partitions=willing,
        received=cohort.received,
        counts=WithheldCounts(willing),
        doubtful=resolution.doubtful["person"].n_unique(),
        register_sequence=register.sequence,
    )


def for_version(willing: Willing, plan: Plan) -> Willing:
    """The same people for one of several plans whose columns were read together.

    Others may read them again: nobody's room is given back while one reads.

    Args:
        willing: honoured under a plan that asks for the columns of all.
        plan: one of those; it leaves out the same people (`alike`).
    """
    return replace(willing, plan=plan, partitions=Again(willing.partitions))


def resolution_of(cohort: Cohort, register: Register) -> Resolution:
    """Compare the whole cohort with the register; also what the human queue is made from."""
    participation = cohort.plan.participation
    compared = empty_register() if participation is Participation.STATUTORY else register
    told = narrowed(cohort.partitions, _is_told)
    hits = list(shared_out(told, partial(compare, register=compared)))
    nobody = pl.DataFrame(schema={"person": pl.String, "std.dob": pl.String})
    merged = merge_hits(hits or [compare(nobody, empty_register())])
    return resolve(merged, compared, participation=participation)


def overridden(cohort: Cohort, register: Register) -> int:
    """How many people of a cohort have certainly said no, though the law does not ask them here.

    Nobody is withheld for it: it is counted, so that what the law overrides is seen.
    """
    hits = merge_hits(compare(frame, register) for frame in cohort.partitions)
    resolution = resolve(hits, register, participation=Participation.OBJECTION)
    said = (decide(frame, resolution) for frame in cohort.partitions)
    return sum(int(reasons.is_in([*_SAID_NO]).sum()) for reasons in said)


_SAID_NO = (Withheld.OBJECTED.value, Withheld.OPTED_OUT.value)


def _is_told(name: str) -> bool:
    """Whether a column says who somebody is."""
    return name == "person" or name.startswith(PREFIX)


@dataclass(frozen=True, slots=True)
class _WillingOnes:
    """Partitions of the cohort without the withheld, decided as they are read."""

    source: Partitions = field(repr=False)
    resolution: Resolution
    plan: Plan
    counted: list[Counter[str]] = field(default_factory=list, repr=False)

    def __iter__(self) -> Iterator[pl.DataFrame]:
        return self._staying(iter(self.source))

    def last(self) -> Iterator[pl.DataFrame]:
        """The same people for the last time."""
        return self._staying(last_reading(self.source))

    def _staying(self, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        counted: Counter[str] = Counter()
        for frame, reasons in self._decided(frames):
            counted.update(dict(reasons.drop_nulls().value_counts().iter_rows()))
            yield frame.filter(reasons.is_null())
        self.counted[:] = [counted]

    def _decided(self, frames: Iterator[pl.DataFrame]) -> Iterator[tuple[pl.DataFrame, pl.Series]]:
        for frame in frames:
            people, reasons = without_relatives(frame, decide(frame, self.resolution))
            yield household_effect(
                people,
                reasons,
                household=self.plan.household,
                rules=_rules(self.plan),
            )


@dataclass(frozen=True, slots=True, eq=False)
class WithheldCounts(Mapping[str, int]):
    """How many people are withheld for which reason: noted by whoever reads them to the end.

    Nobody has to read the cohort once more only to count; who asks before, reads it.
    """

    willing: _WillingOnes = field(repr=False)

    def _known(self) -> Counter[str]:
        if not self.willing.counted:
            for _frame in self.willing:
                pass
        return self.willing.counted[0]

    def __getitem__(self, reason: str) -> int:
        return dict(self._known())[reason]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known())

    def __len__(self) -> int:
        return len(self._known())


def _rules(plan: Plan) -> list[ColumnRule]:
    return [rule for output in plan.outputs for rule in output.columns]
