"""The preview of a draft as its page shows it: per purpose and output, before, after, difference.

Every number was rounded before it came here; this only gives it words.

Source: docs/explanation/disclosure.md, "Preview"; requirement N4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.adapters.jobs import Job, JobKind, JobState
from gateway.policy import Bundle, verbatim
from gateway.policy.treatments import said
from gateway.web import states
from gateway.web.release_columns import recipient_title

FEW = "fewer than 10"
MOST_NAMED = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measure: without the draft, with it, and the difference."""

    text: str
    before: str
    after: str
    difference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputShown:
    """One output: what it measures, and what changes of its columns, in sentences."""

    name: str
    recipient: str
    rows: tuple[Row, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeShown:
    """One purpose: a summary in one sentence, its people, its outputs, what stops it."""

    title: str
    state: str
    summary: str = ""
    advice: str = ""
    rows: tuple[Row, ...] = ()
    outputs: tuple[OutputShown, ...] = ()
    stopped: tuple[tuple[str, tuple[str, ...]], ...] = ()
    new_fields: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewShown:
    """A whole preview."""

    changes: Sequence[str]
    purposes: tuple[PurposeShown, ...]
    remarks: Sequence[Mapping[str, Any]]
    notices: Sequence[Mapping[str, Any]] = field(default=())


def preview_shown(job: Job, bundle: Bundle) -> PreviewShown | None:
    """What a job has previewed; None where it previews nothing, or nothing yet."""
    told = job.outcome
    if job.kind is not JobKind.PREVIEW or job.state is not JobState.DONE or told.get("refusal"):
        return None
    return PreviewShown(
        changes=told["changes"],
        purposes=tuple(
            _purpose(each, told["agreement"], bundle, told.get("titles", {}))
            for each in told["purposes"]
        ),
        remarks=told["remarks"],
        notices=told["notices"],
    )


def _purpose(
    told: Mapping[str, Any], agreement: str, bundle: Bundle, titles: Mapping[str, str]
) -> PurposeShown:
    known = bundle.agreements.get(agreement)
    purpose = known.purposes.get(told["purpose"]) if known else None
    impact = told["impact"]
    return PurposeShown(
        title=verbatim(purpose.title) if purpose else titles.get(told["purpose"], told["purpose"]),
        state=_state(told),
        summary=_summary(told) if impact else "",
        advice=_advice(told) if impact else "",
        rows=tuple(_people(impact)) if impact else (),
        outputs=tuple(_outputs(impact, bundle, titles)) if impact else (),
        stopped=tuple(_stopped(told)),
        new_fields=_named(told["new_fields"], titles) if told["new_fields"] else "",
    )


def _state(told: Mapping[str, Any]) -> str:
    """Its state; where both versions refuse, nothing leaves, and that is not "the same as now"."""
    refused = told["refused_after"] and told["state"] == "the-same"
    return "refused" if refused else str(told["state"])


def _summary(told: Mapping[str, Any]) -> str:
    if told["refused_after"]:
        return "With the draft nothing would leave."
    people = told["impact"]["people"]
    gained, lost = people["gained"], people["lost"]
    if gained == lost == "<10":
        return "Hardly anybody comes in or goes out: fewer than 10 each way."
    return f"{_people_in(gained).capitalize()} come in and {_people_in(lost)} go out."


def _advice(told: Mapping[str, Any]) -> str:
    """What to do where more people are left out because too few families are like theirs."""
    change = told["impact"]["withheld"].get("small-group")
    if told["refused_after"] or change is None or not change["difference"].startswith("+"):
        return ""
    return (
        f"The draft makes small groups: about {_number(change['difference'][1:])} more people are "
        "left out, because too few families are like theirs. Let a field leave in a coarser way, "
        "or take one out, and preview it again."
    )


def _people_in(count: str) -> str:
    return f"{FEW} people" if count == "<10" else f"about {_number(count)} people"


def _stopped(told: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, when in (
        ("refused_before", "Without the draft nothing leaves"),
        ("refused_after", "With the draft nothing would leave"),
    ):
        if told[name]:
            yield when, tuple(_reason(each) for each in told[name])


def _reason(reason: Mapping[str, str]) -> str:
    clause = f" (clause {reason['clause']})" if reason["clause"] else ""
    return f"{reason['reason']}{clause}"


def _people(impact: Mapping[str, Any]) -> Iterator[Row]:
    yield _row("People who are sent", impact["people"]["total"])
    yield _row("Families they belong to", impact["families"]["total"])
    for why, change in impact["withheld"].items():
        yield _row(f"Left out: {states.WITHHELD.get(why, (why, ''))[0].lower()}", change)


def _outputs(
    impact: Mapping[str, Any], bundle: Bundle, titles: Mapping[str, str]
) -> Iterator[OutputShown]:
    """The outputs that carry values; one of tokens alone has nothing to compare."""
    for each in impact["outputs"]:
        shown = _output(each, bundle, titles)
        if shown.sentences or each["k_before"] or each["k_after"] or _any(each["unique"]):
            yield shown


def _any(change: Mapping[str, str]) -> bool:
    return (change["before"], change["after"]) != ("<10", "<10")


def _output(told: Mapping[str, Any], bundle: Bundle, titles: Mapping[str, str]) -> OutputShown:
    return OutputShown(
        name=told["output"],
        recipient=recipient_title(bundle, told["recipient"]),
        rows=tuple(_risks(told)),
        sentences=tuple(_columns(told, titles)),
    )


def _risks(told: Mapping[str, Any]) -> Iterator[Row]:
    if told["k_before"] or told["k_after"]:
        yield _row("Groups of too few families", told["small_groups"])
        yield Row(
            text="Families in the smallest group that is sent",
            before=told["k_before"].capitalize(),
            after=told["k_after"].capitalize(),
        )
    yield _row("Rows that are like no other", told["unique"])
    if told["share_before"] or told["share_after"]:
        yield Row(text="Share of such rows", before=told["share_before"], after=told["share_after"])


def _columns(told: Mapping[str, Any], titles: Mapping[str, str]) -> Iterator[str]:
    for name, word in (("columns_gained", "Adds"), ("columns_lost", "Takes out")):
        if told[name]:
            yield f"{word} {_named(told[name], titles)}."
    for column, before, after in told["columns_changed"]:
        yield f"{titles.get(column, f'*{column}*')} leaves {said(after)} instead of {said(before)}."


def _named(columns: Sequence[str], titles: Mapping[str, str]) -> str:
    shown = ", ".join(titles.get(column, f"*{column}*") for column in columns[:MOST_NAMED])
    more = len(columns) - MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown


def _row(text: str, change: Mapping[str, str]) -> Row:
    return Row(
        text=text,
        before=_count(change["before"]),
        after=_count(change["after"]),
        difference=_difference(change["difference"]),
    )


def _count(told: str) -> str:
    return FEW.capitalize() if told == "<10" else _number(told)


def _difference(told: str) -> str:
    if told == "<10":
        return FEW.capitalize()
    return f"{_number(told[1:])} {'more' if told[0] == '+' else 'fewer'}"


def _number(told: str) -> str:
    return f"{int(told):,}"
