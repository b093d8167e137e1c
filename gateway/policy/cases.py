"""Run the cases: does each request get the decision that its governance lead expects?

Source: docs/reference/policy.md, "Cases".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.model import Plan, Refusal, SharingRequest
from gateway.policy.bundle import Bundle, build_agreement
from gateway.policy.casebook import Case
from gateway.policy.decision import expected
from gateway.policy.findings import name
from gateway.policy.reading import Tree

# What is to be done with a case that an earlier or a later version was written for.
_OUT_OF_TERM = {
    "sharing/agreement-not-begun": "Its day is before the agreement's first: give it a later day.",
    "sharing/agreement-ended": "Its day is after the agreement's last: give it an earlier day.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One case and what came of it; `faults` is empty where it came as expected."""

    document: str
    name: str
    agreement: str
    purpose: str
    expected: str
    outcome: str
    reasons: tuple[str, ...]
    faults: tuple[str, ...]

    @property
    def held(self) -> bool:
        """Whether the decision is the one expected."""
        return not self.faults


def run_cases(bundle: Bundle, agreement: str = "") -> tuple[CaseResult, ...]:
    """The result of every case of every book, or of those of one agreement, in the order written.

    A case is decided without approvals and keys: it is about the documents.
    """
    return tuple(
        run_case(bundle, document, case)
        for document, book in sorted(bundle.casebooks.items())
        for case in book.cases
        if agreement in {"", case.agreement}
    )


def cases_by_name(bundle: Bundle) -> dict[str, Case]:
    """Each case of every book."""
    return {case.name: case for book in bundle.casebooks.values() for case in book.cases}


def run_case(bundle: Bundle, document: str, case: Case) -> CaseResult:
    """The result of one case."""
    request = SharingRequest(purpose=case.purpose, agreement=case.agreement)
    changed, refused = _changed(bundle, case)
    decision: Plan | Refusal | None = None
    if not refused:
        decision = expected(request, changed, on=case.on)
        refused = _codes(decision)
    permitted = isinstance(decision, Plan)
    return CaseResult(
        document=document,
        name=case.name,
        agreement=case.agreement,
        purpose=case.purpose,
        expected=case.expect,
        outcome="permit" if permitted else "refuse",
        reasons=refused,
        faults=tuple(_faults(case, decision, permitted, refused)),
    )


def _codes(decision: Plan | Refusal) -> tuple[str, ...]:
    if isinstance(decision, Plan):
        return ()
    return tuple(sorted({reason.code for reason in decision.reasons}))


def _changed(bundle: Bundle, case: Case) -> tuple[Bundle, tuple[str, ...]]:
    """The bundle with the case's change to its agreement, or why that does not load."""
    tree = bundle.trees.get(case.agreement)
    if tree is None or not (case.change or case.remove):
        return bundle, ()
    changed = _merged(tree, case.change)
    for path in case.remove or ():
        changed = _without(changed, tuple(path.split(".")))
    same = _purposes_as_before(tree, changed)
    agreement, findings = build_agreement(case.agreement, changed, bundle.knowledge, sound=same)
    if agreement is None:
        return bundle, tuple(sorted({finding.code for finding in findings}))
    agreements = {**bundle.agreements, case.agreement: agreement}
    return replace(bundle, agreements=agreements), ()


def _purposes_as_before(tree: Tree, changed: Tree) -> list[str]:
    before, after = (each.get("purposes") for each in (tree, changed))
    if not isinstance(before, dict) or not isinstance(after, dict):
        return []
    return [key for key, purpose in after.items() if before.get(key) == purpose]


def _merged(tree: Tree, change: Mapping[str, Any]) -> Tree:
    merged = dict(tree)
    for key, value in change.items():
        old = merged.get(key)
        both = isinstance(value, Mapping) and isinstance(old, dict)
        merged[key] = _merged(old or {}, value) if both else value
    return merged


def _without(tree: Tree, path: tuple[str, ...]) -> Tree:
    if len(path) == 1:
        return {key: value for key, value in tree.items() if key != path[0]}
    inner = tree.get(path[0])
    if not isinstance(inner, dict):
        return tree
    return {**tree, path[0]: _without(inner, path[1:])}


def _faults(
    case: Case, decision: Plan | Refusal | None, permitted: bool, codes: tuple[str, ...]
) -> list[str]:
    faults = []
    if permitted != (case.expect == "permit"):
        told = {"permit": "to be permitted", "refuse": "to be refused"}
        was = "It is permitted" if permitted else "It is refused"
        faults.append(f"{was}, and was expected {told[case.expect]}.")
        faults += [_OUT_OF_TERM[code] for code in codes if code in _OUT_OF_TERM and not permitted]
    faults += [f"The reason {name(r)} is not given." for r in case.reasons or () if r not in codes]
    if isinstance(decision, Plan):
        sent = {
            output.recipient.id: sent_to(decision, output.recipient.id)
            for output in decision.outputs
        }
        for recipient, columns in sorted(case.sends.items()):
            if sorted(columns) != sorted(sent.get(recipient, ())):
                faults.append(f"Other columns than expected go to {name(recipient)}.")
    return faults


def sent_to(plan: Plan, recipient: str) -> tuple[str, ...]:
    """The columns and tokens that one recipient gets."""
    return tuple(
        word
        for output in plan.outputs
        if output.recipient.id == recipient
        for word in (*output.tokens, *(column.name for column in output.columns))
    )
