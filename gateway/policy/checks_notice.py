"""Does anything go beyond the promises that people were given?

The notice says in what state data leave, which identifiers are used and what
they are linked with. An output beyond it is refused, whoever agreed to it.

Source: UK GDPR Arts 5(1)(a), 13, 14; the councils' privacy notices.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.model import FieldClass, Reason
from gateway.policy.agreements import Notice
from gateway.policy.findings import name
from gateway.policy.matter import Delivery, Matter
from gateway.policy.token_names import expanded, identifier_of, token_fields

STATES = ("anonymous", "de-identified", "pseudonymised", "identified")
_FACTS = frozenset({FieldClass.SPECIAL_CATEGORY, FieldClass.CRIMINAL})


def beyond_notice(matter: Matter) -> Iterator[Reason]:
    """Reasons from the notice of the purpose; without one nothing about a person leaves."""
    notice, clause = matter.purpose.notice, matter.purpose.clause
    if notice is None:
        if matter.personal:
            yield Reason(
                code="policy/no-notice",
                clause=clause,
                reason="People were told nothing about this purpose: it has no `notice`.",
            )
        return
    yield from _linked(notice, matter.purpose.linked_with or (), clause)
    for delivery in matter.deliveries:
        clause = delivery.output.clause
        yield from _linked(notice, delivery.output.linked_with or (), clause)
        yield from _state(matter, notice, delivery)
        yield from _tokens(notice, delivery)
        yield from _fields(notice, delivery)


def state_of(matter: Matter, delivery: Delivery) -> str:
    """In what state an output leaves: the words of the notice.

    Clear identifiers that only a linkage unit sees, in a package of their own, are
    de-identified by it; anywhere else they are identified. A pseudonym, of the unit or
    in a column, is the same in every release, so that it follows a person.
    """
    form = delivery.output.identifiers
    if form == "sealed-clear" and "linkage-unit" not in delivery.classes:
        return "identified"
    if form == "pseudonym" or any(rule.rule.treat == "pseudonym" for rule in delivery.rules):
        return "pseudonymised"
    return "anonymous" if matter.purpose.kind == "tables" else "de-identified"


def _beyond(clause: str, sentence: str) -> Reason:
    return Reason(code="policy/beyond-notice", clause=clause, reason=sentence)


def _linked(notice: Notice, named: Iterable[str], clause: str) -> Iterator[Reason]:
    for each in sorted(set(named) - set(notice.linked_with or ())):
        yield _beyond(clause, f"The notice does not say that data are linked with {name(each)}.")


def _state(matter: Matter, notice: Notice, delivery: Delivery) -> Iterator[Reason]:
    state = state_of(matter, delivery)
    if STATES.index(state) > STATES.index(notice.state):
        yield _beyond(
            delivery.output.clause,
            f"Output {name(delivery.name)} is {state}; the notice promised {notice.state}.",
        )


def _tokens(notice: Notice, delivery: Delivery) -> Iterator[Reason]:
    named = set(notice.identifiers or ())
    for token in expanded(delivery.output.tokens or ()):
        beyond = {identifier_of(field) for field in token_fields(token)} - named
        if beyond:
            yield _beyond(
                delivery.output.clause,
                f"Token {name(token)} uses {', '.join(sorted(beyond))}, "
                "which the notice does not name.",
            )


def _fields(notice: Notice, delivery: Delivery) -> Iterator[Reason]:
    named = set(notice.identifiers or ())
    for rule in delivery.rules:
        clause, identifier = rule.rule.clause, rule.entry.identifier
        if identifier and identifier != "local_id" and identifier not in named:
            yield _beyond(
                clause,
                f"{name(rule.name)} comes from {identifier}, which the notice does not name.",
            )
        if notice.fields is not None and not rule.words & set(notice.fields):
            yield _beyond(clause, f"The notice does not name {name(rule.field)}.")
        person_fact = rule.entry.field_class in _FACTS and rule.entry.level == "person"
        if notice.level == "family" and person_fact:
            yield _beyond(
                clause,
                f"{name(rule.field)} is about one person; the notice promised family level.",
            )
