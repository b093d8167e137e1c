"""What a release answers: why nothing may leave, or what would leave, in rounded counts.

Source: docs/reference/commands.md; security point 19.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.model import Plan, Reason
from gateway.model.rounding import rounded
from gateway.model.stages import Assessed, TooRisky
from gateway.sealing.packing import SLOT, identifier_columns
from gateway.workflows.sharing import Outcome


def reasons_of(plan: Plan, found: TooRisky) -> list[Reason]:
    """The reasons of the disclosure check, under the purpose's clause."""
    return [Reason(code=code, clause=plan.clause, reason=said) for code, said in found.reasons]


def would_share(
    plan: Plan, assessed: Assessed | TooRisky, *, warnings: tuple[str, ...] = ()
) -> Outcome:
    """The answer of a preview: every count rounded to 10, "<10" below."""
    if isinstance(assessed, TooRisky):
        return refused(plan, reasons_of(plan, assessed), state="would-refuse")
    return Outcome(
        state="would-forward",
        request=plan.request,
        policy_digest=plan.policy_digest,
        received=rounded(assessed.received),
        forwarded=rounded(assessed.rows),
        withheld={why: rounded(count) for why, count in assessed.counts.items() if count},
        warnings=(*plan.warnings, *warnings),
        columns=columns_of(plan),
    )


def refused(
    plan: Plan, reasons: Sequence[Reason], *, state: str = "refused", release: str = ""
) -> Outcome:
    """The answer when an output is too risky."""
    return Outcome(
        state=state,
        request=plan.request,
        release=release,
        policy_digest=plan.policy_digest,
        refusal=reasons,
    )


def columns_of(plan: Plan) -> dict[str, tuple[str, ...]]:
    """The columns that each output carries."""
    return {
        output.name: (
            *identifier_columns(output)[:1],
            *((SLOT,) if output.tokens else ()),
            *identifier_columns(output)[1:],
            *(rule.name for rule in output.columns),
        )
        for output in plan.outputs
    }
