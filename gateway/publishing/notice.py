"""The privacy notice, in plain English, from the agreements as they stand.

A notice that is written by hand drifts from what is done; this one is what is
done. It says who shares what with whom, why, by which law, how long, and what
people can do about it. The words of each sentence come from the governed
documents, so that a change of policy is a change of the notice.

Source: UK GDPR Arts 12-14, 21; ICO, "Right to be informed"; GOV.UK style guide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.policy import Bundle
from gateway.policy.agreements import Agreement, Output, Prohibition, Purpose
from gateway.policy.tracing import Trace, traces_of
from gateway.policy.treatments import said
from gateway.publishing.promises import (
    and_list,
    days_after_receipt,
    field_meaning,
    forbidden_meaning,
    in_words,
    promises,
)
from gateway.publishing.register import party_names, recipient_names

CHOICES: Mapping[str, str] = {
    "consent": "We do this only for people who have agreed. You can change your mind at any time.",
    "opt-out": "You can opt out at any time, without giving a reason.",
    "objection": "You can object. We consider each objection, and leave you out meanwhile.",
    "statutory": "The law asks us to do this, so there is no opt-out.",
}
HOUSEHOLDS: Mapping[str, str] = {
    "drop-person": "If you are left out, the rest of your family may still be included, "
    "without anything that came from you.",
    "drop-family": "If you are left out, your whole family is left out.",
}
FORMS: Mapping[str, str] = {
    "tokens": "They get scrambled codes made from names, dates of birth and addresses, "
    "and none of these themselves.",
    "sealed-clear": "They need to know who you are, so your details are sent sealed to them alone.",
    "link-id": "They get no name, address or number: each row has a random reference.",
    "pseudonym": "They get a code in place of your name, made for them alone.",
    "none": "They get nothing that says who you are.",
}
APPROVED = "approved"
NOT_IN_FORCE: Mapping[str, str] = {
    "not approved": "This agreement is not approved. Nothing is shared under it.",
    "withdrawn": "This agreement was withdrawn. Nothing more is shared under it.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part of a notice: its heading, its sentences, and the clauses they rest on.

    A sentence that begins with "- " is an item of the list that the one before it opens.
    """

    heading: str
    sentences: tuple[str, ...]
    clauses: tuple[str, ...] = ()


def notice(
    agreement: Agreement, bundle: Bundle, *, standing: str = APPROVED
) -> tuple[Section, ...]:
    """The notice of one agreement, section by section; first that it does not hold, if so."""
    leaving = traces_of(agreement, bundle.knowledge)
    told = NOT_IN_FORCE.get(standing, "")
    return (
        *((Section(heading="Not in force", sentences=(told,)),) if told else ()),
        _who(agreement, bundle),
        *(
            _purpose(purpose, [t for t in leaving if t.purpose == key], bundle)
            for key, purpose in sorted(agreement.purposes.items())
        ),
        _never(bundle.knowledge.forbidden(agreement), bundle),
        _rights(agreement),
    )


def notice_text(agreement: Agreement, bundle: Bundle, *, standing: str = APPROVED) -> str:
    """The notice as Markdown."""
    parts = [f"# Privacy notice: {agreement.title}", ""]
    for section in notice(agreement, bundle, standing=standing):
        parts += [f"## {section.heading}", ""]
        for sentence in section.sentences:
            # Items follow each other; every other sentence is a paragraph of its own.
            if parts[-1].startswith("- ") and not sentence.startswith("- "):
                parts.append("")
            parts += [sentence] if sentence.startswith("- ") else [sentence, ""]
        parts += [""] if parts[-1] else []
    return "\n".join(parts)


def _who(agreement: Agreement, bundle: Bundle) -> Section:
    controllers = party_names(agreement.controllers, bundle)
    parties = party_names(agreement.parties, bundle)
    return Section(
        heading="Who we are",
        sentences=(
            f"{and_list(controllers)} decide{'s' if len(controllers) == 1 else ''} how your "
            f"information is used here.",
            f"We work with {and_list(parties)}.",
            agreement.benefits,
        ),
    )


def _purpose(purpose: Purpose, leaving: list[Trace], bundle: Bundle) -> Section:
    cohort = bundle.vocabulary.cohorts.get(purpose.subjects)
    about = cohort.meaning.rstrip(".") if cohort else purpose.subjects
    return Section(
        heading=purpose.title,
        sentences=(
            f"This is about: {about}.",
            *(
                sentence
                for name, output in sorted(purpose.outputs.items())
                for sentence in _output(output, [t for t in leaving if t.output == name], bundle)
            ),
            *promises(purpose, bundle),
            f"The law that lets us: {_law(purpose, bundle)}.",
            CHOICES[purpose.participation],
            HOUSEHOLDS[purpose.household],
            f"It is destroyed by {purpose.retain_until:%-d %B %Y}.",
            *_kept_by_us(purpose),
            *_duties(purpose, bundle),
            *_forbidden(purpose.prohibitions, bundle, head="For this we never share:"),
        ),
        clauses=tuple(dict.fromkeys([purpose.clause, *(t.clause for t in leaving)])),
    )


def _output(output: Output, leaving: list[Trace], bundle: Bundle) -> Iterator[str]:
    (name,) = recipient_names([output.recipient], bundle)
    columns = [_column(trace, bundle) for trace in leaving if trace.kind == "column"]
    told = list(dict.fromkeys(columns))
    yield f"{name} receives{':' if told else ' no details about you.'}"
    yield from (f"- {each}" for each in told)
    yield FORMS[output.identifiers]


def _column(trace: Trace, bundle: Bundle) -> str:
    meaning = field_meaning(trace.field, bundle)
    return meaning if trace.treat == "keep" else f"{meaning} ({said(trace.treat)})"


def _duties(purpose: Purpose, bundle: Bundle) -> Iterator[str]:
    yield "Whoever receives it has to keep these rules:"
    for duty in sorted(purpose.duties):
        yield f"- {bundle.vocabulary.duties.get(duty, duty)}"


def _kept_by_us(purpose: Purpose) -> Iterator[str]:
    """What stays here for a while: the map of references, and who asked."""
    if any(output.identifiers == "link-id" for output in purpose.outputs.values()):
        yield (
            "We alone know whose a random reference is, and destroy that list "
            f"{days_after_receipt(purpose.link_map_until)}."
        )
    if purpose.query_log:
        yield f"Who asked about you, and when, is kept for {in_words(purpose.query_log)}."


def _never(forbidden: Mapping[str, Prohibition], bundle: Bundle) -> Section:
    return Section(
        heading="What we never share",
        sentences=tuple(_forbidden(forbidden, bundle)) or ("Anything that is not listed above.",),
        clauses=tuple(rule.clause for _, rule in sorted(forbidden.items())),
    )


def _forbidden(
    forbidden: Mapping[str, Prohibition], bundle: Bundle, *, head: str = ""
) -> Iterator[str]:
    if head and forbidden:
        yield head
    for word, rule in sorted(forbidden.items()):
        told = forbidden_meaning(word, bundle)
        yield f"{'- ' if head else ''}{told[:1].upper()}{told[1:]}: {rule.reason}"


def _rights(agreement: Agreement) -> Section:
    return Section(
        heading="Your rights",
        sentences=(
            "You can ask whether your information is used, see it, and have mistakes corrected.",
            f"Write to {agreement.contact}.",
            *_officer(agreement),
            *_complaints(agreement),
            "You can complain to the Information Commissioner's Office (ico.org.uk).",
        ),
    )


def _officer(agreement: Agreement) -> Iterator[str]:
    if agreement.data_protection_officer:
        yield f"Our data protection officer: {agreement.data_protection_officer}."


def _complaints(agreement: Agreement) -> Iterator[str]:
    if agreement.complaints:
        yield f"To complain to us, write to {agreement.complaints}."


def _law(purpose: Purpose, bundle: Bundle) -> str:
    return and_list([_provision(basis, bundle) for basis in purpose.legal_bases])


def _provision(basis: str, bundle: Bundle) -> str:
    known = bundle.legal_bases.get(basis)
    return known.provision if known else basis
