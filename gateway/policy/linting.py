"""What a good information lawyer would say of the agreements, before anybody approves them.

A problem refuses the purpose today; a warning will bite, or bites those who trust
the agreement; advice would make it better. Each names place, clause and what to do.

Source: ICO data sharing code; UK GDPR Arts 5, 6, 9, 10, 25, 35; docs/reference/policy.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from gateway.model import FieldClass, SharingRequest
from gateway.policy.bundle import Bundle
from gateway.policy.days import told_day
from gateway.policy.decision import reasons_of
from gateway.policy.findings import name
from gateway.policy.linting_bases import consent_apart, consent_beside, expiring
from gateway.policy.linting_between import contradictions, unneeded
from gateway.policy.linting_dates import dates
from gateway.policy.linting_groups import Stored, groups_out_of_reach
from gateway.policy.linting_promises import untrue_promises
from gateway.policy.linting_remarks import remark_on
from gateway.policy.linting_retention import link_map, retention
from gateway.policy.linting_tiers import tiers
from gateway.policy.matter import Delivery, Matter, open_matter
from gateway.policy.recipients import Recipient
from gateway.policy.remarks import Remark, Weight
from gateway.policy.remedies import remedy_of
from gateway.policy.token_names import expanded, token_fields

RESEARCH = frozenset(
    {"research-team", "secure-setting", "linkage-unit", "accredited-processor", "synthetic"}
)
NOTHING_STORED: Mapping[str, Stored] = MappingProxyType({})
_FACTS = frozenset({FieldClass.SPECIAL_CATEGORY, FieldClass.CRIMINAL})


def review(
    bundle: Bundle,
    *,
    on: dt.date,
    agreement: str = "",
    stored: Mapping[str, Stored] = NOTHING_STORED,
) -> tuple[Remark, ...]:
    """Every remark about the agreements, problems first, in a fixed order.

    Args:
        bundle: the documents that load.
        on: the day of the review.
        agreement: only this one; empty for all, and for what lies between them.
        stored: what is counted in each dataset; without it nothing is said of small groups.
    """
    remarks = [
        remark
        for key in sorted(bundle.agreements)
        if agreement in ("", key)
        for remark in _agreement(bundle, key, on, stored)
    ]
    remarks += contradictions(bundle, agreement)
    remarks += untrue_promises(bundle, agreement)
    remarks += [] if agreement else unneeded(bundle)
    return tuple(sorted(set(remarks), key=lambda remark: remark.order))


def _agreement(
    bundle: Bundle, key: str, on: dt.date, stored: Mapping[str, Stored]
) -> Iterator[Remark]:
    found = bundle.agreements[key]
    yield from dates(found, on)
    on = max(on, found.starts)
    yield from tiers(found, bundle.knowledge, on)
    for purpose in sorted(found.purposes):
        request = SharingRequest(purpose=purpose, agreement=key)
        matter = open_matter(request, found, bundle.knowledge, on=on, keys=None)
        yield from _refusals(matter, request)
        for check in _CHECKS:
            yield from check(matter)
        yield from groups_out_of_reach(matter, stored)
        yield from _cases(bundle, request)


def _refusals(matter: Matter, request: SharingRequest) -> Iterator[Remark]:
    for reason in reasons_of(matter):
        yield Remark(
            weight=Weight.PROBLEM,
            code=reason.code,
            agreement=request.agreement,
            purpose=request.purpose,
            clause=reason.clause,
            sentence=reason.reason,
            remedy=remedy_of(reason.code),
        )


def _nobody_sends(matter: Matter) -> Iterator[Remark]:
    """A dataset that comes from no party of the agreement: what others sent is never read."""
    purpose = matter.purpose
    # What an emergency joins is typed by those who ask.
    joins = () if purpose.kind == "single-disclosure" else purpose.joins or ()
    for dataset in (purpose.spine, *(join.source for join in joins)):
        contract = matter.knowledge.contracts.get(dataset)
        if contract is not None and not matter.organisations & set(contract.parties):
            senders = ", ".join(name(each) for each in contract.parties)
            yield remark_on(
                matter,
                Weight.WARNING,
                "lint/nobody-sends",
                f"{name(dataset)} comes from {senders}, and none of them is a party: nothing of "
                "it can be read for this purpose.",
                "Add who sends it to `parties`, or choose other people.",
            )


def _operational_research(matter: Matter) -> Iterator[Remark]:
    if not matter.research:
        return
    for delivery in matter.deliveries:
        apart = delivery.classes - RESEARCH
        if delivery.recipient is not None and apart:
            yield remark_on(
                matter,
                Weight.WARNING,
                "lint/research-to-operations",
                f"Research data go to {name(delivery.output.recipient)}, which is also "
                f"{', '.join(sorted(apart))}.",
                "Send it to a research team or a secure setting: never used for decisions.",
                delivery.output.clause,
            )


def _identifiers_beside_facts(matter: Matter) -> Iterator[Remark]:
    for delivery in matter.deliveries:
        facts = sorted(rule.name for rule in delivery.rules if rule.entry.field_class in _FACTS)
        if facts and _names_people(delivery):
            yield remark_on(
                matter,
                Weight.WARNING,
                "lint/identifiers-beside-facts",
                f"Output {name(delivery.name)} carries {_whom(delivery)} beside "
                f"{', '.join(facts)}.",
                "Split it: one output to say who, another, apart, to say what.",
                delivery.output.clause,
            )


def _names_people(delivery: Delivery) -> bool:
    return delivery.output.identifiers == "sealed-clear" or bool(_in_clear(delivery))


def _in_clear(delivery: Delivery) -> list[str]:
    """The columns that say who somebody is, as they were received."""
    return sorted(
        rule.name
        for rule in delivery.rules
        if rule.entry.field_class is FieldClass.DIRECT and rule.rule.treat == "keep"
    )


def _whom(delivery: Delivery) -> str:
    """What tells who a row is about: the columns themselves, for an id is no name."""
    return ", ".join(_in_clear(delivery)) or "people in the clear"


def _recipient_expires(matter: Matter) -> Iterator[Remark]:
    for delivery in matter.deliveries:
        recipient: Recipient | None = delivery.recipient
        if recipient is not None and recipient.expires < matter.agreement.ends:
            yield remark_on(
                matter,
                Weight.ADVICE,
                "lint/recipient-expires",
                f"{name(recipient.id)} expires on {told_day(recipient.expires)}, "
                "before the agreement.",
                "Have its accreditation renewed before then.",
                delivery.output.clause,
            )


def _tables_not_made(matter: Matter) -> Iterator[Remark]:
    if matter.purpose.kind == "tables":
        yield remark_on(
            matter,
            Weight.ADVICE,
            "lint/tables-not-made",
            "A purpose of tables is decided and explained, and no release of it is made yet.",
            "Count the tables in the secure setting of another purpose until then.",
        )


def _tokens_not_made(matter: Matter) -> Iterator[Remark]:
    """Tokens of what no column of the people's dataset is for: a filler, which joins nobody."""
    spine = matter.knowledge.contracts.get(matter.purpose.spine)
    held = {column.role for column in spine.columns if column.role} if spine else set()
    for delivery in matter.deliveries:
        tokens = expanded(delivery.output.tokens or ())
        lacking = {field for token in tokens for field in token_fields(token)} - held
        for field in sorted(lacking if spine else ()):
            unmade = [token for token in tokens if field in token_fields(token)]
            yield remark_on(
                matter,
                Weight.ADVICE,
                "lint/token-not-made",
                f"No column of {name(matter.purpose.spine)} has the role {name(field)}: "
                f"{', '.join(unmade)} of output {name(delivery.name)} will join nobody.",
                "Take these tokens out, or give the contract's column that role.",
                delivery.output.clause,
            )


_CHECKS: tuple[Callable[[Matter], Iterator[Remark]], ...] = (
    consent_beside,
    consent_apart,
    expiring,
    _nobody_sends,
    retention,
    link_map,
    _operational_research,
    _identifiers_beside_facts,
    _recipient_expires,
    _tables_not_made,
    _tokens_not_made,
)


def _cases(bundle: Bundle, request: SharingRequest) -> Iterator[Remark]:
    """A purpose has at least one case that is permitted and one that is refused."""
    expected = {
        case.expect
        for book in bundle.casebooks.values()
        for case in book.cases
        if (case.agreement, case.purpose) == (request.agreement, request.purpose)
    }
    for missing in sorted({"permit", "refuse"} - expected):
        yield Remark(
            weight=Weight.ADVICE,
            code="lint/no-case",
            agreement=request.agreement,
            purpose=request.purpose,
            clause="",
            sentence=f'No case of this purpose expects "{missing}".',
            remedy='Add one under "What you expect" of a draft, or under policies/cases: it guards '
            "what you meant.",
        )
