"""A decision in plain sentences: one for each field kept, coarsened or withheld.

Source: docs/reference/policy.md, "Decision"; UK GDPR Art 12.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.model import ColumnRule, IdentifierForm, OutputPlan, Plan, Refusal
from gateway.policy.column_names import SLOT
from gateway.policy.days import told
from gateway.policy.findings import name
from gateway.policy.knowledge import Knowledge
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
    IdentifierForm.TOKENS: "match-key tokens and a random link id for this release",
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
_RETURNS = {
    "none": "nothing",
    "decision": "a decision about a person or family",
    "aggregates": "counts and findings, and nothing about a person",
    "updates": "updates to the record of a person or family",
}


def explain(decision: Plan | Refusal, knowledge: Knowledge | None = None) -> list[str]:
    """The decision, sentence by sentence.

    Args:
        decision: what was decided.
        knowledge: what titles and meanings are taken from; without it things have their ids.

    Returns:
        For a Plan: what, to whom, who is included, each field with its clause, the
        limits, how long, and each column that does not leave. For a Refusal: each reason.
    """
    if isinstance(decision, Refusal):
        return list(_refusal(decision))
    return [
        *_head(decision, knowledge),
        *_outputs(decision),
        *_after(decision, knowledge),
        *_withheld(decision),
    ]


def _refusal(decision: Refusal) -> Iterator[str]:
    yield "Nothing may be shared."
    for reason in decision.reasons:
        yield f"{reason.reason}{_clause(reason.clause)} [{reason.code}]"


def _clause(clause: str) -> str:
    return f" (clause {clause})" if clause else ""


def _head(plan: Plan, knowledge: Knowledge | None) -> Iterator[str]:
    yield (
        f"{name(plan.request.agreement)}, version {plan.agreement_version}, permits "
        f"{name(plan.request.purpose)}{_clause(plan.clause)}."
    )
    if plan.under:
        yield f"It stands under the protocol {name(plan.under)}."
    yield _bases(plan, knowledge)
    yield _people(plan, knowledge)
    for join in plan.joins:
        title = _title(join.dataset, knowledge)
        yield f"{title} is joined on {name(join.on)}, {_taken(join.take)}."
    yield _PARTICIPATION[plan.participation.value]
    yield _HOUSEHOLD[plan.household.value]


def _bases(plan: Plan, knowledge: Knowledge | None) -> str:
    """The provisions by their titles, which hold commas, each with its id."""
    known = knowledge.bases if knowledge else {}
    titles = [f"{known[key].provision} ({key})" for key in plan.legal_bases if key in known]
    titles += [key for key in plan.legal_bases if key not in known]
    said = "The legal basis is" if len(titles) == 1 else "The legal bases are"
    return f"{said} {'; '.join(titles)}."


def _people(plan: Plan, knowledge: Knowledge | None) -> str:
    conditions = [f"{column} is {_list(codes, 'or')}" for column, codes in plan.cohort.within]
    conditions += [
        f"{column} from {told(first) or 'any day'} to {told(last) or 'any day'}"
        for column, first, last in plan.cohort.between
    ]
    where = f", where {' and '.join(conditions)}" if conditions else ""
    known = knowledge.vocabulary.cohorts.get(plan.cohort.name) if knowledge else None
    cohort = f'"{known.meaning.rstrip(".")}"' if known else name(plan.cohort.name)
    return f"The people are {cohort} of {_title(plan.cohort.dataset, knowledge)}{where}."


def _title(dataset: str, knowledge: Knowledge | None) -> str:
    contract = knowledge.contracts.get(dataset) if knowledge else None
    return f'"{contract.title}"' if contract else name(dataset)


def _taken(take: str) -> str:
    """Which rows of a joined dataset count."""
    if take == "one":
        return "one row for each person"
    wide = take.partition(":")[2]
    return f"one column for each {wide}" if wide else "the newest row of each person"


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
            yield (
                f"Each row of tokens carries {name(SLOT)}: the number of the spelling of a name "
                f"that it is made from{_clause(output.clause)}."
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
    at = f" at {told(column.at)}" if column.at is not None else ""
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


def _after(plan: Plan, knowledge: Knowledge | None) -> Iterator[str]:
    days = plan.link_map_until.removeprefix("receipt+").removesuffix("d")
    until = f"{days} days after receipt" if days.isdigit() else f"on {told(plan.link_map_until)}"
    yield f"It is destroyed by {told(plan.retain_until)}; the map of link ids {until}."
    yield f"Coming back is allowed: {_RETURNS.get(plan.returns, plan.returns)}."
    known = knowledge.vocabulary.duties if knowledge else {}
    duties = " ".join(known.get(duty, f"{name(duty)}.") for duty in plan.duties)
    yield f"Duties: {duties or 'none.'}"
    yield from plan.warnings


def _withheld(plan: Plan) -> Iterator[str]:
    for each in plan.not_sent:
        yield (
            f"{name(each.column)} of {name(each.dataset)} is withheld: "
            f"{each.reason}{_clause(each.clause)}"
        )


def _list(words: Iterable[str], joined: str = "and") -> str:
    *most, last = list(words) or ["none"]
    return f"{', '.join(most)} {joined} {last}" if most else last


def _runs(tokens: tuple[str, ...]) -> str:
    """T01 to T39 rather than thirty-nine names, where they run without a gap."""
    numbers = [int(token[1:]) for token in tokens if token[1:].isdigit()]
    rest = [token for token in tokens if not token[1:].isdigit()]
    if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return _list([f"T{numbers[0]:02d} to T{numbers[-1]:02d}", *rest])
    return _list(tokens)
