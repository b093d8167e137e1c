"""What may leave with its clause, as the page of columns and clauses shows it.

Only what stands under an agreement in force may leave; what an agreement would let
leave that was never approved, has ended or was withdrawn is shown beside it, as such.

Source: docs/reference/policy.md, "Traceability"; UK GDPR Art 5(2).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gateway.policy import Bundle, Trace
from gateway.policy.treatments import said
from gateway.web.documents import agreement_title
from gateway.web.release_columns import recipient_title


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceRow:
    """One thing that may leave, or would if its agreement was in force, in words."""

    agreement: str
    in_force: bool
    clause: str
    column: str
    how: str
    to: str
    purpose: str
    sources: tuple[tuple[str, str], ...]


def rows(found: Sequence[Trace], bundle: Bundle, in_force: Collection[str]) -> list[TraceRow]:
    """The traces in words, those that may leave now before the others."""
    shown = [
        TraceRow(
            agreement=agreement_title(bundle, trace.agreement),
            in_force=trace.agreement in in_force,
            clause=trace.clause,
            column=trace.column,
            how=how(trace),
            to=recipient_title(bundle, trace.recipient),
            purpose=bundle.agreements[trace.agreement].purposes[trace.purpose].title,
            sources=trace.sources,
        )
        for trace in found
    ]
    return sorted(shown, key=lambda row: not row.in_force)


def told(shown: Sequence[TraceRow], *, one: bool) -> list[str]:
    """How much may leave now, and how much would.

    Args:
        shown: what was asked for.
        one: whether it was asked of a single agreement.
    """
    now = sum(row.in_force for row in shown)
    then = len(shown) - now
    under = "it" if one else "agreements that are not in force"
    sentences = []
    if now or not then:
        sentences.append(f"{_things(now)} may leave.")
    if then:
        more = f"{_things(then)} would if {'it was' if one else 'they were'} approved and in force."
        sentences.append(f"Nothing may leave under {under} now. {more}")
    return sentences


def how(trace: Trace) -> str:
    """The form in which it leaves, in plain words."""
    return "as a keyed token" if trace.kind == "token" else said(trace.treat)


def _things(count: int) -> str:
    return "1 thing" if count == 1 else f"{count:,} things"
