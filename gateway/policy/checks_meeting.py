"""May two outputs of one run come together in one pair of hands?

Identifiers or tokens may not meet the attributes beside them, and two outputs with
one id for each person would be joined into rows that no limit was asked of.

Source: docs/reference/policy.md, "Recipients".
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from gateway.model import Reason
from gateway.policy.findings import name
from gateway.policy.matter import Delivery, Matter
from gateway.policy.recipients import Recipient, Undertaking

# Forms of which the rows of one run carry the same id.
_LINKED = frozenset({"tokens", "sealed-clear", "link-id"})


def outputs_meet(matter: Matter) -> Iterator[Reason]:
    """Reasons from the distance of the recipients from each other."""
    for one, other in combinations(matter.deliveries, 2):
        if _identified_by(one, other) or _joinable(one, other):
            yield from _meeting(matter, one, other)


def _identified_by(one: Delivery, other: Delivery) -> bool:
    """Who sees identifiers or tokens may not see the attributes beside them."""
    return one.carries_identifiers != other.carries_identifiers


def _joinable(one: Delivery, other: Delivery) -> bool:
    """Whether rows of both can be put together by an id; two lists in clear hide nothing."""
    forms = {one.output.identifiers, other.output.identifiers}
    if forms == {"sealed-clear"}:
        return False
    return forms <= _LINKED or bool(_pseudonyms(one) & _pseudonyms(other))


def _pseudonyms(delivery: Delivery) -> frozenset[str]:
    """The subjects that an output gives pseudonyms of."""
    unit = {"person_id"} if delivery.output.identifiers == "pseudonym" else set()
    return frozenset(unit | {r.field for r in delivery.rules if r.rule.treat == "pseudonym"})


def _meeting(matter: Matter, one: Delivery, other: Delivery) -> Iterator[Reason]:
    first, second = one.recipient, other.recipient
    if first is None or second is None:
        return
    clause = other.output.clause
    if first.id == second.id or _key_names(matter, first) & _key_names(matter, second):
        yield Reason(
            code="policy/outputs-meet",
            clause=clause,
            reason=f"{name(one.name)} and {name(other.name)} must not meet: one key opens both. "
            "Make them one output, or name recipients apart.",
        )
    elif _same(first, second) and not _separated(matter, first, second):
        yield Reason(
            code="policy/no-functional-separation",
            clause=clause,
            reason=f"{name(one.name)} and {name(other.name)} go to one organisation, which has not "
            "given an approved functional-separation undertaking: record it, or name another.",
        )


def _key_names(matter: Matter, recipient: Recipient) -> set[str]:
    held = matter.keys.get(recipient.id) if matter.keys is not None else None
    named = {("id", recipient.key_id), ("mark", recipient.fingerprint)}
    if held is not None:
        named |= {("id", held.key_id), ("mark", held.fingerprint)}
    return {f"{kind}:{value.lower()}" for kind, value in named if value}


def _same(first: Recipient, second: Recipient) -> bool:
    return first.organisation.casefold().split() == second.organisation.casefold().split()


def _separated(matter: Matter, first: Recipient, second: Recipient) -> bool:
    undertakings = (
        (first.functional_separation, second.id),
        (second.functional_separation, first.id),
        (matter.purpose.functional_separation, ""),
    )
    return any(_covers(matter, each, other) for each, other in undertakings)


def _covers(matter: Matter, undertaking: Undertaking | None, other: str) -> bool:
    if undertaking is None or undertaking.approved > matter.on:
        return False
    return undertaking.from_ is None or not other or other in undertaking.from_
