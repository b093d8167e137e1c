"""The agreement register: the eighteen fields of the public register under the DEA 2017.

The fields have the register's own names. `controllers`, `processors` and `areas` hold
references; the fields of names beside them hold what people read.

Source: GOV.UK Registers, "Information sharing agreements under chapters 1, 2, 3 and 4 of
part 5 of the Digital Economy Act 2017" (information-sharing-agreement-0001, as of 22
March 2019); requirement R10; docs/adr/0323-the-register-by-its-own-names.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gateway.policy import Bundle
from gateway.policy.agreements import Agreement, Purpose
from gateway.policy.tracing import Trace, traces_of
from gateway.policy.treatments import said
from gateway.publishing.promises import (
    COMING_BACK,
    linked_databases,
    meaning_itself,
    sources,
)

REGISTER_FIELDS = (
    "information-sharing-agreement-0001",
    "name",
    "purpose",
    "information-sharing-benefits",
    "legal-power-disclosure",
    "disclosed-information",
    "controllers",
    "controller-names",
    "information-sharing-method",
    "processors",
    "processor-names",
    "retention-period",
    "start-date",
    "end-date",
    "review-date",
    "contact",
    "areas",
    "area-names",
)
NO_DATA = "No data"  # what the register itself shows of a field that has no value


def agreement_register(
    bundle: Bundle, *, standings: Mapping[str, str] | None = None
) -> tuple[Mapping[str, str], ...]:
    """One row for each purpose of each agreement, every one of the eighteen fields filled.

    The register's own fields have no place for a state, so that what nobody has approved,
    or somebody withdrew, stands in none of its rows.

    Args:
        bundle: the documents.
        standings: of each agreement whether it is approved; every one without it.
    """
    return tuple(
        _row(agreement, key, purpose, bundle)
        for name, agreement in sorted(bundle.agreements.items())
        if standings is None or standings.get(name) == "approved"
        for key, purpose in sorted(agreement.purposes.items())
    )


def _row(agreement: Agreement, key: str, purpose: Purpose, bundle: Bundle) -> Mapping[str, str]:
    processors = agreement.processors or ()
    values = (
        f"{agreement.id}/{key}",
        agreement.title,
        purpose.title,
        agreement.benefits,
        "; ".join(_powers(purpose, bundle)),
        "; ".join(_disclosed(agreement, key, bundle)) or "None.",
        ";".join(agreement.controllers),
        "; ".join(party_names(agreement.controllers, bundle)),
        "; ".join(_method(agreement, purpose, bundle)),
        ";".join(processors) or NO_DATA,
        "; ".join(party_names(processors, bundle)) or NO_DATA,
        f"Destroyed by {purpose.retain_until.isoformat()}",
        agreement.starts.isoformat(),
        agreement.ends.isoformat(),
        agreement.review.isoformat(),
        agreement.contact,
        NO_DATA,  # areas are held by name alone
        "; ".join(agreement.areas),
    )
    return dict(zip(REGISTER_FIELDS, values, strict=True))


def _method(agreement: Agreement, purpose: Purpose, bundle: Bundle) -> Iterator[str]:
    """How it is shared: by what means, read from where, linked with what, and what comes back."""
    yield agreement.method
    yield f"Read from: {' + '.join(sources(purpose, bundle))}"
    yield f"Linked with: {', '.join(linked_databases(purpose)) or 'no other database'}"
    yield f"Coming back: {COMING_BACK[purpose.returns]}"


def _powers(purpose: Purpose, bundle: Bundle) -> Iterator[str]:
    for basis in sorted(purpose.legal_bases):
        known = bundle.legal_bases.get(basis)
        yield known.provision if known else basis


def _disclosed(agreement: Agreement, purpose: str, bundle: Bundle) -> Iterator[str]:
    """What leaves, in the vocabulary's words; tokens by what they are, not one by one."""
    fields = bundle.vocabulary.fields
    told = dict.fromkeys(
        "match-key tokens made from identifiers"
        if trace.kind == "token"
        else treated(fields[trace.field].meaning.rstrip("."), trace)
        if trace.field in fields
        else f"table of counts {trace.column}"
        for trace in traces_of(agreement, bundle.knowledge)
        if trace.purpose == purpose
    )
    yield from told


def treated(meaning: str, trace: Trace) -> str:
    """A field's meaning; where it leaves coarsened, its first part and how it leaves."""
    if trace.kind != "column" or trace.treat == "keep":
        return meaning
    return f"{meaning_itself(meaning)}, {said(trace.treat)}"


def party_names(parties: tuple[str, ...], bundle: Bundle) -> list[str]:
    """Titles of parties, as the vocabulary gives them."""
    known = bundle.vocabulary.parties
    return [known[party].title if party in known else party for party in parties]


def recipient_names(recipients: Sequence[str], bundle: Bundle) -> list[str]:
    """Teams of recipients with their organisations, by the names that people know."""
    return [_recipient_name(each, bundle) for each in recipients]


def _recipient_name(recipient: str, bundle: Bundle) -> str:
    known = bundle.recipients.get(recipient)
    if known is None:
        return recipient
    if known.organisation not in bundle.vocabulary.parties:
        return known.team  # the person, or the readers of published tables: no organisation
    (organisation,) = party_names((known.organisation,), bundle)
    return f"{known.team} ({organisation})"
