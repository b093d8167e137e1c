"""May each column leave as it is written? Prohibited, direct, hashed alone, beyond the notice?

Source: UK GDPR Art 5(1)(b), (c); docs/reference/policy.md, "Semantics".
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.model import FieldClass, Reason, Role
from gateway.policy.agreements import CLASS_PREFIX
from gateway.policy.findings import name
from gateway.policy.matter import Delivery, Matter
from gateway.policy.resolving import Resolved
from gateway.policy.token_names import carried_fields, expanded

# Whom clear identifiers may reach where no research is done with them.
OPERATIONAL = frozenset(
    {
        "linkage-unit",
        "council-team",
        "relevant-authority",
        "acting-for-relevant-authority",
        "safeguarding-authority",
        "government-department",
        "partner-agency",
        "data-subject",
    }
)

# Identifiers whose values stand in public lists or are few; roles that are opaque numbers.
LISTABLE = frozenset({"name", "address", "date_of_birth", "sex"})
PARTICIPATION = frozenset({"participation", "participation_date"})
THEMSELVES = frozenset({"data-subject", "synthetic"})
OPAQUE = frozenset({Role.PERSON_ID, Role.FAMILY_ID, Role.NHS_NUMBER, Role.UPN, Role.NINO})


def not_allowed(matter: Matter) -> Iterator[Reason]:
    """Reasons from what the outputs carry and in which form."""
    for delivery in matter.deliveries:
        yield from _prohibited(matter, delivery)
        yield from _form(matter, delivery)
        yield from _clear(matter, delivery)
        yield from _kind(matter, delivery)
        for rule in delivery.rules:
            yield from _column(delivery, rule)
            yield from _recomputed(rule)
            yield from _protecting(matter, delivery, rule)


def _prohibited(matter: Matter, delivery: Delivery) -> Iterator[Reason]:
    prohibitions = matter.prohibitions()
    for rule in delivery.rules:
        words = rule.words | {CLASS_PREFIX + rule.entry.class_}
        for word in sorted(words & set(prohibitions)):
            yield Reason(
                code="policy/prohibited",
                clause=prohibitions[word].clause,
                reason=f"{name(word)} never leaves, whatever permits it: column {name(rule.name)}.",
            )
    for token in expanded(delivery.output.tokens or ()):
        carried = carried_fields(token, slots=delivery.output.slots)
        fields = carried | {
            CLASS_PREFIX + matter.knowledge.vocabulary.fields[field].class_
            for field in carried
            if field in matter.knowledge.vocabulary.fields
        }
        for word in sorted(fields & set(prohibitions)):
            yield Reason(
                code="policy/prohibited",
                clause=prohibitions[word].clause,
                reason=f"{name(word)} never leaves, whatever permits it: token {name(token)}.",
            )


def _column(delivery: Delivery, rule: Resolved) -> Iterator[Reason]:
    clause, treat = rule.rule.clause, rule.rule.treat
    direct = rule.entry.field_class is FieldClass.DIRECT
    if direct and treat == "keep" and delivery.output.identifiers != "sealed-clear":
        yield Reason(
            code="policy/direct-identifier",
            clause=clause,
            reason=f"{name(rule.field)} is a direct identifier: it may leave as a token, pseudonym "
            'or under "sealed-clear", which needs its own approval.',
        )
    if treat == "pseudonym" and _guessable(rule):
        yield Reason(
            code="policy/low-cardinality-hash",
            clause=clause,
            reason=f"{name(rule.field)} has few values, or values that anyone can list: hashed "
            "alone it can be guessed. Coarsen it, or leave it out.",
        )


def _recomputed(rule: Resolved) -> Iterator[Reason]:
    """A family's value is made anew without the member who stays out, or does not leave."""
    if rule.entry.level == "family" and not rule.entry.combine:
        yield Reason(
            code="policy/family-value-not-combinable",
            clause=rule.rule.clause,
            reason=f"{name(rule.field)} is about a family, and nothing says how it is made anew "
            "without one member: give it `combine` in the vocabulary, or leave it out.",
        )


def _protecting(matter: Matter, delivery: Delivery, rule: Resolved) -> Iterator[Reason]:
    """What protects people tells of them: it stays, but for what a person said themselves."""
    themselves = matter.purpose.kind == "answer" and delivery.classes <= THEMSELVES
    guarded = rule.field == "protected" or rule.column.name == rule.contract.protected_column
    if guarded or (rule.field in PARTICIPATION and not themselves):
        yield Reason(
            code="policy/protection-field",
            clause=rule.rule.clause,
            reason=f"{name(rule.field)} is kept to protect people and never leaves: remove it.",
        )


def _guessable(rule: Resolved) -> bool:
    return (
        rule.entry.low_cardinality
        or rule.entry.identifier in LISTABLE
        or (rule.column.role is not None and rule.column.role not in OPAQUE)
        or rule.entry.field_class is not FieldClass.DIRECT
        or rule.column.type != "text"
        or bool(rule.column.codes)
    )


def _form(matter: Matter, delivery: Delivery) -> Iterator[Reason]:
    output = delivery.output
    if output.identifiers == "tokens" and output.fields:
        yield Reason(
            code="policy/linkage-with-payload",
            clause=output.clause,
            reason="A linkage file holds tokens without attributes; put fields in another output.",
        )
    if output.identifiers != "tokens" and not output.fields:
        yield Reason(
            code="policy/nothing-to-send",
            clause=output.clause,
            reason=f"Output {name(delivery.name)} has no field.",
        )
    if matter.purpose.kind != "records" or output.identifiers in {"tokens", "sealed-clear"}:
        return
    if output.disclosure is None:
        yield Reason(
            code="policy/no-disclosure-limits",
            clause=output.clause,
            reason=f"Output {name(delivery.name)} leaves rows and has no `disclosure` limits.",
        )


def _clear(matter: Matter, delivery: Delivery) -> Iterator[Reason]:
    output = delivery.output
    if output.identifiers != "sealed-clear":
        return
    approval = output.approval
    if approval is None or approval.approved > matter.on:
        yield Reason(
            code="policy/clear-not-approved",
            clause=output.clause,
            reason="Identifiers in the clear need an approval of their own (`approval`).",
        )
    allowed = frozenset({"linkage-unit"}) if matter.research else OPERATIONAL
    if not delivery.classes & allowed:
        yield Reason(
            code="policy/clear-recipient",
            clause=output.clause,
            reason=f"Identifiers in the clear may not go to {name(output.recipient)}: "
            f"for this purpose only to a recipient of class {_listed(allowed)}.",
        )
    facts = [r for r in delivery.rules if not (r.entry.identifier or _is_direct(r))]
    if matter.research and facts:
        yield Reason(
            code="policy/linkage-with-payload",
            clause=output.clause,
            reason="Identifiers in the clear leave for research in a package of their own.",
        )


def _listed(classes: frozenset[str]) -> str:
    *most, last = sorted(classes)
    return f"{', '.join(most)} or {last}" if most else last


def _is_direct(rule: Resolved) -> bool:
    return rule.entry.field_class is FieldClass.DIRECT


def _kind(matter: Matter, delivery: Delivery) -> Iterator[Reason]:
    kind, output = matter.purpose.kind, delivery.output
    if kind == "tables" and (output.identifiers != "none" or not output.tables):
        yield Reason(
            code="policy/tables-only",
            clause=output.clause,
            reason='A purpose of tables names `tables` and has `identifiers = "none"`.',
        )
    if kind != "tables" and output.tables:
        yield Reason(
            code="policy/tables-only",
            clause=output.clause,
            reason="Tables leave only for a purpose of that kind.",
        )
    if kind == "answer" and output.identifiers not in {"none", "sealed-clear"}:
        yield Reason(
            code="policy/answer-only",
            clause=output.clause,
            reason="An answer carries no file of tokens.",
        )
    if kind == "tables" and output.disclosure is None:
        yield Reason(
            code="policy/no-disclosure-limits",
            clause=output.clause,
            reason=f"Output {name(delivery.name)} leaves tables and has no `disclosure` limits.",
        )
