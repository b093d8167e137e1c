"""What a release carries, column by column: meaning, form, clause; and what it leaves behind.

The columns of a release that was made are those of its signed manifests; what would
leave, and what stays, is the Plan's.

Source: UK GDPR Art 5(1)(c), 5(2); docs/reference/package.md; docs/reference/policy.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.adapters.release_store import PackageRecord, ReleaseRecord
from gateway.model import IdentifierForm, OutputPlan, Plan
from gateway.policy import Bundle
from gateway.policy.column_names import SLOT
from gateway.policy.tracing import traces_of
from gateway.policy.treatments import said
from gateway.web.documents import party_title

_CLASSES = {
    "direct": "Identifies a person",
    "key-variable": "Could help to recognise a person",
    "special-category": "Special category (Article 9)",
    "criminal": "Criminal offence data (Article 10)",
    "plain": "Plain",
    "identifier": "Says nothing by itself",
}
_OURS = {
    "link_id": "A random number for each person, made anew for this release.",
    SLOT: "Which spelling of a name a row of tokens is made from.",
    "pseudonym": "A pseudonym made for this recipient alone.",
}
_NUMBERED = {
    IdentifierForm.LINK_ID: ("link_id", "random"),
    IdentifierForm.TOKENS: ("link_id", "random"),
    IdentifierForm.PSEUDONYM: ("pseudonym", "pseudonym"),
}
_FORMS = {"token": "as a keyed token", "random": "random", "pseudonym": "as a pseudonym"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """One column, or a run of tokens, in an output."""

    name: str
    meaning: str
    form: str
    kind: str
    clause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputShown:
    """One output: for whom, and what it carries."""

    name: str
    recipient: str
    columns: tuple[Carried, ...]


def of_package(package: PackageRecord, release: ReleaseRecord, bundle: Bundle) -> OutputShown:
    """What a package carries, as its manifest says."""
    told: Sequence[Mapping[str, Any]] = package.manifest["columns"]
    fields = _fields(bundle, release, package.output)
    return OutputShown(
        name=package.output,
        recipient=recipient_title(bundle, package.recipient),
        columns=tuple(
            _carried(
                each["name"],
                meaning=_meaning(bundle, fields.get(each["name"], each["name"])),
                treat=each["treatment"],
                kind=each["class"],
                clause=each["clause"],
            )
            for each in _without_runs(told)
        ),
    )


def _fields(bundle: Bundle, release: ReleaseRecord, output: str) -> dict[str, str]:
    """The vocabulary's entry behind each column, as the agreement has it now."""
    agreement = bundle.agreements.get(release.agreement)
    found = traces_of(agreement, bundle.knowledge) if agreement else ()
    mine = (each for each in found if (each.purpose, each.output) == (release.purpose, output))
    return {each.column: each.field for each in mine}


def of_plan(plan: Plan, bundle: Bundle) -> list[OutputShown]:
    """What each output of a Plan would carry."""
    return [
        OutputShown(
            name=output.name,
            recipient=recipient_title(bundle, output.recipient.id),
            columns=(
                *_identifiers(output),
                *(
                    _carried(
                        rule.name,
                        meaning=_meaning(bundle, rule.field),
                        treat=rule.treat,
                        kind=rule.field_class.value,
                        clause=rule.clause,
                    )
                    for rule in output.columns
                ),
            ),
        )
        for output in plan.outputs
    ]


def _identifiers(output: OutputPlan) -> Iterator[Carried]:
    if output.identifiers in _NUMBERED:
        name, treat = _NUMBERED[output.identifiers]
        yield _carried(name, meaning="", treat=treat, kind="identifier", clause=output.clause)
    if output.tokens:
        yield _carried(SLOT, meaning="", treat="keep", kind="plain", clause=output.clause)
        name = _run(output.tokens)
        yield _carried(name, meaning="", treat="token", kind="identifier", clause=output.clause)


def _meaning(bundle: Bundle, field: str) -> str:
    entry = bundle.vocabulary.fields.get(field)
    return entry.meaning if entry else ""


def recipient_title(bundle: Bundle, recipient: str) -> str:
    """A recipient by organisation and team; by its team where the organisation has no title."""
    known = bundle.recipients.get(recipient)
    if known is None or known.organisation not in bundle.vocabulary.parties:
        return known.team if known else recipient
    return f"{party_title(bundle, known.organisation)}, {known.team}"


def _carried(name: str, *, meaning: str, treat: str, kind: str, clause: str) -> Carried:
    if treat == "token":
        meaning = "Keyed tokens by which the linkage unit finds the same person elsewhere."
    return Carried(
        name=name,
        meaning=_OURS.get(name) or meaning,
        form=_FORMS.get(treat) or ("as it is" if treat == "keep" else said(treat)),
        kind=_CLASSES.get(kind, kind),
        clause=clause,
    )


def _without_runs(told: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The columns, with tokens of one clause as one line."""
    shown: list[dict[str, Any]] = []
    run: list[str] = []
    for each in told:
        if each["treatment"] == "token":
            run.append(each["name"])
            if len(run) == 1:
                shown.append(dict(each))
            shown[-1]["name"] = _run(run)
        else:
            run = []
            shown.append(dict(each))
    return shown


def _run(names: Sequence[str]) -> str:
    return f"{names[0]} to {names[-1]}" if len(names) > 2 else ", ".join(names)
