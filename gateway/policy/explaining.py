"""A decision in plain sentences: one for each field kept, coarsened or withheld.

Source: docs/reference/policy.md, "Decision"; UK GDPR Art 12.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.model import ColumnRule, IdentifierForm, OutputPlan, Plan, Refusal
from gateway.policy.findings import name
from gateway.policy.treatments import said

_PARTICIPATION = {
    "consent": "Only people who have agreed are included.",
    "opt-out": "Everyone is included who has not opted out.",
    "objection": "Everyone is included whose objection does not stand.",
    "statutory": "The law gives no opt-out for this purpose.",
}
_HOUSEHOLD = {
    "drop-person": "If one member is left out, the others stay, without that member's evidence.",
    "drop-family": "If one member is left out, the whole family is left out.",
}
_IDENTIFIERS = {
    IdentifierForm.TOKENS: "match-key tokens only",
    IdentifierForm.SEALED_CLEAR: "identifiers in the clear, sealed to it alone",
    IdentifierForm.LINK_ID: "a random link id for this release",
    IdentifierForm.PSEUDONYM: "a pseudonym made for it alone",
    IdentifierForm.NONE: "nothing that says who a row is about",
}
_SMALL = {
    "suppress": "people of smaller groups are left out",
    "coarsen": "smaller groups are made coarser",
    "refuse": "with any smaller group nothing leaves",
}


def explain(decision: Plan | Refusal) -> list[str]:
    """The decision, sentence by sentence.

    Returns:
        For a Plan: what, to whom, who is included, each field with its clause, the
        limits, how long, and each column that does not leave. For a Refusal: each reason.
    """
    if isinstance(decision, Refusal):
        return list(_refusal(decision))
    return [*_head(decision), *_outputs(decision), *_after(decision), *_withheld(decision)]


def _refusal(decision: Refusal) -> Iterator[str]:
    yield "Nothing may be shared."
    for reason in decision.reasons:
        yield f"{reason.reason}{_clause(reason.clause)} [{reason.code}]"


def _clause(clause: str) -> str:
    return f" (clause {clause})" if clause else ""


def _head(plan: Plan) -> Iterator[str]:
    yield (
        f"{name(plan.request.agreement)}, version {plan.agreement_version}, permits "
        f"{name(plan.request.purpose)}{_clause(plan.clause)}."
    )
    if plan.under:
        yield f"It stands under the protocol {name(plan.under)}."
    yield f"The legal bases are {_list(plan.legal_bases)}."
    conditions = [f"{column} in {_list(codes)}" for column, codes in plan.cohort.within]
    conditions += [
        f"{c} from {a or 'any day'} to {b or 'any day'}" for c, a, b in (plan.cohort.between)
    ]
    where = f", where {' and '.join(conditions)}" if conditions else ""
    yield f"The people are {name(plan.cohort.name)} of {name(plan.cohort.dataset)}{where}."
    for join in plan.joins:
        yield f"{name(join.dataset)} is joined on {name(join.on)} ({join.take})."
    yield _PARTICIPATION[plan.participation.value]
    yield _HOUSEHOLD[plan.household.value]


def _outputs(plan: Plan) -> Iterator[str]:
    for output in plan.outputs:
        yield (
            f"{name(output.recipient.id)} ({output.recipient.team}, "
            f"{output.recipient.organisation}) gets {name(output.name)} with "
            f"{_IDENTIFIERS[output.identifiers]}{_clause(output.clause)}."
        )
        if output.tokens and output.key:
            yield (
                f"Its tokens are {_runs(output.tokens)}, made with the key of study "
                f"{name(output.key.study)}, epoch {name(output.key.epoch)}{_clause(output.clause)}."
            )
        for column in output.columns:
            yield _column(column, output)
        for table in output.tables:
            yield (
                f"{name(output.name)} has a table {name(table.name)} of {table.count} by "
                f"{_list(table.by)}, rounded to {table.round_to}{_clause(table.clause)}."
            )
        yield from _limits(output)


def _column(column: ColumnRule, output: OutputPlan) -> str:
    at = f" at {column.at}" if column.at is not None else ""
    came = "" if column.name == column.column else f", from {column.column} of {column.dataset},"
    wave = f" at wave {column.wave}" if column.wave else ""
    family = " for the family" if column.level == "family" else ""
    verb = "is kept" if column.treat == "keep" else "is coarsened"
    return (
        f"{name(column.name)}{came}{wave} {verb}{family}: it leaves {said(column.treat)}{at} for "
        f"{name(output.recipient.id)}{_clause(column.clause)}."
    )


def _limits(output: OutputPlan) -> Iterator[str]:
    limits = output.limits
    if limits is None:
        return
    by = f" by {_list(limits.key_variables)}" if limits.key_variables else ""
    yield (
        f"In {name(output.name)} each group{by} holds {limits.k} families or more; "
        f"{_SMALL[limits.on_small_group.value]}."
    )
    for column, least in limits.l_values:
        yield f"In each group {name(column)} has {least} values or more."
    for column, clause in limits.not_key:
        yield f"{name(column)} does not count as a key variable{_clause(clause)}."


def _after(plan: Plan) -> Iterator[str]:
    yield f"It is destroyed by {plan.retain_until}; the map of link ids at {plan.link_map_until}."
    yield f"Coming back is allowed: {plan.returns}. Duties: {_list(plan.duties)}."
    yield from plan.warnings


def _withheld(plan: Plan) -> Iterator[str]:
    for each in plan.not_sent:
        yield (
            f"{name(each.column)} of {name(each.dataset)} is withheld: "
            f"{each.reason}{_clause(each.clause)}"
        )


def _list(words: Iterable[str]) -> str:
    *most, last = list(words) or ["none"]
    return f"{', '.join(most)} and {last}" if most else last


def _runs(tokens: tuple[str, ...]) -> str:
    """T01 to T39 rather than thirty-nine names, where they run without a gap."""
    numbers = [int(token[1:]) for token in tokens if token[1:].isdigit()]
    rest = [token for token in tokens if not token[1:].isdigit()]
    if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return _list([f"T{numbers[0]:02d} to T{numbers[-1]:02d}", *rest])
    return _list(tokens)
