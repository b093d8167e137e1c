"""What one output may carry once it was judged: its treatments and, where few, its values.

Source: docs/reference/policy.md; security point 18.
"""

from __future__ import annotations

import polars as pl

from gateway.disclosure.judge import Verdict
from gateway.disclosure.profile import Profile
from gateway.disclosure.shape import Coarser, Shape, payload_columns
from gateway.model import OutputPlan
from gateway.model.stages import AssessedOutput


def output_allowed(
    output: OutputPlan,
    verdict: Verdict | None,
    shape: Shape | None,
    *,
    coarser: Coarser,
    seen: Profile,
) -> AssessedOutput:
    """Say what an output may carry.

    Args:
        output: as planned.
        verdict: what is done about its groups; None where it has no limits.
        shape: how it forms groups; None where it has no limits.
        coarser: gives an already treated column in a coarser treatment.
        seen: the values that each column holds, where they are few.
    """
    level = verdict.level if verdict else 0
    treats = (
        shape.treatments(level)
        if shape
        else {rule.name: rule.treat for rule in payload_columns(output)}
    )
    return AssessedOutput(
        output=output,
        k_reached=verdict.k_reached if verdict else 0,
        treatments=treats,
        values=_values(output, shape, level, coarser, seen),
    )


def _values(
    output: OutputPlan, shape: Shape | None, level: int, coarser: Coarser, seen: Profile
) -> dict[str, frozenset[str]]:
    """The values each column may hold at the last gate, where they are few."""
    allowed: dict[str, frozenset[str]] = {}
    for rule in payload_columns(output):
        column = f"payload.{output.name}.{rule.name}"
        values = seen.values.get(column)
        if values is None:
            continue
        frame = pl.DataFrame({column: pl.Series([*values], strict=False)})
        value = shape.value(rule.name, level, coarser) if shape else pl.col(column)
        texts = frame.select(value.cast(pl.String)).to_series().drop_nulls()
        allowed[rule.name] = frozenset(texts.to_list())
    return allowed
