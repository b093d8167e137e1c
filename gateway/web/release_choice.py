"""Which releases an officer may ask for, and what each would be: decided now, nothing read.

Source: docs/reference/policy.md, "Decision"; security point 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.adapters.not_records import not_a_release
from gateway.adapters.policy_reading import DecisionInputs
from gateway.errors import UsageError
from gateway.model import Plan, Refusal
from gateway.policy import Bundle, explain
from gateway.policy.agreements import Agreement
from gateway.web.documents import decided, in_force, inputs

_KINDS = frozenset({"records", "tables"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One purpose of one agreement in force."""

    value: str
    purpose: str
    agreement: str
    title: str
    clause: str
    agreement_title: str
    version: int
    refusal: tuple[str, ...]


def choices() -> list[Choice]:
    """Every purpose that may leave as rows or tables under an agreement in force.

    Those that would be refused as things stand come with their reasons, at the end.
    """
    read = inputs()
    now = in_force(read)
    mine = (each for each in read.bundle.agreements.values() if each.id in now)
    found = [choice for agreement in mine for choice in _of(read, agreement)]
    return sorted(found, key=lambda choice: bool(choice.refusal))


def _of(read: DecisionInputs, agreement: Agreement) -> Iterator[Choice]:
    for key, purpose in agreement.purposes.items():
        if purpose.kind not in _KINDS:
            continue
        decision = decided(read, key, agreement.id)
        if isinstance(decision, Plan) and purpose.kind != "records":
            decision = not_a_release(decision)
        reasons = decision.reasons if isinstance(decision, Refusal) else ()
        yield Choice(
            value=f"{agreement.id}/{key}",
            purpose=key,
            agreement=agreement.id,
            title=purpose.title,
            clause=purpose.clause,
            agreement_title=agreement.title,
            version=agreement.version,
            refusal=tuple(reason.reason for reason in reasons),
        )


def chosen(value: str) -> Choice | None:
    """The choice that a form names, if it is one."""
    possible = (choice for choice in choices() if not choice.refusal)
    return next((choice for choice in possible if choice.value == value), None)


def sentences(decision: Plan | Refusal) -> list[str]:
    """The decision in sentences, without those about single columns: a table shows these."""
    if isinstance(decision, Refusal):
        return explain(decision)
    marks = ("is kept", "is coarsened", "is withheld: ")
    told = explain(decision, inputs().bundle.knowledge)
    return [each for each in told if not any(mark in each for mark in marks)]


def titles(bundle: Bundle, purpose: str, agreement: str) -> tuple[str, str]:
    """The titles of a purpose and its agreement, as far as the documents still have them."""
    known = bundle.agreements.get(agreement)
    if known is None:
        return purpose, agreement
    return (known.purposes[purpose].title if purpose in known.purposes else purpose), known.title


def no_such_rehearsal() -> UsageError:
    """The answer where a release is asked for that was not rehearsed."""
    return UsageError(
        "release/not-rehearsed",
        "This release was not rehearsed by you, or its rehearsal is not over.",
        remedy="Begin again with a rehearsal.",
    )
