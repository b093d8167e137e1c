"""The decision: a Plan to obey, or every reason why not.

Total and pure: the same request, documents and date give the same answer,
whatever the order of documents. Nothing is shared unless an agreement in force
permits it; a prohibition beats any permission; whatever is not written is refused.

Source: UK GDPR Art 5(1)(b), Art 25; docs/reference/policy.md, "Decision".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping

from gateway.model import Plan, Reason, Refusal, SharingRequest
from gateway.policy.agreements import Agreement
from gateway.policy.bundle import Bundle
from gateway.policy.checks_force import not_in_force, unresolved
from gateway.policy.checks_legal import unlawful
from gateway.policy.checks_meeting import outputs_meet
from gateway.policy.checks_notice import beyond_notice
from gateway.policy.checks_outputs import not_allowed
from gateway.policy.checks_protocol import not_covered
from gateway.policy.checks_recipients import cannot_receive
from gateway.policy.digest import digest_of
from gateway.policy.findings import name, suggest
from gateway.policy.limits import too_loose
from gateway.policy.matter import Keys, Matter, open_matter
from gateway.policy.planning import plan_of

Approved = frozenset[tuple[str, str]]

CHECKS: tuple[Callable[[Matter], Iterator[Reason]], ...] = (
    not_in_force,
    not_covered,
    unresolved,
    unlawful,
    not_allowed,
    beyond_notice,
    cannot_receive,
    outputs_meet,
    too_loose,
)


def decide(
    request: SharingRequest,
    bundle: Bundle,
    *,
    on: dt.date,
    approved: Approved | None = None,
    recipient_keys: Keys | None = None,
    tables: Mapping[str, str] | None = None,
) -> Plan | Refusal:
    """Answer one request. Never raises.

    Args:
        request: purpose and agreement.
        bundle: the documents that loaded.
        on: the day of the decision.
        approved: (agreement id, policy digest) of every version in force. An agreement
            whose digest is not in it is not in force. None treats every one as approved:
            for explanation, cases and dry analysis only.
        recipient_keys: registered keys by recipient id. None asks for no key: for
            explanation, cases and dry analysis only.
        tables: digests of the standardisation and nickname tables by name.

    Returns:
        The Plan, or a Refusal with all of its reasons, sorted, each once.
    """
    agreement = bundle.agreements.get(request.agreement)
    if agreement is None:
        return Refusal(reasons=(_no_agreement(request, bundle),))
    digest = digest_of(agreement, bundle.knowledge, recipient_keys, tables or {})
    reasons = set(_unapproved(request, digest, approved))
    return _decided(request, agreement, bundle, on, recipient_keys, digest, reasons)


def expected(request: SharingRequest, bundle: Bundle, *, on: dt.date) -> Plan | Refusal:
    """Answer one request by the documents alone: for cases, and for pages that explain them.

    As `decide` does where it asks for no approval and no key, but without the digest,
    which costs most of a decision and which nothing that leaves may be without.
    """
    agreement = bundle.agreements.get(request.agreement)
    if agreement is None:
        return Refusal(reasons=(_no_agreement(request, bundle),))
    return _decided(request, agreement, bundle, on, None, "", set())


def _decided(
    request: SharingRequest,
    agreement: Agreement,
    bundle: Bundle,
    on: dt.date,
    keys: Keys | None,
    digest: str,
    reasons: set[Reason],
) -> Plan | Refusal:
    if request.purpose not in agreement.purposes:
        near = suggest(request.purpose, agreement.purposes)
        found = reasons | {_no_purpose(request, near)}
        return Refusal(reasons=_ordered(found), policy_digest=digest)
    matter = open_matter(request, agreement, bundle.knowledge, on=on, keys=keys)
    found = reasons | set(reasons_of(matter))
    if found:
        return Refusal(reasons=_ordered(found), policy_digest=digest)
    return plan_of(matter, digest)


def reasons_of(matter: Matter) -> tuple[Reason, ...]:
    """Why a request is refused, its approval apart: sorted, each once."""
    return _ordered({reason for check in CHECKS for reason in check(matter)})


def _ordered(reasons: set[Reason]) -> tuple[Reason, ...]:
    return tuple(sorted(reasons, key=lambda each: (each.code, each.clause, each.reason)))


def _no_agreement(request: SharingRequest, bundle: Bundle) -> Reason:
    near = suggest(request.agreement, bundle.agreements)
    return Reason(
        code="sharing/no-agreement",
        clause="",
        reason=f"No agreement is called {name(request.agreement)}. "
        f"{near or 'Ask a governance lead which agreement covers it.'}",
    )


def _no_purpose(request: SharingRequest, near: str) -> Reason:
    return Reason(
        code="sharing/no-agreement",
        clause="",
        reason=f"{name(request.agreement)} lets nobody receive data for {name(request.purpose)}. "
        f"{near or 'Ask a governance lead to add the purpose.'}",
    )


def _unapproved(
    request: SharingRequest, digest: str, approved: Approved | None
) -> Iterator[Reason]:
    if approved is not None and (request.agreement, digest) not in approved:
        yield Reason(
            code="sharing/not-approved",
            clause="",
            reason=f"This version of {name(request.agreement)}, with all that it reads, "
            "was not approved by each controller. An editor runs `gateway policy propose`, "
            "an approver of each controller `gateway policy approve`.",
        )
