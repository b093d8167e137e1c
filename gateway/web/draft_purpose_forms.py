"""The form of a purpose: as the draft has it, as it was typed, and what it says.

Source: docs/reference/policy.md; GOV.UK Design System, "Error summary".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.adapters import policy_editing as editing
from gateway.adapters.policy_editing import Value
from gateway.policy.agreements import Output
from gateway.web.draft_forms import CLAUSE
from gateway.web.form_values import Fault, day, fault, first_of_each, is_k, several, unfit
from gateway.web.workshop import DraftView


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputForm:
    """One output as the form of its purpose shows it; `k` is empty where no groups are counted."""

    output: str
    recipient: str
    form: str
    k: str
    small: str
    key_variables: Sequence[str]
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeForm:
    """A purpose as its form shows it: as the draft has it, or as it was typed."""

    title: str
    clause: str
    subjects: str
    participation: str
    household: str
    take: str
    retain_until: str
    legal_bases: Sequence[str]
    duties: Sequence[str]
    notice: str
    state: str
    identifiers: Sequence[str]
    outputs: Sequence[OutputForm]


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeEdit:
    """What the form of a purpose sets, by the part of the document that it stands in."""

    parts: Mapping[str, Value]
    notice: Mapping[str, Value]
    outputs: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    limits: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)

    def applied(self, text: str, purpose: str) -> str:
        """The text of the agreement with all of it set."""
        text = editing.set_purpose(text, purpose, self.parts)
        if self.notice:
            text = editing.set_notice(text, purpose, self.notice)
        for output, parts in self.outputs.items():
            text = editing.set_output(text, purpose, output, parts)
        for output, parts in self.limits.items():
            text = editing.set_limits(text, purpose, output, parts)
        return text


def purpose_values(view: DraftView, purpose: str) -> PurposeForm | None:
    """The purpose as the draft has it."""
    found = view.agreement.purposes.get(purpose) if view.agreement else None
    if found is None:
        return None
    notice = found.notice
    return PurposeForm(
        title=found.title,
        clause=found.clause,
        subjects=found.subjects,
        participation=found.participation,
        household=found.household,
        take=found.take,
        retain_until=str(found.retain_until),
        legal_bases=found.legal_bases,
        duties=found.duties,
        notice=notice.version if notice else "",
        state=notice.state if notice else "",
        identifiers=(notice.identifiers if notice else None) or (),
        outputs=[_output_values(name, output) for name, output in found.outputs.items()],
    )


def _output_values(name: str, output: Output) -> OutputForm:
    limits = output.disclosure
    return OutputForm(
        output=name,
        recipient=output.recipient,
        form=output.identifiers,
        k=str(limits.k) if limits else "",
        small=limits.on_small_group if limits else "",
        key_variables=(limits.key_variables if limits else None) or (),
        columns=_columns(output),
    )


def _columns(output: Output) -> dict[str, str]:
    """What groups may be counted by: the fields, and what is named already (ranges too)."""
    named = (output.disclosure.key_variables if output.disclosure else None) or ()
    return {each: each for each in (*output.fields, *named)}


def purpose_typed(form: Mapping[str, str], view: DraftView, purpose: str) -> PurposeForm | None:
    """The purpose as somebody typed it, faults and all; what was not asked is as it is."""
    now = purpose_values(view, purpose)
    if now is None:
        return None
    return PurposeForm(
        title=form.get("title", ""),
        clause=form.get("clause", now.clause),
        subjects=form.get("subjects", now.subjects),
        participation=form.get("participation", ""),
        household=form.get("household", ""),
        take=form.get("take", ""),
        retain_until=form.get("retain_until", ""),
        legal_bases=several(form, "legal_bases"),
        duties=several(form, "duties"),
        notice=form.get("notice", now.notice),
        state=form.get("state", now.state),
        identifiers=several(form, "identifiers"),
        outputs=[
            OutputForm(
                output=each.output,
                recipient=form.get(f"recipient.{each.output}", each.recipient),
                form=form.get(f"form.{each.output}", each.form),
                k=form.get(f"k.{each.output}", each.k),
                small=form.get(f"small.{each.output}", each.small),
                key_variables=several(form, f"groups.{each.output}"),
                columns=each.columns,
            )
            for each in now.outputs
        ],
    )


def purpose_edit(
    form: Mapping[str, str], view: DraftView, purpose: str
) -> tuple[PurposeEdit, list[Fault]]:
    """Read the form of a purpose: what it sets, and every fault at once.

    A part that the form did not ask stays as it is.

    Args:
        form: as a browser sends it.
        view: the draft as it is.
        purpose: of the draft's agreement.
    """
    now = purpose_values(view, purpose)
    typed = purpose_typed(form, view, purpose)
    if now is None or typed is None:
        return PurposeEdit(parts={}, notice={}), []
    until = day(typed.retain_until)
    cohort = view.bundle.vocabulary.cohorts.get(typed.subjects)
    notice, faults = _notice(form, now, typed)
    edit = PurposeEdit(
        parts={
            "title": " ".join(typed.title.split()),
            "clause": typed.clause.strip(),
            "legal_bases": typed.legal_bases,
            "subjects": typed.subjects,
            **({"spine": cohort.from_} if cohort and typed.subjects != now.subjects else {}),
            "participation": typed.participation,
            "household": typed.household,
            **({} if typed.take == now.take else {"take": _take(typed)}),
            "retain_until": until or "",
            "duties": typed.duties,
        },
        notice=notice,
        outputs={
            each.output: {"recipient": each.recipient, "identifiers": each.form}
            for each in typed.outputs
        },
        limits={each.output: _limits(form, each) for each in typed.outputs if each.k or each.small},
    )
    faults = [
        *unfit(form, {"title": "What it is for", "notice": "Which notice"}),
        *_faults(now, typed, cohort is not None),
        *faults,
        *_output_faults(typed),
    ]
    return edit, first_of_each(faults)


def _take(typed: PurposeForm) -> str:
    return "latest" if typed.take == "latest" else ""


def _faults(now: PurposeForm, typed: PurposeForm, known_cohort: bool) -> list[Fault]:
    clause = typed.clause.strip()
    wanted = (
        (typed.title.strip(), "Enter what it is for, in a few words", "title"),
        (clause == now.clause or CLAUSE.fullmatch(clause), "Enter its clause, like 4.2", "clause"),
        (typed.legal_bases, "Choose at least one legal basis", "legal_bases"),
        (known_cohort, "Choose whom it is about", "subjects"),
        (day(typed.retain_until), "Enter the day of destruction, like 2028-03-31", "retain_until"),
        (typed.duties, "Choose at least one duty", "duties"),
    )
    return [fault(text, at) for held, text, at in wanted if not held]


def _notice(
    form: Mapping[str, str], now: PurposeForm, typed: PurposeForm
) -> tuple[dict[str, Value], list[Fault]]:
    if "notice" not in form or not (typed.notice or typed.state or now.notice):
        return {}, []
    version = typed.notice.strip()
    faults = []
    if not version:
        faults.append(fault("Enter which notice people were given, like trafford-2026", "notice"))
    if not typed.state:
        faults.append(fault("Choose what the notice promised", "state"))
    return {
        "version": version,
        "state": typed.state,
        "identifiers": typed.identifiers,
    }, faults


def _limits(form: Mapping[str, str], output: OutputForm) -> dict[str, Value]:
    k = int(output.k) if is_k(output.k) else 0
    asked = f"recipient.{output.output}" in form and output.columns
    groups: dict[str, Value] = {"key_variables": output.key_variables} if asked else {}
    return {"k": k, "on_small_group": output.small, **groups}


def _output_faults(typed: PurposeForm) -> list[Fault]:
    faults = []
    for each in typed.outputs:
        if not each.recipient:
            faults.append(fault("Choose who receives it", f"recipient.{each.output}"))
        if (each.k or each.small) and not is_k(each.k):
            faults.append(fault("Enter a group size from 2 to 1000", f"k.{each.output}"))
    return faults
