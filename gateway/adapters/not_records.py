"""What is permitted and cannot be made as a release: the web knows it without tables.

Source: docs/reference/policy.md; ADR 0280.
"""

from __future__ import annotations

from gateway.model import Plan, Reason, Refusal


def not_a_release(plan: Plan) -> Refusal:
    """Tables, answers and single disclosures are permitted, but not as a release of rows."""
    reason = Reason(
        code="sharing/not-records",
        clause=plan.clause,
        reason=f"This purpose lets out {plan.kind.value}, not rows, and only rows are made and "
        "forwarded yet. `gateway explain` says what it would let out; a purpose of kind "
        "`records` is released.",
    )
    return Refusal(reasons=(reason,), policy_digest=plan.policy_digest)
