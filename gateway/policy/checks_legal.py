"""Does the law let this purpose be served, on that day, to those recipients?

A legal basis and a legal gateway are different things and a purpose may need
both. Special-category data need an Article 9 condition, criminal-offence data an
Article 10 condition, and both a data protection impact assessment. Membership
of a cohort of the programme is both, whatever columns leave.

Source: UK GDPR Arts 6, 9, 10, 35, 84A-84C; CDA 1998 s115; DEA 2017 s35.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.model import FieldClass, Reason
from gateway.policy.bases import LegalBasis
from gateway.policy.findings import name
from gateway.policy.matter import Matter

RECIPIENT_CODES = {"CDA98-115": "policy/s115-recipient"}


def unlawful(matter: Matter) -> Iterator[Reason]:
    """Reasons from the legal bases and what they need."""
    for each in sorted(matter.purpose.legal_bases):
        if each not in matter.bases:
            yield Reason(
                code="policy/unknown-legal-basis",
                clause=matter.purpose.clause,
                reason=f"{name(each)} is not in the catalogue of legal bases.",
            )
    for each, basis in matter.bases.items():
        yield from _validity(matter, each, basis)
        yield from _conditions(matter, each, basis)
        yield from _bounds(matter, each, basis)
        yield from _people(matter, each, basis)
    yield from _statutory(matter)
    if matter.personal:
        yield from _articles(matter)


def _validity(matter: Matter, each: str, basis: LegalBasis) -> Iterator[Reason]:
    if basis.in_force(matter.on):
        return
    begun = basis.valid_from <= matter.on
    instead = f" Use {name(basis.replaced_by)} instead." if basis.replaced_by and begun else ""
    yield Reason(
        code="policy/legal-basis-expired" if begun else "policy/legal-basis-not-begun",
        clause=matter.purpose.clause,
        reason=f"{name(each)} {'ended on' if begun else 'begins on'} "
        f"{basis.valid_to if begun else basis.valid_from}.{instead}",
    )


def _conditions(matter: Matter, each: str, basis: LegalBasis) -> Iterator[Reason]:
    stated = set(matter.bases)
    for group in basis.requires:
        if not stated & set(group):
            wanted = ", ".join(sorted(group))
            yield Reason(
                code="policy/condition-missing",
                clause=matter.purpose.clause,
                reason=f"{name(each)} needs one of these beside it: {wanted}.",
            )
    stated_factors = set(matter.purpose.factors or ()) & set(basis.factors or ())
    if len(stated_factors) < basis.factors_at_least:
        yield Reason(
            code="policy/too-few-factors",
            clause=matter.purpose.clause,
            reason=f"{name(each)} needs {basis.factors_at_least} of its factors in `factors`.",
        )


def _bounds(matter: Matter, each: str, basis: LegalBasis) -> Iterator[Reason]:
    purpose = matter.purpose
    if basis.participation and purpose.participation != basis.participation:
        yield Reason(
            code="policy/consent-basis",
            clause=purpose.clause,
            reason=f'{name(each)} is consent: participation must be "consent".',
        )
    if basis.returns and purpose.returns not in basis.returns:
        yield Reason(
            code="policy/research-decision",
            clause=purpose.clause,
            reason=f"Under {name(each)} nothing about a person or family may come back.",
        )
    if basis.kinds and purpose.kind not in basis.kinds:
        yield Reason(
            code="policy/basis-kind",
            clause=purpose.clause,
            reason=f"{name(each)} does not cover a purpose of this kind.",
        )


def _statutory(matter: Matter) -> Iterator[Reason]:
    """Nobody is kept in against their word unless a law in force says that they may be."""
    if matter.purpose.participation != "statutory":
        return
    in_force = {k: basis for k, basis in matter.bases.items() if basis.in_force(matter.on)}
    against = [
        each
        for each, basis in matter.bases.items()
        if basis.statutory is False or "safeguard" in basis.satisfies
    ]
    if against or not any(basis.statutory for basis in in_force.values()):
        because = (
            f"{name(against[0])} is for research, which people may object to."
            if against
            else "No legal basis of the purpose lets people be included whatever they have said."
        )
        yield Reason(
            code="policy/statutory-participation",
            clause=matter.purpose.clause,
            reason=f'{because} Use "objection", "opt-out" or "consent".',
        )


def _people(matter: Matter, each: str, basis: LegalBasis) -> Iterator[Reason]:
    for delivery in matter.deliveries:
        if basis.recipients and not delivery.classes & set(basis.recipients):
            yield Reason(
                code=RECIPIENT_CODES.get(each, "policy/basis-recipient"),
                clause=delivery.output.clause,
                reason=f"{name(each)} lets data go only to: {', '.join(sorted(basis.recipients))}; "
                f"{name(delivery.output.recipient)} is none of these.",
            )
    parties = matter.knowledge.vocabulary.parties
    for controller in sorted(matter.agreement.controllers):
        classes = set(parties[controller].class_) if controller in parties else set()
        if basis.senders and not classes & set(basis.senders):
            yield Reason(
                code="policy/basis-sender",
                clause=matter.purpose.clause,
                reason=f"{name(each)} is no power of {name(controller)}.",
            )


def sensitive_cohort(matter: Matter) -> bool:
    """Whether being on the list at all says something special or criminal."""
    return matter.cohort is None or matter.cohort.membership == "sensitive"


def _articles(matter: Matter) -> Iterator[Reason]:
    satisfied = {
        part
        for basis in matter.bases.values()
        if basis.in_force(matter.on)
        for part in basis.satisfies
    }
    listed = sensitive_cohort(matter)
    special = listed or matter.carries(FieldClass.SPECIAL_CATEGORY)
    criminal = listed or matter.carries(FieldClass.CRIMINAL)
    because = " Membership of the cohort is such data." if listed else ""
    wanted = [
        ("article-6", "policy/article-6-missing", True, "Processing needs a basis of Article 6."),
        (
            "article-9",
            "policy/article-9-missing",
            special,
            f"Special-category data need an Article 9 condition.{because}",
        ),
        (
            "article-10",
            "policy/article-10-missing",
            criminal,
            f"Criminal-offence data need an Article 10 condition.{because}",
        ),
    ]
    for part, code, needed, sentence in wanted:
        if needed and part not in satisfied:
            yield Reason(code=code, clause=matter.purpose.clause, reason=sentence)
    if (special or criminal) and not matter.agreement.dpia:
        yield Reason(
            code="policy/no-dpia",
            clause=matter.purpose.clause,
            reason="Special-category or criminal-offence data need an impact assessment (`dpia`).",
        )
