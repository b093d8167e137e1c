"""What a release carries, column by column: meaning, form, clause; and what it leaves behind.

The columns of a release that was made are those of its signed manifests; what would
leave, and what stays, is the Plan's.

Source: UK GDPR Art 5(1)(c), 5(2); docs/reference/package.md; docs/reference/policy.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.adapters.release_store import PackageRecord
from gateway.model import Plan
from gateway.policy import Bundle
from gateway.policy.treatments import said

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
    "slot": "Which spelling of a name a row of tokens is made from.",
    "pseudonym": "A pseudonym made for this recipient alone.",
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


def of_package(package: PackageRecord, bundle: Bundle) -> OutputShown:
    """What a package carries, as its manifest says."""
    told: Sequence[Mapping[str, Any]] = package.manifest["columns"]
    return OutputShown(
        name=package.output,
        recipient=recipient_title(bundle, package.recipient),
        columns=tuple(
            _carried(bundle, each["name"], each["treatment"], each["class"], each["clause"])
            for each in _without_runs(told)
        ),
    )


def of_plan(plan: Plan, bundle: Bundle) -> list[OutputShown]:
    """What each output of a Plan would carry."""
    return [
        OutputShown(
            name=output.name,
            recipient=recipient_title(bundle, output.recipient.id),
            columns=(
                *_tokens(output.tokens, output.clause),
                *(
                    _carried(bundle, rule.name, rule.treat, rule.field_class.value, rule.clause)
                    for rule in output.columns
                ),
            ),
        )
        for output in plan.outputs
    ]


def _tokens(tokens: tuple[str, ...], clause: str) -> Iterable[Carried]:
    if tokens:
        yield Carried(
            name=_run(tokens),
            meaning="Keyed tokens by which the linkage unit finds the same person elsewhere.",
            form="as a keyed token",
            kind="Says nothing without the key",
            clause=clause,
        )


def recipient_title(bundle: Bundle, recipient: str) -> str:
    """A recipient by organisation and team."""
    known = bundle.recipients.get(recipient)
    return f"{known.organisation}, {known.team}" if known else recipient


def _carried(bundle: Bundle, name: str, treat: str, kind: str, clause: str) -> Carried:
    entry = bundle.vocabulary.fields.get(name.partition("__")[0])
    meaning = _OURS.get(name) or (entry.meaning if entry else "")
    if treat == "token":
        meaning = "Keyed tokens by which the linkage unit finds the same person elsewhere."
    return Carried(
        name=name,
        meaning=meaning,
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
