"""The Plan of a permitted request: all that later rooms may know, each part with its clause.

Set-like parts are sorted, so that the order in which a document was written
changes nothing; only `coarsen` keeps its order, because it is tried in order.

Source: UK GDPR Art 5(1)(b), (c); docs/reference/policy.md, "Decision".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from gateway.model import (
    CohortRule,
    Contract,
    ContractColumn,
    Household,
    IdentifierForm,
    JoinRule,
    KeyUse,
    NotSent,
    OutputPlan,
    Participation,
    Plan,
    PurposeKind,
    RecipientRef,
    TableRule,
)
from gateway.policy.agreements import CLASS_PREFIX, Join, Prohibition, StudyKey
from gateway.policy.checks_force import review_warnings
from gateway.policy.checks_notice import state_of
from gateway.policy.checks_protocol import unsigned_warnings
from gateway.policy.findings import name
from gateway.policy.limits import HARM_K, limits_of
from gateway.policy.matter import Delivery, Matter
from gateway.policy.recipients import Recipient
from gateway.policy.resolving import find_column
from gateway.policy.token_names import carried_fields, expanded
from gateway.policy.vocabulary import DateRange


def plan_of(matter: Matter, digest: str) -> Plan:
    """The Plan of a matter that no check refused."""
    purpose, agreement = matter.purpose, matter.agreement
    outputs = tuple(
        _output(matter, each, each.recipient)
        for each in matter.deliveries
        if each.recipient is not None
    )
    return Plan(
        request=matter.request,
        agreement_version=agreement.version,
        controller=agreement.controllers[0],
        kind=PurposeKind(purpose.kind),
        clause=purpose.clause,
        legal_bases=tuple(sorted(purpose.legal_bases)),
        cohort=_cohort(matter),
        joins=_joins(matter),
        participation=Participation(purpose.participation),
        household=Household(purpose.household),
        outputs=outputs,
        retain_until=purpose.retain_until,
        link_map_until=purpose.link_map_until,
        returns=purpose.returns,
        duties=tuple(sorted(purpose.duties)),
        duty_sentences=tuple(
            (duty, matter.knowledge.vocabulary.duties.get(duty, ""))
            for duty in sorted(purpose.duties)
        ),
        policy_digest=digest,
        warnings=(*review_warnings(matter), *unsigned_warnings(matter), *_raised(matter)),
        not_sent=_not_sent(matter),
        notice=purpose.notice.version if purpose.notice else "",
        population="synthetic"
        if any(c.population == "synthetic" for c in matter.sources)
        else "residents",
        spine_take=purpose.take,
        senders=matter.bound,
        under=agreement.under or "",
        controllers=tuple(sorted(set(agreement.controllers))),
    )


def _cohort(matter: Matter) -> CohortRule:
    cohort = matter.cohort
    within, between = [], []
    for word, condition in sorted(cohort.where.items()) if cohort else ():
        column = find_column(matter.sources[0], word)
        written = column.name if column else word
        if isinstance(condition, DateRange):
            between.append((written, condition.from_, condition.to))
        elif isinstance(condition, tuple):
            within.append((written, tuple(sorted(condition))))
        elif isinstance(condition, dt.date):
            between.append((written, condition, condition))
        else:
            within.append((written, (condition,)))
    return CohortRule(
        name=matter.purpose.subjects,
        dataset=matter.purpose.spine,
        within=tuple(within),
        between=tuple(between),
    )


def _joins(matter: Matter) -> tuple[JoinRule, ...]:
    joins = matter.purpose.joins or ()
    return tuple(
        _join(join, matter.knowledge.contracts.get(join.source))
        for join in sorted(joins, key=lambda join: join.source)
    )


def _join(join: Join, contract: Contract | None) -> JoinRule:
    """A join by the names of its contract's columns, whatever field its words named."""
    kind, by, wave = join.take.partition(":")
    return JoinRule(
        dataset=join.source,
        on=_column(contract, join.on),
        take=f"{kind}{by}{_column(contract, wave)}",
    )


def _column(contract: Contract | None, word: str) -> str:
    found = find_column(contract, word) if contract and word else None
    return found.name if found else word


def _output(matter: Matter, delivery: Delivery, recipient: Recipient) -> OutputPlan:
    output = delivery.output
    columns = tuple(column for rule in delivery.rules for column in rule.columns())
    return OutputPlan(
        name=delivery.name,
        recipient=_recipient(matter, recipient),
        identifiers=IdentifierForm(output.identifiers),
        clause=output.clause,
        tokens=expanded(output.tokens or ()),
        slots=output.slots,
        key=_key(output.key),
        columns=columns,
        limits=limits_of(matter, delivery),
        file_format=output.format,
        tables=tuple(
            TableRule(
                name=key, count=t.count, by=tuple(sorted(t.by)), clause=t.clause, round_to=t.round
            )
            for key, t in sorted(output.tables.items())
        ),
        state=state_of(matter, delivery),
        longitudinal=_longitudinal(output.key),
    )


def _key(key: StudyKey | None) -> KeyUse | None:
    return KeyUse(study=key.study, epoch=key.epoch) if key else None


def _longitudinal(key: StudyKey | None) -> str:
    return key.longitudinal.clause if key and key.longitudinal else ""


def _recipient(matter: Matter, recipient: Recipient) -> RecipientRef:
    held = (matter.keys or {}).get(recipient.id)
    return RecipientRef(
        id=recipient.id,
        organisation=recipient.organisation,
        team=recipient.team,
        classes=frozenset(recipient.class_),
        key_id=held.key_id if held else recipient.key_id,
        fingerprint=held.fingerprint if held else recipient.fingerprint,
        channel=recipient.channel,
        delivery=_delivery(recipient),
    )


def _delivery(recipient: Recipient) -> tuple[tuple[str, str], ...]:
    """Where its packages are brought, as names and texts."""
    if recipient.delivery is None:
        return ()
    return tuple((name, str(value)) for name, value in recipient.delivery if value)


def _raised(matter: Matter) -> tuple[str, ...]:
    return tuple(
        f"Output {name(each.name)}: k is {HARM_K}, because it tells of abuse, health or offences."
        for each in matter.deliveries
        if each.output.disclosure
        and each.output.disclosure.k < HARM_K
        and (matter.listed_harm or any(rule.harm for rule in each.rules))
    )


def _not_sent(matter: Matter) -> tuple[NotSent, ...]:
    sent = {(r.contract.id, r.column.name) for each in matter.deliveries for r in each.rules}
    prohibitions, inside = matter.prohibitions(), _inside_tokens(matter)
    return tuple(
        _left(contract, column, prohibitions, inside if contract is matter.sources[0] else {})
        for contract in matter.sources
        for column in contract.columns
        if (contract.id, column.name) not in sent
    )


def _inside_tokens(matter: Matter) -> dict[str, str]:
    """Each field that leaves inside tokens, with the clause of its output."""
    return {
        field: each.output.clause
        for each in matter.deliveries
        for token in expanded(each.output.tokens or ())
        for field in carried_fields(token, slots=each.output.slots)
    }


def _left(
    contract: Contract,
    column: ContractColumn,
    prohibitions: Mapping[str, Prohibition],
    inside: Mapping[str, str],
) -> NotSent:
    words = (column.field, column.name, CLASS_PREFIX + column.field_class.value)
    rule = next((prohibitions[word] for word in words if word in prohibitions), None)
    clause, reason = (rule.clause, rule.reason) if rule else ("", "No clause permits it.")
    if rule is None and column.field in inside:
        clause, reason = inside[column.field], "It leaves only inside tokens."
    return NotSent(dataset=contract.id, column=column.name, clause=clause, reason=reason)
